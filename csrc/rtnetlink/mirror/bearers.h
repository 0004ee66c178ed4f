/* SPDX-License-Identifier: MIT */
/* The names in the filters of subscribers, and the links that have them now.
 * Where a name passes to a link or leaves it, the subscriber gets the rows of
 * that link as ADD or DELETE. A link that is gone keeps its names, for the
 * rows that are still to be deleted, until it is forgotten or another link
 * takes the name. */
#pragma once

#include "rtnetlink/mirror/mirror.h"

/* Find the bearers of a new subscriber's names. */
void nio_find_bearers(nio_mirror *mirror, nio_subscriber *subscriber);
/* Before a link becomes `after`: end what its names, and those that it takes
 * from other links, let through. False: allocation failure; the link must stay
 * as it is. */
bool nio_end_bearers(nio_mirror *mirror, const nio_link *after);
/* After it: begin what its names let through. */
void nio_begin_bearers(nio_mirror *mirror, const nio_link *link);
/* No row of the link is left. */
void nio_forget_bearer(nio_mirror *mirror, uint32_t index);

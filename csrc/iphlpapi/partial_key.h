/* SPDX-License-Identifier: MIT */
/* The keys of notifications that leave out a part: the LUID of an adapter that
 * has gone, or the family of a next hop. Pure. */
#pragma once

#include "iphlpapi/rows.h"

bool nio_key_is_partial(nio_kind kind, const void *key);
/* True when `row` has all that the partial key has. */
bool nio_key_could_be_of(nio_kind kind, const void *key, const void *row);
/* Fills in what a partial key leaves out: the LUID of its index, if that is
 * `luid`'s, and for a route on the link the family of its next hop. */
void nio_key_complete(nio_kind kind, nio_any_row *key, NET_IFINDEX index,
                      NET_LUID luid);
NET_LUID nio_row_luid(nio_kind kind, const void *row);
NET_IFINDEX nio_row_index(nio_kind kind, const void *row);

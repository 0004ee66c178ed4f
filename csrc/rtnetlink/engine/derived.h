/* SPDX-License-Identifier: MIT */
/* What is derived from a mirror alone: see derived.c and hint.c. Pure. */
#pragma once

#include "contract/netio.h"
#include "rtnetlink/mirror/mirror.h"

/* The port of a Teredo address (RFC 4380) on any interface; 0 if there is
 * none.
 */
USHORT nio_teredo_port_of(const nio_mirror *mirror);
NL_NETWORK_CONNECTIVITY_HINT nio_hint_of(const nio_mirror *mirror);
/* Has every address of the family left duplicate address detection? */
bool nio_is_stable(const nio_mirror *mirror, ADDRESS_FAMILY family);

/* SPDX-License-Identifier: MIT */
/* What can be told from a mirror alone: see derived.c. Pure. */
#pragma once

#include "contract/netio.h"
#include "rtnetlink/mirror/mirror.h"

/* The port of a Teredo address (RFC 4380) on any interface; 0: there is none.
 */
USHORT nio_teredo_port_of(const nio_mirror *mirror);
NL_NETWORK_CONNECTIVITY_HINT nio_hint_of(const nio_mirror *mirror);
/* No address of the family is still settling. */
bool nio_is_stable(const nio_mirror *mirror, ADDRESS_FAMILY family);

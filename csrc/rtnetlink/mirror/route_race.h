/* SPDX-License-Identifier: MIT */
/* What a notification, received while routes are dumped, says about that dump:
 * the reader (engine/collect.c) and threads that read for themselves
 * (api/route_reader.c) note each one. Pure. */
#pragma once

#include "rtnetlink/decode/decode.h"
#include "rtnetlink/mirror/route_dump.h"

/* Does nothing where no dump is being read (family AF_UNSPEC). `legs` is
 * scratch memory for the decoder. */
void nio_route_dump_note(nio_route_dump *dump,
                         const nio_decode_context *decode, nio_legs *legs,
                         const struct nlmsghdr *header, nio_bytes body);

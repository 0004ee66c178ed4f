/* SPDX-License-Identifier: MIT */
/* The kernel's tables as they are now, read by the calling thread for itself:
 * what the Get* functions answer with. No engine is needed or used. Codes of
 * Windows. */
#pragma once

#include "contract/netio.h"
#include "rtnetlink/mirror/mirror.h"
#include "rtnetlink/socket/socket.h"

#define NIO_MOST_READINGS 3 /* of routes that change all the time */

/* A reading: a socket, and the tables that rows are made with. */
typedef struct nio_reading {
    nio_requester requester;
    nio_mirror mirror; /* links; addresses and nexthops where asked for */
} nio_reading;

/* Opens a socket and reads the links. On failure nothing is to be closed. */
DWORD nio_reading_open(nio_reading *reading);
void nio_reading_close(nio_reading *reading);

DWORD nio_read_addresses(nio_reading *reading);
DWORD nio_read_nexthops(nio_reading *reading);
DWORD nio_read_times(nio_reading *reading);

/* Every leg of every route of a family (AF_UNSPEC: both), as the kernel gives
 * them; a negative result of `leg` ends the walk. `index` (0: none): only
 * routes with a leg on this interface are wanted, others may come too. */
DWORD nio_read_routes(nio_reading *reading, ADDRESS_FAMILY family,
                      uint32_t index,
                      int (*leg)(void *context, const nio_route *leg),
                      void *context);

/* A feed of the routes' changes, to be closed by nio_feed_close; on failure
 * nothing is to be closed. */
DWORD nio_hear_routes(nio_feed *ret_feed);
/* Did any route change? Forgets what it heard. */
bool nio_heard_change(nio_feed *feed);

/* nio_read_routes until `is_enough` says so after a reading, or nothing has
 * changed during one: a walk that raced with changes may leave rows out, and
 * IPv6 does not say so (reconcile.c). What any of a few has seen was there. */
DWORD nio_find_routes(nio_reading *reading, ADDRESS_FAMILY family,
                      uint32_t index,
                      int (*leg)(void *context, const nio_route *leg),
                      bool (*is_enough)(const void *context), void *context);

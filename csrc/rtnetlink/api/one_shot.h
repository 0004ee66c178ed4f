/* SPDX-License-Identifier: MIT */
/* The kernel's tables as they are now, read by the calling thread for itself:
 * what the Get* functions answer with. No engine is needed or used. Codes of
 * Windows. */
#pragma once

#include "contract/netio.h"
#include "rtnetlink/mirror/mirror.h"
#include "rtnetlink/socket/event_socket.h"
#include "rtnetlink/socket/request_socket.h"

#define NIO_MOST_READINGS 3 /* of routes that change all the time */

/* A reading: a socket, and the tables that rows are made with. */
typedef struct nio_one_shot {
    nio_request_socket requester;
    nio_mirror mirror; /* links; addresses and nexthops where asked for */
} nio_one_shot;

/* Opens a socket and reads the links. On failure nothing is to be closed. */
DWORD nio_one_shot_open(nio_one_shot *reading);
void nio_one_shot_close(nio_one_shot *reading);

DWORD nio_read_addresses(nio_one_shot *reading);
DWORD nio_read_nexthops(nio_one_shot *reading);
DWORD nio_read_times(nio_one_shot *reading);

/* Every leg of every route of a family (AF_UNSPEC: both), as the kernel gives
 * them; a negative result of `leg` ends the walk. `index` (0: none): only
 * routes with a leg on this interface are wanted, others may come too. */
DWORD nio_read_routes(nio_one_shot *reading, ADDRESS_FAMILY family,
                      uint32_t index,
                      int (*leg)(void *context, const nio_route *leg),
                      void *context);

/* A feed of the routes' changes, to be closed by nio_event_socket_close; on
 * failure nothing is to be closed. */
DWORD nio_subscribe_routes(nio_event_socket *ret_feed);
/* Did any route change? Forgets what it heard. */
bool nio_route_changed(nio_event_socket *feed);

/* nio_read_routes until `is_enough` says so after a reading, or nothing has
 * changed during one: a walk that raced with changes may leave rows out, and
 * IPv6 does not say so (reconcile.c). What any of a few has seen was there. */
DWORD nio_find_routes(nio_one_shot *reading, ADDRESS_FAMILY family,
                      uint32_t index,
                      int (*leg)(void *context, const nio_route *leg),
                      bool (*is_enough)(const void *context), void *context);

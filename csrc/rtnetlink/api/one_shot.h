/* SPDX-License-Identifier: MIT */
/* One-shot reads of the kernel's tables, by the calling thread for itself: the
 * Get* functions are made of them. No engine is needed or used. All codes are
 * Win32 codes. */
#pragma once

#include "contract/netio.h"
#include "rtnetlink/engine/dump.h"
#include "rtnetlink/socket/event_socket.h"
#include "rtnetlink/socket/request_socket.h"

/* How often a route table is read again while changes race with it. After that
 * the union of all reads is the result. */
#define NIO_MAX_ROUTE_READS 3

typedef struct nio_one_shot {
    nio_request_socket requests;
    nio_mirror mirror; /* links; addresses and nexthops once they are read */
    nio_dumper dumper; /* into the mirror */
} nio_one_shot;

/* Open a socket and read the links. To be closed on failure, too. */
DWORD nio_one_shot_open(nio_one_shot *one_shot);
void nio_one_shot_close(nio_one_shot *one_shot);

DWORD nio_read_addresses(nio_one_shot *one_shot);
DWORD nio_read_nexthops(nio_one_shot *one_shot);
DWORD nio_read_neighbour_times(nio_one_shot *one_shot);

/* Every leg of every route of a family (AF_UNSPEC: both), in the kernel's
 * order; a negative result of `leg` ends the read. If `index` is not 0, routes
 * without a leg on that interface may be left out. */
DWORD nio_read_routes(nio_one_shot *one_shot, ADDRESS_FAMILY family,
                      uint32_t index,
                      int (*leg)(void *context, const nio_route *leg),
                      void *context);

/* Subscribe to changes of routes. On success ret_events is to be closed by
 * nio_event_socket_close. */
DWORD nio_subscribe_routes(nio_event_socket *ret_events);
/* Did a route change since the last call? */
bool nio_route_changed(nio_event_socket *events);

/* nio_read_routes, repeated while changes race with it and `is_enough` says
 * no: a dump that raced may lack rows, and the kernel does not report it
 * (mirror/route_dump.h). A row that any of the reads found did exist. */
DWORD nio_find_routes(nio_one_shot *one_shot, ADDRESS_FAMILY family,
                      uint32_t index,
                      int (*leg)(void *context, const nio_route *leg),
                      bool (*is_enough)(const void *context), void *context);

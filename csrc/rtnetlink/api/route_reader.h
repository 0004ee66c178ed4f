/* SPDX-License-Identifier: MIT */
/* Dumps of routes by the calling thread for itself. Changes may race with
 * them: a reader receives the notifications meanwhile, and knows in which gaps
 * a dump may lack routes (mirror/route_dump.h). */
#pragma once

#include "rtnetlink/api/one_shot.h"
#include "rtnetlink/mirror/route_dump.h"
#include "rtnetlink/socket/event_socket.h"

typedef struct nio_route_reader {
    nio_one_shot *one_shot; /* borrowed; its nexthops are read */
    nio_event_socket events;
    nio_route_dump dump; /* that is being read */
    nio_legs legs;       /* of the route that is being decoded */
} nio_route_reader;

/* When a dump ends early, with -EAGAIN. */
typedef enum nio_give_up {
    NIO_NEVER,
    NIO_WHEN_INCONCLUSIVE, /* it proves nothing any more */
    NIO_WHEN_RACED         /* a change races with it */
} nio_give_up;

/* What a dump is for. */
typedef struct nio_route_query {
    uint8_t family;
    uint32_t index; /* not 0: routes without a leg on it may be left out */
    uint32_t table; /* not 0: routes of other tables may be left out */
    nio_give_up give_up;
    /* Each leg of each route, in the kernel's order; a negative result ends
     * the dump. */
    int (*leg)(void *context, const nio_route *leg);
    void *context;
} nio_route_query;

/* Read the nexthop objects, subscribe to changes. To be closed on failure,
 * too. */
DWORD nio_route_reader_open(nio_route_reader *reader, nio_one_shot *one_shot);
void nio_route_reader_close(nio_route_reader *reader);

/* One dump. ret_gaps is owned by the caller. Returns 0 or a negative errno. */
int nio_read_routes(nio_route_reader *reader, const nio_route_query *query,
                    nio_gaps *ret_gaps);

/* Reads a family (AF_UNSPEC: both), again and again until each place was read
 * outside of the open gaps, or `is_enough` says so. A leg may come several
 * times, and a route that was deleted meanwhile may be among them. `query` is
 * without a family. */
DWORD nio_find_routes(nio_one_shot *one_shot, ADDRESS_FAMILY family,
                      nio_route_query query,
                      bool (*is_enough)(const void *context));

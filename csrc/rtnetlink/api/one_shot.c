/* SPDX-License-Identifier: MIT */
/* Reads for one call: see one_shot.h. */
#include "rtnetlink/api/one_shot.h"

#include "rtnetlink/api/errors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define MAX_ATTEMPTS 10 /* at a dump with which no change raced */
#define MAX_RECEIVES 100

DWORD
nio_one_shot_open(nio_one_shot *one_shot)
{
    memset(one_shot, 0, sizeof(*one_shot));
    nio_mirror_init(&one_shot->mirror);
    one_shot->dumper = (nio_dumper){.requests = &one_shot->requests,
                                    .mirror = &one_shot->mirror,
                                    .max_attempts = MAX_ATTEMPTS,
                                    .accept_raced = true};
    int status = nio_request_socket_open(&one_shot->requests);
    return nio_code_of(status < 0 ? status
                                  : nio_dump_links(&one_shot->dumper));
}

void
nio_one_shot_close(nio_one_shot *one_shot)
{
    nio_request_socket_close(&one_shot->requests);
    nio_mirror_done(&one_shot->mirror);
}

DWORD
nio_read_addresses(nio_one_shot *one_shot)
{
    return nio_code_of(nio_dump_addresses(&one_shot->dumper));
}

DWORD
nio_read_nexthops(nio_one_shot *one_shot)
{
    return nio_code_of(nio_dump_nexthops(&one_shot->dumper));
}

DWORD
nio_read_neighbour_times(nio_one_shot *one_shot)
{
    return nio_code_of(nio_dump_neighbour_times(&one_shot->dumper));
}

/* A dump of routes, expanded into legs. */
typedef struct route_walk {
    const nio_decode_context *decode;
    nio_legs legs;
    int (*leg)(void *context, const nio_route *leg);
    void *context;
} route_walk;

static int
on_route(void *context, const struct nlmsghdr *header, nio_bytes body)
{
    route_walk *walk = context;
    (void)header;
    int status = nio_decode_route(body, walk->decode, &walk->legs);
    if (status == -ENOMEM) {
        return status;
    }
    for (size_t i = 0; status == 0 && i < walk->legs.count; i++) {
        int end = walk->leg(walk->context, &walk->legs.legs[i]);
        if (end < 0) {
            return end;
        }
    }
    return 0;
}

DWORD
nio_read_routes(nio_one_shot *one_shot, ADDRESS_FAMILY family, uint32_t index,
                int (*leg)(void *context, const nio_route *leg), void *context)
{
    static const uint8_t families[] = {AF_INET, AF_INET6};
    route_walk walk = {
        .decode = &one_shot->mirror.decode, .leg = leg, .context = context};
    int status = 0;
    for (size_t i = 0; status == 0 && i < 2; i++) {
        if (family == AF_UNSPEC || family == families[i]) {
            status =
                index != 0
                    ? nio_query_routes_of(&one_shot->requests, families[i],
                                          index, on_route, &walk, NULL)
                    : nio_query_table(&one_shot->requests, RTM_GETROUTE,
                                      families[i], on_route, &walk, NULL);
            if (status == -EAFNOSUPPORT || status == -EOPNOTSUPP) {
                status = family == AF_UNSPEC ? 0 : status;
            }
        }
    }
    nio_legs_done(&walk.legs);
    return nio_code_of(status);
}

DWORD
nio_subscribe_routes(nio_event_socket *ret_events)
{
    int status = nio_event_socket_open(ret_events);
    if (status < 0) {
        return nio_code_of(status);
    }
    status = nio_event_socket_join(ret_events, RTNLGRP_IPV4_ROUTE);
    if (status == 0) {
        status = nio_event_socket_join(ret_events, RTNLGRP_IPV6_ROUTE);
    }
    if (status < 0) {
        nio_event_socket_close(ret_events);
    }
    return nio_code_of(status);
}

bool
nio_route_changed(nio_event_socket *events)
{
    bool changed = false;
    for (int i = 0; i < MAX_RECEIVES && nio_event_socket_receive(events) != 0;
         i++) {
        changed = true;
    }
    return changed;
}

DWORD
nio_find_routes(nio_one_shot *one_shot, ADDRESS_FAMILY family, uint32_t index,
                int (*leg)(void *context, const nio_route *leg),
                bool (*is_enough)(const void *context), void *context)
{
    nio_event_socket events;
    bool quiet;
    int repeats = 0;
    DWORD code = nio_subscribe_routes(&events);
    if (code != NO_ERROR) {
        return code;
    }
    do {
        code = nio_read_routes(one_shot, family, index, leg, context);
        quiet = !nio_route_changed(&events);
    } while (code == NO_ERROR && !quiet && !is_enough(context) &&
             ++repeats <= NIO_MAX_ROUTE_READS);
    nio_event_socket_close(&events);
    return code;
}

/* SPDX-License-Identifier: MIT */
/* One reading of the kernel's tables: see one_shot.h. */
#include "rtnetlink/api/one_shot.h"

#include "rtnetlink/api/errors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define MOST_TRIES 10 /* of a dump that raced with a change */
#define MOST_RECEIVES 100

/* A dump that no change raced with, as far as the kernel can tell. */
static int
dump(nio_one_shot *reading, uint16_t type, uint8_t family, nio_reply reply,
     void *context)
{
    nio_answer answer;
    int status;
    int tries = 0;
    do {
        nio_mirror_begin_dump(&reading->mirror);
        status = nio_dump(&reading->requester, type, family, reply, context,
                          &answer);
    } while (status == 0 && answer.interrupted && ++tries < MOST_TRIES);
    return status;
}

static int
on_link(void *context, const struct nlmsghdr *header, nio_bytes body)
{
    nio_one_shot *reading = context;
    nio_link link;
    uint8_t family;
    (void)header;
    if (nio_decode_link(body, &link, &family) == 0) {
        nio_mirror_dumped_link(&reading->mirror, &link);
    }
    return reading->mirror.allocation_failed ? -ENOMEM : 0;
}

static int
on_address(void *context, const struct nlmsghdr *header, nio_bytes body)
{
    nio_one_shot *reading = context;
    nio_address address;
    (void)header;
    if (nio_decode_address(body, &address) == 0) {
        nio_mirror_dumped_address(&reading->mirror, &address);
    }
    return reading->mirror.allocation_failed ? -ENOMEM : 0;
}

static int
on_nexthop(void *context, const struct nlmsghdr *header, nio_bytes body)
{
    nio_one_shot *reading = context;
    nio_nexthop nexthop;
    (void)header;
    int status = nio_decode_nexthop(body, &nexthop);
    if (status == 0) {
        nio_mirror_dumped_nexthop(&reading->mirror, &nexthop);
    }
    return reading->mirror.allocation_failed || status == -ENOMEM ? -ENOMEM
                                                                  : 0;
}

static int
on_times(void *context, const struct nlmsghdr *header, nio_bytes body)
{
    nio_one_shot *reading = context;
    nio_link_family times;
    uint32_t index;
    uint8_t family;
    (void)header;
    if (nio_decode_neighbour_table(body, &family, &index, &times) == 0 &&
        index != 0) {
        nio_mirror_dumped_times(&reading->mirror, family, index, &times);
    }
    return 0;
}

DWORD
nio_one_shot_open(nio_one_shot *reading)
{
    memset(reading, 0, sizeof(*reading));
    int status = nio_request_socket_open(&reading->requester);
    if (status < 0) {
        return nio_code_of(status);
    }
    nio_mirror_init(&reading->mirror);
    status = dump(reading, RTM_GETLINK, AF_UNSPEC, on_link, reading);
    if (status < 0) {
        nio_one_shot_close(reading);
        return nio_code_of(status);
    }
    nio_mirror_sweep_links(&reading->mirror);
    return NO_ERROR;
}

void
nio_one_shot_close(nio_one_shot *reading)
{
    nio_request_socket_close(&reading->requester);
    nio_mirror_done(&reading->mirror);
}

DWORD
nio_read_addresses(nio_one_shot *reading)
{
    int status = dump(reading, RTM_GETADDR, AF_UNSPEC, on_address, reading);
    nio_mirror_sweep_addresses(&reading->mirror);
    return nio_code_of(status);
}

DWORD
nio_read_nexthops(nio_one_shot *reading)
{
    int status = dump(reading, RTM_GETNEXTHOP, AF_UNSPEC, on_nexthop, reading);
    bool unknown = status == -EOPNOTSUPP || status == -EINVAL;
    return unknown ? NO_ERROR : nio_code_of(status); /* since Linux 5.3 */
}

DWORD
nio_read_times(nio_one_shot *reading)
{
    return nio_code_of(
        dump(reading, RTM_GETNEIGHTBL, AF_UNSPEC, on_times, reading));
}

typedef struct route_walk {
    const nio_store *nexthops;
    nio_legs legs;
    int (*leg)(void *context, const nio_route *leg);
    void *context;
} route_walk;

static int
on_route(void *context, const struct nlmsghdr *header, nio_bytes body)
{
    route_walk *walk = context;
    (void)header;
    int status = nio_decode_route(body, walk->nexthops, &walk->legs);
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
nio_read_routes(nio_one_shot *reading, ADDRESS_FAMILY family, uint32_t index,
                int (*leg)(void *context, const nio_route *leg), void *context)
{
    static const uint8_t families[] = {AF_INET, AF_INET6};
    route_walk walk = {
        .nexthops = &reading->mirror.nexthops, .leg = leg, .context = context};
    int status = 0;
    for (size_t i = 0; status == 0 && i < 2; i++) {
        if (family == AF_UNSPEC || family == families[i]) {
            status = index != 0
                         ? nio_dump_routes_of(&reading->requester, families[i],
                                              index, on_route, &walk, NULL)
                         : nio_dump(&reading->requester, RTM_GETROUTE,
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
nio_subscribe_routes(nio_event_socket *ret_feed)
{
    int status = nio_event_socket_open(ret_feed);
    if (status < 0) {
        return nio_code_of(status);
    }
    status = nio_event_socket_join(ret_feed, RTNLGRP_IPV4_ROUTE);
    if (status == 0) {
        status = nio_event_socket_join(ret_feed, RTNLGRP_IPV6_ROUTE);
    }
    if (status < 0) {
        nio_event_socket_close(ret_feed);
    }
    return nio_code_of(status);
}

bool
nio_route_changed(nio_event_socket *feed)
{
    bool heard = false;
    for (int i = 0; i < MOST_RECEIVES && nio_event_socket_receive(feed) != 0;
         i++) {
        heard = true;
    }
    return heard;
}

DWORD
nio_find_routes(nio_one_shot *reading, ADDRESS_FAMILY family, uint32_t index,
                int (*leg)(void *context, const nio_route *leg),
                bool (*is_enough)(const void *context), void *context)
{
    nio_event_socket feed;
    bool quiet;
    int readings = 0;
    DWORD code = nio_subscribe_routes(&feed);
    if (code != NO_ERROR) {
        return code;
    }
    do {
        code = nio_read_routes(reading, family, index, leg, context);
        quiet = !nio_route_changed(&feed);
    } while (code == NO_ERROR && !quiet && !is_enough(context) &&
             ++readings <= NIO_MOST_READINGS);
    nio_event_socket_close(&feed);
    return code;
}

/* SPDX-License-Identifier: MIT */
/* A route message with all its attributes as one flat row: the reference
 * makes one of each event and of each row of a dump. */
#pragma once

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct bench_route {
    uint8_t destination[16];
    uint8_t source[16];
    uint8_t gateway[16];
    uint8_t preferred_source[16];
    uint32_t table;
    uint32_t priority;
    uint32_t input, output; /* interfaces */
    uint32_t nexthop_id;
    uint32_t flow;
    uint32_t mark;
    uint32_t expires;
    uint32_t mtu;
    uint32_t flags;
    uint16_t message; /* RTM_NEWROUTE or RTM_DELROUTE */
    uint16_t legs;    /* of a multipath route */
    uint8_t family;
    uint8_t destination_length;
    uint8_t source_length;
    uint8_t tos;
    uint8_t protocol;
    uint8_t scope;
    uint8_t type;
    uint8_t preference;
} bench_route;

/* False: the message is not a route, or is malformed. */
bool bench_route_parse(const struct nlmsghdr *message, bench_route *ret);

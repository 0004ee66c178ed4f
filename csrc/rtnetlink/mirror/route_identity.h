/* SPDX-License-Identifier: MIT */
/* What makes two of the mirror's routes the same: their group, which is found
 * by a hash, their identity within it, and what else a subscriber can see. */
#pragma once

#include "rtnetlink/decode/record.h"

#include <string.h>
#include <sys/socket.h>

/* On-link prefixes that every interface has: one group would hold them all,
 * so the interface is a part of their group (and a replacement is never
 * worked out, but read again). */
static inline bool
is_per_interface(const nio_route *route)
{
    return route->family == AF_INET6 &&
           (route->destination[0] == 0xff ||
            (route->destination[0] == 0xfe && route->destination[1] == 0x80));
}

static inline uint64_t
route_hash(const void *record, uint64_t seed)
{
    const nio_route *route = record;
    uint64_t words[2];
    memcpy(words, route->destination, sizeof(words));
    uint64_t hash = nio_mix(seed, words[0]);
    hash = nio_mix(hash, words[1]);
    hash = nio_mix(hash, (uint64_t)route->table << 32 | route->priority);
    uint32_t small = (uint32_t)route->family << 16 |
                     (uint32_t)route->prefix_length << 8 | route->tos;
    uint32_t oif = is_per_interface(route) ? route->oif : 0;
    return nio_mix(hash, (uint64_t)oif << 32 | small);
}

/* The destination first: of records that only share a bucket it is another
 * one, and it lies where the memory of the record begins. */
static inline bool
same_group(const nio_route *a, const nio_route *b)
{
    return memcmp(a->destination, b->destination, 16) == 0 &&
           a->table == b->table && a->priority == b->priority &&
           a->family == b->family && a->prefix_length == b->prefix_length &&
           a->tos == b->tos && (!is_per_interface(a) || a->oif == b->oif);
}

static inline bool
same_identity(const nio_route *a, const nio_route *b)
{
    return same_group(a, b) && a->oif == b->oif &&
           a->gateway_family == b->gateway_family &&
           memcmp(a->gateway, b->gateway, 16) == 0;
}

/* In what the kernel says once for all legs; but for a lifetime that counts
 * down. */
static inline bool
same_words(const nio_route *a, const nio_route *b)
{
    return a->type == b->type && a->protocol == b->protocol &&
           memcmp(a->preferred_source, b->preferred_source, 16) == 0 &&
           (a->expires == NIO_INFINITE) == (b->expires == NIO_INFINITE);
}

/* Equal in all that a subscriber can see. */
static inline bool
same_state(const nio_route *a, const nio_route *b)
{
    return same_words(a, b) && a->flags == b->flags &&
           a->weight == b->weight && a->nexthop_id == b->nexthop_id;
}

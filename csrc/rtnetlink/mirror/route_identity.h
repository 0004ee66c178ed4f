/* SPDX-License-Identifier: MIT */
/* Which route records belong together and which are the same: their group, by
 * which they are hashed and found, their identity within the group, and the
 * state that a subscriber can see. Pure. */
#pragma once

#include "rtnetlink/decode/record.h"

#include <string.h>
#include <sys/socket.h>

/* Prefixes that every interface has (fe80::/64 and the like, multicast): one
 * group would hold all interfaces' routes, so here the interface is part of
 * the group. Then the group is not the kernel's, and does not show which
 * route a replacement replaces. */
static inline bool
is_per_interface(const nio_route *route)
{
    return route->family == AF_INET6 &&
           (route->destination[0] == 0xff ||
            (route->destination[0] == 0xfe && route->destination[1] == 0x80));
}

/* Of the group alone, so that a group lies in one chain of the store. */
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

/* The items of the two blocks up to `last_tag`, one of the key's, are equal.
 */
static inline bool
same_items(const nio_extra *a, const nio_extra *b, unsigned last_tag)
{
    return a == b || nio_extra_same_key(a, b, last_tag);
}

/* The group: what the kernel's NLM_F_REPLACE selects by. The destination is
 * compared first: it differs in most records that only share a bucket, and it
 * lies at the beginning of the record, in the cache line just read. */
static inline bool
same_group(const nio_route *a, const nio_route *b)
{
    return memcmp(a->destination, b->destination, 16) == 0 &&
           a->table == b->table && a->priority == b->priority &&
           a->family == b->family && a->prefix_length == b->prefix_length &&
           a->tos == b->tos && (!is_per_interface(a) || a->oif == b->oif) &&
           same_items(a->extra, b->extra, NIO_EXTRA_SOURCE_PREFIX);
}

/* Of one group: the same interface, gateway and encapsulation. */
static inline bool
same_hop(const nio_route *a, const nio_route *b)
{
    return a->oif == b->oif && a->gateway_family == b->gateway_family &&
           memcmp(a->gateway, b->gateway, 16) == 0 &&
           same_items(a->extra, b->extra, NIO_EXTRA_ENCAPSULATION);
}

/* The identity of a leg, which is that of its row (docs/identity.md). */
static inline bool
same_identity(const nio_route *a, const nio_route *b)
{
    return same_group(a, b) && same_hop(a, b) && a->type == b->type &&
           a->protocol == b->protocol;
}

/* Equal in everything that is reported. Of the lifetime that is
 * only whether there is one: it runs down without a change. */
static inline bool
same_state(const nio_route *a, const nio_route *b)
{
    return a->extra == b->extra && a->flags == b->flags &&
           a->weight == b->weight && a->nexthop_id == b->nexthop_id &&
           a->scope == b->scope && a->preference == b->preference &&
           a->instances == b->instances &&
           (a->expires_s == NIO_INFINITE) == (b->expires_s == NIO_INFINITE);
}

/* Attributes that a message has once for all legs of the route. */
static inline bool
same_shared_attributes(const nio_route *a, const nio_route *b)
{
    return a->type == b->type && a->protocol == b->protocol &&
           a->extra == b->extra && a->preference == b->preference &&
           (a->expires_s == NIO_INFINITE) == (b->expires_s == NIO_INFINITE);
}

/* The record of a leg; NULL: there is none. */
static inline nio_route *
find_leg(const nio_store *routes, const nio_route *leg)
{
    nio_route *route = nio_store_first(routes, leg);
    while (route != NULL && !same_identity(route, leg)) {
        route = nio_store_next(routes, route);
    }
    return route;
}

/* Walk the records of a group: first, then next until NULL. The next one is
 * read before a record is removed. */
static inline nio_route *
first_of_group(const nio_store *routes, const nio_route *head)
{
    nio_route *route = nio_store_first(routes, head);
    while (route != NULL && !same_group(route, head)) {
        route = nio_store_next(routes, route);
    }
    return route;
}

static inline nio_route *
next_of_group(const nio_store *routes, const nio_route *head,
              const nio_route *route)
{
    nio_route *next = nio_store_next(routes, route);
    while (next != NULL && !same_group(next, head)) {
        next = nio_store_next(routes, next);
    }
    return next;
}

/* SPDX-License-Identifier: MIT */
/* The mirror's routes: see mirror.h. A kernel route is one record for each of
 * its live legs. Legs are found by their group: the kernel's routes with the
 * same (family, table, prefix, tos, priority), which is what a replacement
 * replaces one of. Where a message leaves open which one, or what else shares
 * an identity, the family is read again. */
#include "rtnetlink/mirror.h"

#include <assert.h>
#include <string.h>
#include <sys/socket.h>

/* On-link prefixes that every interface has: one group would hold them all,
 * so the interface is a part of their group (and a replacement is never
 * worked out, but read again). */
static bool
is_per_interface(const nio_route *route)
{
    return route->family == AF_INET6 &&
           (route->destination[0] == 0xff ||
            (route->destination[0] == 0xfe && route->destination[1] == 0x80));
}

static uint64_t
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
static bool
same_group(const nio_route *a, const nio_route *b)
{
    return memcmp(a->destination, b->destination, 16) == 0 &&
           a->table == b->table && a->priority == b->priority &&
           a->family == b->family && a->prefix_length == b->prefix_length &&
           a->tos == b->tos && (!is_per_interface(a) || a->oif == b->oif);
}

static bool
same_identity(const nio_route *a, const nio_route *b)
{
    return same_group(a, b) && a->oif == b->oif &&
           a->gateway_family == b->gateway_family &&
           memcmp(a->gateway, b->gateway, 16) == 0;
}

/* In what the kernel says once for all legs. */
static bool
same_words(const nio_route *a, const nio_route *b)
{
    return a->type == b->type && a->protocol == b->protocol &&
           memcmp(a->preferred_source, b->preferred_source, 16) == 0;
}

/* Equal in all that a subscriber can see, but for a lifetime that counts
 * down. */
static bool
same_state(const nio_route *a, const nio_route *b)
{
    return same_words(a, b) && a->flags == b->flags &&
           a->weight == b->weight && a->nexthop_id == b->nexthop_id &&
           (a->expires == NIO_INFINITE) == (b->expires == NIO_INFINITE);
}

static nio_route *
find(const nio_mirror *mirror, const nio_route *leg)
{
    nio_route *route = nio_store_first(&mirror->routes, leg);
    while (route != NULL && !same_identity(route, leg)) {
        route = nio_store_next(&mirror->routes, route);
    }
    return route;
}

static void
dirty(nio_mirror *mirror, uint8_t family)
{
    mirror->dirty.routes[NIO_FAMILY_BIT(family)] = true;
}

static void
notice(nio_mirror *mirror, const nio_route *route)
{
    mirror->derived |= route->prefix_length == 0;
}

static void
add(nio_mirror *mirror, const nio_route *leg)
{
    nio_route route = *leg;
    if (!nio_mirror_can_tell(mirror)) {
        return;
    }
    route.record.mark = mirror->mark;
    route.instances = 1;
    if (nio_store_add(&mirror->routes, &route) == NULL) {
        mirror->short_of_memory = true;
        return;
    }
    mirror->nexthop_users += route.nexthop_id != 0;
    notice(mirror, &route);
    nio_fanout_route(&mirror->fanout, NIO_CHANGE_ADD, &route);
}

static void
drop(nio_mirror *mirror, nio_route *route)
{
    if (!nio_mirror_can_tell(mirror)) {
        return;
    }
    mirror->nexthop_users -= route->nexthop_id != 0;
    notice(mirror, route);
    nio_fanout_route(&mirror->fanout, NIO_CHANGE_DELETE, route);
    nio_store_remove(&mirror->routes, route);
}

/* Give a known identity its new state. */
static void
update(nio_mirror *mirror, nio_route *route, const nio_route *leg)
{
    nio_route before = *route;
    if (!nio_mirror_can_tell(mirror)) {
        return;
    }
    mirror->nexthop_users -= route->nexthop_id != 0;
    mirror->nexthop_users += leg->nexthop_id != 0;
    *route = *leg;
    route->record = before.record;
    route->instances = before.instances;
    route->mixed = before.mixed;
    if (!same_state(&before, route)) {
        notice(mirror, route);
        nio_fanout_route_change(&mirror->fanout, &before, route);
    }
}

static bool
is_among(const nio_legs *legs, size_t count, const nio_route *route)
{
    for (size_t i = 0; i < count; i++) {
        if (same_identity(&legs->legs[i], route)) {
            return true;
        }
    }
    return false;
}

/* A replacement takes the place of one kernel route of its group. That is
 * certain where the group has one: as many legs as each of them says. */
static bool
is_single_route(const nio_mirror *mirror, const nio_route *head)
{
    size_t count = 0;
    bool even = true;
    uint8_t legs = 0;
    if (is_per_interface(head)) {
        return false;
    }
    for (nio_route *route = nio_store_first(&mirror->routes, head);
         route != NULL; route = nio_store_next(&mirror->routes, route)) {
        if (same_group(route, head)) {
            even = even && route->instances == 1 &&
                   (count == 0 || route->legs == legs);
            legs = route->legs;
            count++;
        }
    }
    return count == 0 || (even && count == legs);
}

/* Remove the legs of the group that the new route does not have. The kernel
 * tells of the new ones only. */
static void
drop_others(nio_mirror *mirror, const nio_legs *legs)
{
    uint8_t flags = mirror->fanout.flags;
    nio_route *next;
    mirror->fanout.flags |= NIO_FLAG_SYNTHESIZED;
    for (nio_route *route = nio_store_first(&mirror->routes, &legs->head);
         route != NULL; route = next) {
        next = nio_store_next(&mirror->routes, route);
        if (same_group(route, &legs->head) &&
            !is_among(legs, legs->count, route)) {
            drop(mirror, route);
        }
    }
    mirror->fanout.flags = flags;
}

/* The legs of an IPv6 set may differ in what is said once for all of them: in
 * a dump that is the first leg's, in a message the new leg's. Then only a
 * reading tells, now and whenever a leg goes. */
static void
mark_mixed(nio_mirror *mirror, const nio_route *head)
{
    for (nio_route *route = nio_store_first(&mirror->routes, head);
         route != NULL; route = nio_store_next(&mirror->routes, route)) {
        route->mixed |= same_group(route, head);
    }
    dirty(mirror, head->family);
}

static bool
is_mixed(const nio_mirror *mirror, const nio_legs *legs)
{
    const bool set = legs->count > 1 && legs->head.family == AF_INET6;
    bool mixed = false;
    for (size_t i = 0; set && !mixed && i < legs->count; i++) {
        const nio_route *route = find(mirror, &legs->legs[i]);
        mixed = route != NULL && !same_words(route, &legs->legs[i]);
    }
    return mixed;
}

/* One leg of a route that was not a replacement. */
static void
put_leg(nio_mirror *mirror, const nio_route *leg, bool exclusive)
{
    nio_route *route = find(mirror, leg);
    if (route == NULL) {
        add(mirror, leg);
    } else if (exclusive ||
               (leg->family == AF_INET6 && route->instances == 1 &&
                leg->nexthop_id == route->nexthop_id)) {
        route->instances = 1;
        update(mirror, route, leg);
    } else {
        /* IPv4 allows a second route of the same identity, which may differ
         * in what we do not even decode, and IPv6 one beside another nexthop
         * object's: count them in a dump. */
        dirty(mirror, leg->family);
    }
}

/* Dead legs are no rows; that there are some is worth remembering. */
static void
notice_dead(nio_mirror *mirror, const nio_legs *legs)
{
    mirror->dead_legs[NIO_FAMILY_BIT(legs->head.family)] |= legs->dead > 0;
}

void
nio_mirror_new_route(nio_mirror *mirror, const nio_legs *legs, unsigned flags)
{
    notice_dead(mirror, legs);
    bool replace = (flags & NLM_F_REPLACE) != 0;
    /* A dead route is no row here, but may be the one that is replaced. */
    bool certain = replace && is_single_route(mirror, &legs->head) &&
                   !mirror->dead_legs[NIO_FAMILY_BIT(legs->head.family)];
    if (replace && !certain) {
        dirty(mirror, legs->head.family);
    }
    if (!replace && is_mixed(mirror, legs)) {
        mark_mixed(mirror, &legs->head);
        return; /* the reading adds the new leg, too */
    }
    for (size_t i = 0; i < legs->count; i++) {
        const nio_route *leg = &legs->legs[i];
        nio_route *route = certain ? find(mirror, leg) : NULL;
        if (is_among(legs, i, leg)) {
            dirty(mirror, leg->family); /* twice: a dump counts them */
        } else if (route != NULL) {
            update(mirror, route, leg);
        } else {
            put_leg(mirror, leg, (flags & NLM_F_EXCL) != 0);
        }
    }
    if (certain) {
        drop_others(mirror, legs);
    }
}

/* One kernel route of this identity is gone. */
static void
drop_instance(nio_mirror *mirror, nio_route *route)
{
    if (route->mixed) {
        mark_mixed(mirror, route);
    }
    if (route->instances > 1) {
        dirty(mirror, route->family); /* which one stays? */
    } else {
        drop(mirror, route);
    }
}

/* A route through a nexthop object goes with all its legs, whatever they are
 * by now. */
static void
drop_users(nio_mirror *mirror, const nio_route *head)
{
    nio_route *next;
    for (nio_route *route = nio_store_first(&mirror->routes, head);
         route != NULL; route = next) {
        next = nio_store_next(&mirror->routes, route);
        if (same_group(route, head) && route->nexthop_id == head->nexthop_id) {
            drop_instance(mirror, route);
        }
    }
}

/* The last leg of an IPv6 set is a plain route again, which has no weight. */
static void
settle_weight(nio_mirror *mirror, const nio_route *head)
{
    nio_route *only = NULL;
    for (nio_route *route = nio_store_first(&mirror->routes, head);
         route != NULL; route = nio_store_next(&mirror->routes, route)) {
        if (same_group(route, head)) {
            if (only != NULL) {
                return;
            }
            only = route;
        }
    }
    if (only == NULL || only->weight == 1 || only->nexthop_id != 0) {
        return;
    }
    if (mirror->dead_legs[NIO_FAMILY_BIT(AF_INET6)]) {
        dirty(mirror, AF_INET6); /* a dead leg may be left of the set */
    } else if (nio_mirror_can_tell(mirror)) {
        only->weight = 1;
        nio_fanout_route(&mirror->fanout, NIO_CHANGE_PARAMETER, only);
    }
}

void
nio_mirror_del_route(nio_mirror *mirror, const nio_legs *legs)
{
    if (legs->head.nexthop_id != 0 && !is_per_interface(&legs->head)) {
        drop_users(mirror, &legs->head);
        return;
    }
    for (size_t i = 0; i < legs->count + legs->dead; i++) {
        nio_route *route = find(mirror, &legs->legs[i]);
        if (route != NULL) { /* else a reading of the tables knew it already */
            drop_instance(mirror, route);
        }
    }
    if (legs->head.family == AF_INET6) {
        settle_weight(mirror, &legs->head);
    }
}

void
nio_mirror_saw_route(nio_mirror *mirror, const nio_legs *legs)
{
    notice_dead(mirror, legs);
    for (size_t i = 0; i < legs->count; i++) {
        const nio_route *leg = &legs->legs[i];
        nio_route *route = find(mirror, leg);
        if (route == NULL) {
            add(mirror, leg);
        } else if (route->record.mark == mirror->mark) {
            if (route->instances < UINT8_MAX) {
                route->instances++;
            }
        } else {
            route->record.mark = mirror->mark;
            route->instances = 1;
            update(mirror, route, leg);
        }
    }
}

void
nio_mirror_sweep_routes(nio_mirror *mirror, uint8_t family, uint32_t since)
{
    uint32_t cursor = 0;
    nio_route *route;
    while (!mirror->short_of_memory &&
           (route = nio_store_each(&mirror->routes, &cursor)) != NULL) {
        if (route->family == family &&
            (int32_t)(route->record.mark - since) < 0) {
            drop(mirror, route);
        }
    }
}

void
nio_mirror_init_routes(nio_mirror *mirror)
{
    nio_store_init(&mirror->routes, sizeof(nio_route), route_hash);
}

/* SPDX-License-Identifier: MIT */
/* The mirror's routes: see mirror.h. A kernel route is one record for each of
 * its live legs. Legs are found by their group: the kernel's routes with the
 * same (family, table, prefix, tos, priority), which is what a replacement
 * replaces one of. Where a message leaves open which one, or what else shares
 * an identity, the family is read again. */
#include "rtnetlink/mirror/mirror.h"
#include "rtnetlink/mirror/route_identity.h"

#include <string.h>
#include <sys/socket.h>

static nio_route *
find(const nio_mirror *mirror, const nio_route *leg)
{
    nio_route *route = nio_store_first(&mirror->routes, leg);
    while (route != NULL && !same_identity(route, leg)) {
        route = nio_store_next(&mirror->routes, route);
    }
    return route;
}

/* The routes of a group, one after the other; NULL: no more. */
static nio_route *
this_or_next(const nio_mirror *mirror, const nio_route *head, nio_route *route)
{
    while (route != NULL && !same_group(route, head)) {
        route = nio_store_next(&mirror->routes, route);
    }
    return route;
}

static nio_route *
first_of(const nio_mirror *mirror, const nio_route *head)
{
    return this_or_next(mirror, head, nio_store_first(&mirror->routes, head));
}

static nio_route *
next_of(const nio_mirror *mirror, const nio_route *head, nio_route *route)
{
    return this_or_next(mirror, head, nio_store_next(&mirror->routes, route));
}

static void
dirty(nio_mirror *mirror, uint8_t family)
{
    mirror->dirty.routes[NIO_FAMILY_BIT(family)] = true;
}

static void
notice(nio_mirror *mirror, const nio_route *route)
{
    mirror->derived_dirty |= route->prefix_length == 0;
    mirror->has_expiring |= route->family == AF_INET6 &&
                            route->protocol == RTPROT_KERNEL &&
                            route->expires != NIO_INFINITE;
}

static void
add(nio_mirror *mirror, const nio_route *leg)
{
    nio_route route = *leg;
    if (!nio_mirror_reserve(mirror)) {
        return;
    }
    route.record.mark = mirror->mark;
    route.instances = 1;
    if (nio_store_add(&mirror->routes, &route) == NULL) {
        mirror->allocation_failed = true;
        return;
    }
    mirror->nexthop_users += route.nexthop_id != 0;
    notice(mirror, &route);
    nio_fanout_route(&mirror->fanout, NIO_CHANGE_ADD, &route);
}

static void
drop(nio_mirror *mirror, nio_route *route)
{
    if (!nio_mirror_reserve(mirror)) {
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
    if (!nio_mirror_reserve(mirror)) {
        return;
    }
    mirror->nexthop_users -= route->nexthop_id != 0;
    mirror->nexthop_users += leg->nexthop_id != 0;
    *route = *leg;
    route->record = before.record;
    route->instances = before.instances;
    route->ambiguous_in_replay = before.ambiguous_in_replay;
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

static bool
is_unsure(const nio_mirror *mirror, const nio_route *route)
{
    return mirror->replaying && route->ambiguous_in_replay == mirror->replay;
}

/* A replacement takes the place of one kernel route of its group. That is
 * certain where the group has one: as many legs as each of them says. (A
 * reading that has seen the new route, and no other, leaves nothing to drop.)
 */
static bool
is_single_route(const nio_mirror *mirror, const nio_legs *replacement)
{
    const nio_route *head = &replacement->head;
    size_t count = 0;
    bool even = true;
    uint8_t legs = 0;
    if (is_per_interface(head)) {
        return false;
    }
    for (nio_route *route = first_of(mirror, head); route != NULL;
         route = next_of(mirror, head, route)) {
        even = even && route->instances == 1 &&
               (!is_unsure(mirror, route) ||
                is_among(replacement, replacement->count, route)) &&
               (count == 0 || route->legs == legs);
        legs = route->legs;
        count++;
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
    for (nio_route *route = first_of(mirror, &legs->head); route != NULL;
         route = next) {
        next = next_of(mirror, &legs->head, route);
        if (!is_among(legs, legs->count, route)) {
            drop(mirror, route);
        }
    }
    mirror->fanout.flags = flags;
}

/* The legs of an IPv6 set may differ in what is said once for all of them: in
 * a dump that is the first leg's, in a message the new leg's. Then only a
 * reading tells. */
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

/* Is this message of a route that is known by this identity, or of another one
 * beside it? IPv4 allows that (it may differ in what we do not even decode),
 * and IPv6 does beside a nexthop object's route, or without a gateway, where
 * it makes no set of them. What a reading has seen already is told again. */
static bool
is_the_same(const nio_mirror *mirror, const nio_route *route,
            const nio_legs *legs, unsigned flags)
{
    const nio_route *head = &legs->head;
    bool again = mirror->replaying && !(flags & NLM_F_APPEND);
    return (flags & NLM_F_EXCL) ||
           (head->family == AF_INET6 && route->instances == 1 &&
            head->nexthop_id == route->nexthop_id &&
            (legs->count + legs->dead > 1 || again ||
             head->gateway_family != AF_UNSPEC));
}

static void
count_instance(nio_mirror *mirror, nio_route *route)
{
    if (route->instances < UINT8_MAX) {
        route->instances++;
    }
    mirror->has_duplicates = true;
}

/* One leg of a route that was not a replacement. */
static void
put_leg(nio_mirror *mirror, const nio_route *leg, const nio_legs *legs,
        unsigned flags)
{
    nio_route *route = find(mirror, leg);
    if (route == NULL) {
        add(mirror, leg);
    } else if (is_the_same(mirror, route, legs, flags)) {
        route->instances = 1;
        update(mirror, route, leg);
    } else {
        count_instance(mirror, route);
        dirty(mirror, leg->family); /* a dump counts them */
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
    bool certain = replace && is_single_route(mirror, legs) &&
                   !mirror->dead_legs[NIO_FAMILY_BIT(legs->head.family)];
    if (replace && !certain) {
        dirty(mirror, legs->head.family);
    }
    if (!replace && is_mixed(mirror, legs)) {
        dirty(mirror, legs->head.family);
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
            put_leg(mirror, leg, legs, flags);
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
    if (route->instances > 1 || is_unsure(mirror, route)) {
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
    for (nio_route *route = first_of(mirror, head); route != NULL;
         route = next) {
        next = next_of(mirror, head, route);
        if (route->nexthop_id == head->nexthop_id) {
            drop_instance(mirror, route);
        }
    }
}

void
nio_mirror_del_route(nio_mirror *mirror, const nio_legs *legs)
{
    const nio_route *head = &legs->head;
    if (head->nexthop_id != 0 && !is_per_interface(head)) {
        drop_users(mirror, head);
    } else {
        for (size_t i = 0; i < legs->count + legs->dead; i++) {
            nio_route *route = find(mirror, &legs->legs[i]);
            if (route != NULL) { /* else a reading knew it already */
                drop_instance(mirror, route);
            }
        }
    }
    if (head->family == AF_INET6 && first_of(mirror, head) != NULL) {
        /* What is left of a set may say something else now: its last leg has
         * no weight, another first one has its own protocol. And what lay
         * between two legs, hidden from the kernel's own dump, may be seen. */
        dirty(mirror, AF_INET6);
    }
}

void
nio_mirror_dumped_route(nio_mirror *mirror, const nio_legs *legs)
{
    notice_dead(mirror, legs);
    for (size_t i = 0; i < legs->count; i++) {
        const nio_route *leg = &legs->legs[i];
        nio_route *route = find(mirror, leg);
        if (route == NULL) {
            add(mirror, leg);
        } else if (route->record.mark == mirror->mark) {
            count_instance(mirror, route);
        } else {
            route->record.mark = mirror->mark;
            if (route->instances > 1) {
                route->ambiguous_in_replay = mirror->replay;
            }
            route->instances = 1;
            update(mirror, route, leg);
        }
    }
}

/* One of their group is gone: when, between the messages that are still to
 * come, nobody knows. */
static void
doubt_group(nio_mirror *mirror, const nio_route *gone)
{
    for (nio_route *route = first_of(mirror, gone); route != NULL;
         route = next_of(mirror, gone, route)) {
        route->ambiguous_in_replay = mirror->replay;
    }
}

void
nio_mirror_sweep_routes(nio_mirror *mirror, uint8_t family, uint32_t since)
{
    uint32_t cursor = 0;
    nio_route *route;
    while (!mirror->allocation_failed &&
           (route = nio_store_each(&mirror->routes, &cursor)) != NULL) {
        if (route->family == family &&
            (int32_t)(route->record.mark - since) < 0) {
            doubt_group(mirror, route);
            drop(mirror, route);
        }
    }
}

void
nio_mirror_init_routes(nio_mirror *mirror)
{
    nio_store_init(&mirror->routes, sizeof(nio_route), route_hash);
}

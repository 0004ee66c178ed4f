/* SPDX-License-Identifier: MIT */
/* What a route message, or a row of a dump, does to the mirror's routes.
 *
 * A kernel route has one record for each leg that is not dead. The group of a
 * record is (family, table, prefix, TOS, priority); its identity is the group,
 * the interface and the gateway. A message does not say which route of the
 * group it replaces, and where several kernel routes share an identity
 * (`instances`) it does not say which of them it means. Then nothing is
 * guessed: the family becomes dirty, and a dump decides. For each leg:
 *
 *   RTM_NEWROUTE with NLM_F_REPLACE
 *     the group is one kernel route        add or update; drop all other legs
 *     it may be several                    as without NLM_F_REPLACE, and dirty
 *   RTM_NEWROUTE without it
 *     IPv6 legs of unequal attributes      dirty, nothing else
 *     the leg is unknown                   add
 *     known, of the same kernel route      update
 *     known, of another kernel route       count an instance, and dirty
 *     listed twice in one message          dirty
 *   RTM_DELROUTE
 *     through a nexthop object             all legs of that object, as below
 *     the leg is unknown                   nothing: a dump has removed it
 *     known, and certainly the only one    drop
 *     known, maybe one of several          dirty
 *     IPv6, and the group has legs left    dirty as well
 *   a row of a dump
 *     the leg is unknown                   add
 *     known, first time in this dump       update, with one instance
 *     known, again in this dump            count an instance
 *   the end of a dump
 *     the record was not in it             drop; its group becomes ambiguous
 */
#include "rtnetlink/mirror/mirror.h"

#include "rtnetlink/mirror/route_identity.h"

/* ---- records */

/* Note what other parts depend on: default routes for the hint, and kernel
 * routes of IPv6 prefixes that expire for addresses.c. */
static void
note_change(nio_mirror *mirror, const nio_route *route)
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
    route.record.generation = mirror->generation;
    route.instances = 1;
    if (nio_store_add(&mirror->routes, &route) == NULL) {
        mirror->allocation_failed = true;
        return;
    }
    mirror->nexthop_users += route.nexthop_id != 0;
    note_change(mirror, &route);
    nio_fanout_route(&mirror->fanout, NIO_CHANGE_ADD, &route);
}

static void
drop(nio_mirror *mirror, nio_route *route)
{
    if (!nio_mirror_reserve(mirror)) {
        return;
    }
    mirror->nexthop_users -= route->nexthop_id != 0;
    note_change(mirror, route);
    nio_fanout_route(&mirror->fanout, NIO_CHANGE_DELETE, route);
    nio_store_remove(&mirror->routes, route);
}

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
        note_change(mirror, route);
        nio_fanout_route_change(&mirror->fanout, &before, route);
    }
}

static void
count_instance(nio_mirror *mirror, nio_route *route)
{
    if (route->instances < UINT8_MAX) {
        route->instances++;
    }
    mirror->has_duplicates = true;
}

static void
dirty(nio_mirror *mirror, uint8_t family)
{
    mirror->dirty.routes[NIO_FAMILY_BIT(family)] = true;
}

/* A dead leg has no record, but it may come alive without a message, and its
 * route may be the one that is replaced. */
static void
note_dead_legs(nio_mirror *mirror, const nio_legs *legs)
{
    mirror->dead_legs[NIO_FAMILY_BIT(legs->head.family)] |= legs->dead > 0;
}

/* Is the route one of the first `count` legs? */
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

/* The last dump found fewer kernel routes here than were known. A message that
 * is replayed now may mean one that is already gone. */
static bool
is_ambiguous(const nio_mirror *mirror, const nio_route *route)
{
    return mirror->replaying && route->ambiguous_in_replay == mirror->replay;
}

/* ---- RTM_NEWROUTE with NLM_F_REPLACE */

/* Does the group consist of one kernel route, so that it is certain what is
 * replaced? Then it has as many records as each of them says that its route
 * has legs. That is unknown where an identity has several instances, and where
 * routes have dead legs, which have no records. An ambiguous record does no
 * harm if the new route has its leg: a dump that has already seen the new
 * route, and no other, leaves nothing to drop. */
static bool
group_is_one_route(const nio_mirror *mirror, const nio_legs *legs)
{
    const nio_route *head = &legs->head;
    size_t count = 0;
    uint8_t route_legs = 0;
    if (is_per_interface(head) ||
        mirror->dead_legs[NIO_FAMILY_BIT(head->family)]) {
        return false;
    }
    for (nio_route *route = first_of_group(&mirror->routes, head);
         route != NULL; route = next_of_group(&mirror->routes, head, route)) {
        if (route->instances > 1 || (count > 0 && route->legs != route_legs) ||
            (is_ambiguous(mirror, route) &&
             !is_among(legs, legs->count, route))) {
            return false;
        }
        route_legs = route->legs;
        count++;
    }
    return count == route_legs;
}

/* The kernel sends RTM_NEWROUTE for the new legs only: it is silent about
 * those of the old route that the new one does not have. */
static void
drop_other_legs(nio_mirror *mirror, const nio_legs *legs)
{
    uint8_t flags = mirror->fanout.flags;
    nio_route *next;
    mirror->fanout.flags |= NIO_FLAG_SYNTHESIZED;
    for (nio_route *route = first_of_group(&mirror->routes, &legs->head);
         route != NULL; route = next) {
        next = next_of_group(&mirror->routes, &legs->head, route);
        if (!is_among(legs, legs->count, route)) {
            drop(mirror, route);
        }
    }
    mirror->fanout.flags = flags;
}

static void
replace_group(nio_mirror *mirror, const nio_legs *legs)
{
    for (size_t i = 0; i < legs->count; i++) {
        const nio_route *leg = &legs->legs[i];
        nio_route *route = find_leg(&mirror->routes, leg);
        if (is_among(legs, i, leg)) {
            dirty(mirror, leg->family); /* the same leg twice */
        } else if (route != NULL) {
            update(mirror, route, leg);
        } else {
            add(mirror, leg);
        }
    }
    drop_other_legs(mirror, legs);
}

/* ---- RTM_NEWROUTE without it, or of a group of several routes */

/* Legs of an IPv6 set may differ in attributes that a message has only once:
 * there they are the new leg's, in a dump they are the first leg's. */
static bool
has_unequal_attributes(const nio_mirror *mirror, const nio_legs *legs)
{
    if (legs->head.family != AF_INET6 || legs->count < 2) {
        return false;
    }
    for (size_t i = 0; i < legs->count; i++) {
        const nio_route *route = find_leg(&mirror->routes, &legs->legs[i]);
        if (route != NULL && !same_shared_attributes(route, &legs->legs[i])) {
            return true;
        }
    }
    return false;
}

/* Is this message about the kernel route of this record, or about another one
 * with the same identity?
 *
 * With NLM_F_EXCL the group was empty before: the record is left over from a
 * route that was removed without a message. Otherwise IPv4 may have another
 * route, which need not differ in anything that is decoded. IPv6 may, too,
 * beside a route through a nexthop object, and for a route without a gateway;
 * all other routes of a group it merges into one set, in which a leg is unique
 * and whose message lists all legs. But a replayed message may be about a
 * route that the last dump has shown already. */
static bool
is_same_route(const nio_mirror *mirror, const nio_route *route,
              const nio_legs *legs, unsigned flags)
{
    const nio_route *head = &legs->head;
    if (flags & NLM_F_EXCL) {
        return true;
    }
    if (head->family != AF_INET6 || route->instances != 1 ||
        route->nexthop_id != head->nexthop_id) {
        return false;
    }
    bool is_set = legs->count + legs->dead > 1;
    bool may_be_repeated = mirror->replaying && !(flags & NLM_F_APPEND);
    return is_set || may_be_repeated || head->gateway_family != AF_UNSPEC;
}

static void
put_legs(nio_mirror *mirror, const nio_legs *legs, unsigned flags)
{
    for (size_t i = 0; i < legs->count; i++) {
        const nio_route *leg = &legs->legs[i];
        nio_route *route = find_leg(&mirror->routes, leg);
        if (is_among(legs, i, leg)) {
            dirty(mirror, leg->family); /* the same leg twice */
        } else if (route == NULL) {
            add(mirror, leg);
        } else if (is_same_route(mirror, route, legs, flags)) {
            route->instances = 1;
            update(mirror, route, leg);
        } else {
            count_instance(mirror, route);
            dirty(mirror, leg->family);
        }
    }
}

void
nio_mirror_new_route(nio_mirror *mirror, const nio_legs *legs, unsigned flags)
{
    note_dead_legs(mirror, legs);
    if ((flags & NLM_F_REPLACE) && group_is_one_route(mirror, legs)) {
        replace_group(mirror, legs);
    } else if (flags & NLM_F_REPLACE) {
        dirty(mirror, legs->head.family);
        put_legs(mirror, legs, flags);
    } else if (has_unequal_attributes(mirror, legs)) {
        dirty(mirror, legs->head.family); /* the dump adds the new leg, too */
    } else {
        put_legs(mirror, legs, flags);
    }
}

/* ---- RTM_DELROUTE */

/* One kernel route of this identity is gone. If there were several it is not
 * known which one stays. */
static void
drop_instance(nio_mirror *mirror, nio_route *route)
{
    if (route->instances > 1 || is_ambiguous(mirror, route)) {
        dirty(mirror, route->family);
    } else {
        drop(mirror, route);
    }
}

/* A route through a nexthop object goes with all legs that it had when it was
 * recorded: the object, and so the message, may have others by now. */
static void
drop_legs_of_nexthop(nio_mirror *mirror, const nio_route *head)
{
    nio_route *next;
    for (nio_route *route = first_of_group(&mirror->routes, head);
         route != NULL; route = next) {
        next = next_of_group(&mirror->routes, head, route);
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
        drop_legs_of_nexthop(mirror, head);
    } else {
        for (size_t i = 0; i < legs->count + legs->dead; i++) {
            nio_route *route = find_leg(&mirror->routes, &legs->legs[i]);
            if (route != NULL) {
                drop_instance(mirror, route);
            }
        }
    }
    if (head->family == AF_INET6 &&
        first_of_group(&mirror->routes, head) != NULL) {
        /* The rest of a set may show other attributes now: a last leg has no
         * weight, another first leg has its own protocol. And a route that
         * the kernel's dump left out, between two legs, may be shown. */
        dirty(mirror, AF_INET6);
    }
}

void
nio_mirror_dumped_route(nio_mirror *mirror, const nio_legs *legs)
{
    note_dead_legs(mirror, legs);
    for (size_t i = 0; i < legs->count; i++) {
        const nio_route *leg = &legs->legs[i];
        nio_route *route = find_leg(&mirror->routes, leg);
        if (route == NULL) {
            add(mirror, leg);
        } else if (route->record.generation == mirror->generation) {
            count_instance(mirror, route);
        } else {
            route->record.generation = mirror->generation;
            if (route->instances > 1) {
                route->ambiguous_in_replay = mirror->replay;
            }
            route->instances = 1;
            update(mirror, route, leg);
        }
    }
}

/* A route of the group is gone; messages still to be applied may be older. */
static void
mark_group_ambiguous(nio_mirror *mirror, const nio_route *gone)
{
    for (nio_route *route = first_of_group(&mirror->routes, gone);
         route != NULL; route = next_of_group(&mirror->routes, gone, route)) {
        route->ambiguous_in_replay = mirror->replay;
    }
}

void
nio_mirror_announced_deletion(nio_mirror *mirror, const nio_legs *legs)
{
    for (size_t i = 0; i < legs->count + legs->dead; i++) {
        nio_route *route = find_leg(&mirror->routes, &legs->legs[i]);
        if (route != NULL) {
            route->record.generation = mirror->generation;
        }
    }
}

void
nio_mirror_sweep_routes(nio_mirror *mirror, uint8_t family,
                        const nio_gaps *open_gaps)
{
    uint32_t cursor = 0;
    nio_route *route;
    while (!mirror->allocation_failed &&
           (route = nio_store_each(&mirror->routes, &cursor)) != NULL) {
        if (route->family == family &&
            route->record.generation != mirror->generation &&
            !nio_gaps_contain(open_gaps, route)) {
            mark_group_ambiguous(mirror, route);
            drop(mirror, route);
        }
    }
}

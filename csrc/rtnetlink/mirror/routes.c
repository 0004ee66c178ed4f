/* SPDX-License-Identifier: MIT */
/* What a route message does to the mirror's routes.
 *
 * A kernel route has one record for each leg that is not dead. The group of a
 * record is (family, table, prefix, source prefix, TOS, priority); its
 * identity is the group, the interface, the gateway, the type, the protocol
 * and the encapsulation. A message does not say which route of the group it
 * replaces, and where several kernel routes share an identity (`instances`) it
 * does not say which of them it means. Then nothing is guessed: the family
 * becomes dirty, and a dump decides (dumped_routes.c). For each leg:
 *
 *   RTM_NEWROUTE with NLM_F_REPLACE
 *     it certainly replaces the group      drop its other legs; add or update
 *     it may replace a part, or another    add, held if unknown; dirty
 *     one leg replaces an IPv6 set         dirty as well
 *   RTM_NEWROUTE without it
 *     with NLM_F_EXCL                      the group was empty: drop the rest
 *     IPv6 legs of unequal attributes      dirty, nothing else
 *     the leg is unknown                   add
 *     known, of the same kernel route      update
 *     known, of another kernel route       doubtful, and dirty
 *     listed twice in one message          dirty
 *   RTM_DELROUTE
 *     through a nexthop object             all legs of that object, as below
 *     the leg is unknown                   nothing: a dump has removed it
 *     known, and certainly the only one    drop
 *     known, maybe one of several          doubtful, and dirty
 *     an IPv6 set as a whole               dirty as well
 *     IPv6, and the group has legs left    dirty as well
 */
#include "rtnetlink/mirror/route_records.h"

#include "rtnetlink/mirror/route_identity.h"
#include "rtnetlink/mirror/route_replacement.h"

/* ---- RTM_NEWROUTE with NLM_F_REPLACE */

/* The kernel sends RTM_NEWROUTE for the new legs only: it is silent about
 * those of the group that are gone. */
static void
drop_other_legs(nio_mirror *mirror, const nio_legs *legs)
{
    const uint8_t flags = mirror->fanout.flags;
    nio_route *next;
    mirror->fanout.flags |= NIO_FLAG_SYNTHESIZED;
    for (nio_route *route = first_of_group(&mirror->routes, &legs->head);
         route != NULL; route = next) {
        next = next_of_group(&mirror->routes, &legs->head, route);
        if (!is_among(legs, legs->count, route)) {
            nio_route_drop(mirror, route);
        }
    }
    mirror->fanout.flags = flags;
}

/* Takes the new state of a record, of which a message says that it exists. */
static void
confirm(nio_mirror *mirror, nio_route *route, const nio_route *leg)
{
    nio_route_update(mirror, route, leg);
    if (route->is_held) {
        nio_route_report(mirror, route);
    }
    if (route->instances != 1) {
        nio_route_recount(mirror, route, 1);
    }
}

static void
replace_group(nio_mirror *mirror, const nio_legs *legs)
{
    drop_other_legs(mirror, legs);
    for (size_t i = 0; i < legs->count; i++) {
        const nio_route *leg = &legs->legs[i];
        nio_route *route = find_leg(&mirror->routes, leg);
        if (is_among(legs, i, leg)) {
            nio_route_dirty(mirror, leg->family); /* the same leg twice */
        } else if (route != NULL) {
            confirm(mirror, route, leg);
        } else {
            (void)nio_route_add(mirror, leg, false);
        }
    }
}

/* A dump decides what was replaced, and then reports the new legs. */
static void
hold_legs(nio_mirror *mirror, const nio_legs *legs)
{
    nio_route_dirty(mirror, legs->head.family);
    for (size_t i = 0; i < legs->count; i++) {
        const nio_route *leg = &legs->legs[i];
        nio_route *route = find_leg(&mirror->routes, leg);
        if (route == NULL) {
            route = nio_route_add(mirror, leg, true);
        }
        if (route != NULL) {
            nio_route_doubt(mirror, route);
        }
    }
}

/* ---- RTM_NEWROUTE without it, or of a group of several routes */

/* The record of a leg, whatever its type and protocol; NULL: there is none. */
static const nio_route *
find_hop(const nio_mirror *mirror, const nio_route *leg)
{
    const nio_route *route = first_of_group(&mirror->routes, leg);
    while (route != NULL && !same_hop(route, leg)) {
        route = next_of_group(&mirror->routes, leg, route);
    }
    return route;
}

/* Legs of an IPv6 set may differ in attributes that a message has only once:
 * there they are the new leg's, in a dump they are the first leg's. */
static bool
has_unequal_attributes(const nio_mirror *mirror, const nio_legs *legs)
{
    if (legs->head.family != AF_INET6 || legs->count < 2) {
        return false;
    }
    for (size_t i = 0; i < legs->count; i++) {
        const nio_route *route = find_hop(mirror, &legs->legs[i]);
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
        route->is_doubtful || route->nexthop_id != head->nexthop_id) {
        return false;
    }
    bool may_be_repeated = mirror->replaying && !(flags & NLM_F_APPEND);
    return legs->count + legs->dead > 1 || may_be_repeated ||
           head->gateway_family != AF_UNSPEC;
}

/* `is_empty`: the mirror has no record of the group, so none is searched. */
static void
put_legs(nio_mirror *mirror, const nio_legs *legs, unsigned flags,
         bool is_empty)
{
    for (size_t i = 0; i < legs->count; i++) {
        const nio_route *leg = &legs->legs[i];
        nio_route *route = is_empty ? NULL : find_leg(&mirror->routes, leg);
        if (is_among(legs, i, leg)) {
            nio_route_dirty(mirror, leg->family); /* the same leg twice */
        } else if (route == NULL) {
            (void)nio_route_add(mirror, leg, false);
        } else if (is_same_route(mirror, route, legs, flags)) {
            confirm(mirror, route, leg);
        } else {
            nio_route_doubt(mirror, route);
        }
    }
}

static void
doubt_group(nio_mirror *mirror, const nio_route *head)
{
    nio_route_dirty(mirror, head->family);
    for (nio_route *route = first_of_group(&mirror->routes, head);
         route != NULL; route = next_of_group(&mirror->routes, head, route)) {
        nio_route_doubt(mirror, route);
    }
}

void
nio_mirror_new_route(nio_mirror *mirror, const nio_legs *legs, unsigned flags)
{
    const uint8_t family = legs->head.family;
    nio_route_note_dead_legs(mirror, legs);
    if ((flags & NLM_F_REPLACE) &&
        mirror->unreadable[NIO_FAMILY_BIT(family)]) {
        nio_route_dirty(mirror, family); /* perhaps all is readable again */
    }
    if ((flags & NLM_F_REPLACE) && nio_replaces_group(mirror, legs)) {
        if (nio_replacement_uncovers(mirror, legs)) {
            nio_route_dirty(mirror, AF_INET6);
        }
        replace_group(mirror, legs);
    } else if (flags & NLM_F_REPLACE) {
        hold_legs(mirror, legs);
    } else if (has_unequal_attributes(mirror, legs)) {
        doubt_group(mirror, &legs->head); /* the dump adds the new leg, too */
    } else {
        const bool was_empty = (flags & NLM_F_EXCL) && !mirror->replaying;
        const bool is_empty =
            was_empty && first_of_group(&mirror->routes, &legs->head) == NULL;
        if (was_empty && !is_empty) {
            drop_other_legs(mirror, legs);
        }
        put_legs(mirror, legs, flags, is_empty);
    }
}

/* ---- RTM_DELROUTE */

/* One kernel route of this identity is gone. If there were several it is not
 * known which one stays. */
static void
drop_instance(nio_mirror *mirror, nio_route *route)
{
    if (route->instances > 1 || route->is_doubtful ||
        is_ambiguous(mirror, route)) {
        nio_route_doubt(mirror, route);
    } else {
        nio_route_drop(mirror, route);
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
        /* Of routes that share an identity one is recorded: another one may
         * be the user of the object. */
        if (route->protocol == head->protocol &&
            (route->nexthop_id == head->nexthop_id || route->instances > 1)) {
            drop_instance(mirror, route);
        }
    }
}

/* What was held because of the deleted routes of its group is held no more. */
static void
report_held(nio_mirror *mirror, const nio_route *head)
{
    nio_route *route =
        mirror->has_held ? first_of_group(&mirror->routes, head) : NULL;
    for (; route != NULL;
         route = next_of_group(&mirror->routes, head, route)) {
        if (route->is_held && !route->is_doubtful) {
            nio_route_report(mirror, route);
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
    report_held(mirror, head);
    if (mirror->unreadable[NIO_FAMILY_BIT(head->family)] > 0) {
        nio_route_dirty(mirror, head->family);
    }
    if (head->family == AF_INET6 &&
        (is_set(head, legs->count + legs->dead) ||
         first_of_group(&mirror->routes, head) != NULL)) {
        /* The rest of a set may show other attributes now: a last leg has no
         * weight, another first leg has its own protocol. And a route that
         * the kernel's dump left out, between two legs, may be shown. */
        nio_route_dirty(mirror, AF_INET6);
    }
}

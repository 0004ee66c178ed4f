/* SPDX-License-Identifier: MIT */
/* One record of a route: see route_records.h. The memory for the reports is
 * reserved before a record changes; without it everything is read again. */
#include "rtnetlink/mirror/route_records.h"

#include "rtnetlink/mirror/route_identity.h"

/* Note what other parts depend on: default routes for the hint, and kernel
 * routes of IPv6 prefixes that expire for addresses.c. */
static void
note_change(nio_mirror *mirror, const nio_route *route)
{
    mirror->derived_dirty |= route->prefix_length == 0;
    mirror->has_expiring |= route->family == AF_INET6 &&
                            route->protocol == RTPROT_KERNEL &&
                            route->expires_s != NIO_INFINITE;
}

nio_route *
nio_route_add(nio_mirror *mirror, const nio_route *leg, bool is_held)
{
    nio_route route = *leg;
    if (!nio_mirror_reserve(mirror)) {
        return NULL;
    }
    route.record.generation = mirror->generation;
    route.instances = 1;
    route.seen = 1;
    route.ambiguous_in_replay = 0;
    route.is_held = is_held;
    route.is_doubtful = false;
    route.is_announced = false;
    nio_route *added = nio_store_add(&mirror->routes, &route);
    if (added == NULL) {
        mirror->allocation_failed = true;
        return NULL;
    }
    (void)nio_extra_pool_use(route.extra);
    mirror->nexthop_users += route.nexthop_id != 0;
    mirror->has_held |= is_held;
    mirror->has_many_legs |= route.legs == UINT8_MAX;
    note_change(mirror, &route);
    if (!is_held) {
        nio_fanout_route(&mirror->fanout, NIO_CHANGE_ADD, &route);
    }
    return added;
}

/* Is the record one that IPv6 puts into the set of its group? */
static bool
is_of_set(const nio_route *route)
{
    return route->family == AF_INET6 && route->nexthop_id == 0 &&
           route->gateway_family != AF_UNSPEC;
}

/* Beside an IPv6 set of several legs the kernel's dump may leave out the other
 * routes of the group: a program that has read the table then does not know
 * them. They are reported to such programs when one leg is left. */
static void
uncover_group(nio_mirror *mirror, const nio_route *gone)
{
    nio_route *first = first_of_group(&mirror->routes, gone);
    size_t legs = 0;
    for (nio_route *route = first; route != NULL;
         route = next_of_group(&mirror->routes, gone, route)) {
        legs += is_of_set(route);
    }
    for (nio_route *route = legs == 1 ? first : NULL;
         route != NULL && nio_mirror_reserve(mirror);
         route = next_of_group(&mirror->routes, gone, route)) {
        if (!is_of_set(route) && !route->is_held) {
            nio_fanout_uncovered_route(&mirror->fanout, route);
        }
    }
}

void
nio_route_drop(nio_mirror *mirror, nio_route *route)
{
    const nio_route gone = *route;
    if (!nio_mirror_reserve(mirror)) {
        return;
    }
    mirror->nexthop_users -= route->nexthop_id != 0;
    note_change(mirror, route);
    if (!route->is_held) {
        nio_fanout_route(&mirror->fanout, NIO_CHANGE_DELETE, route);
    }
    nio_store_remove(&mirror->routes, route);
    if (is_of_set(&gone)) {
        uncover_group(mirror, &gone);
    }
    nio_extra_pool_release(&mirror->extras, gone.extra);
}

void
nio_mirror_drop_routes_of(nio_mirror *mirror, uint32_t index)
{
    uint32_t cursor = 0;
    nio_route *route;
    while ((route = nio_store_each(&mirror->routes, &cursor)) != NULL) {
        if (route->oif == index) {
            nio_route_drop(mirror, route);
        }
    }
}

void
nio_route_update(nio_mirror *mirror, nio_route *route, const nio_route *leg)
{
    const nio_route before = *route;
    if (!nio_mirror_reserve(mirror)) {
        return;
    }
    mirror->nexthop_users -= route->nexthop_id != 0;
    mirror->nexthop_users += leg->nexthop_id != 0;
    *route = *leg;
    (void)nio_extra_pool_use(route->extra);
    route->record = before.record;
    route->instances = before.instances;
    route->seen = before.seen;
    route->ambiguous_in_replay = before.ambiguous_in_replay;
    route->is_held = before.is_held;
    route->is_doubtful = before.is_doubtful;
    route->is_announced = before.is_announced;
    if (!same_state(&before, route)) {
        note_change(mirror, route);
        if (!route->is_held) {
            nio_fanout_route(&mirror->fanout, NIO_CHANGE_PARAMETER, route);
        }
    } else if (nio_end_moved(before.expires_s, route->expires_s) &&
               !route->is_held) {
        nio_fanout_renewed_route(&mirror->fanout, route);
    }
    nio_extra_pool_release(&mirror->extras, before.extra);
}

void
nio_route_report(nio_mirror *mirror, nio_route *route)
{
    if (nio_mirror_reserve(mirror)) {
        route->is_held = false;
        nio_fanout_route(&mirror->fanout, NIO_CHANGE_ADD, route);
    }
}

void
nio_route_recount(nio_mirror *mirror, nio_route *route, uint16_t instances)
{
    if (nio_mirror_reserve(mirror)) {
        route->instances = instances;
        if (!route->is_held) {
            nio_fanout_route(&mirror->fanout, NIO_CHANGE_PARAMETER, route);
        }
    }
}

void
nio_route_note_dead_legs(nio_mirror *mirror, const nio_legs *legs)
{
    mirror->dead_legs[NIO_FAMILY_BIT(legs->head.family)] |= legs->dead > 0;
}

void
nio_route_dirty(nio_mirror *mirror, uint8_t family)
{
    mirror->dirty.routes[NIO_FAMILY_BIT(family)] = true;
}

void
nio_route_doubt(nio_mirror *mirror, nio_route *route)
{
    route->is_doubtful = true;
    mirror->has_held = true;
    nio_route_dirty(mirror, route->family);
}

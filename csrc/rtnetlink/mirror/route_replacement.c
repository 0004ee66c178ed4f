/* SPDX-License-Identifier: MIT */
/* Certainties about replacements: see route_replacement.h. */
#include "rtnetlink/mirror/route_replacement.h"

/* Does the kernel count the new route among those that form a set? A message
 * with NLM_F_REPLACE is never about a route of a router advertisement, which
 * has a gateway and is in no set. */
static bool
joins_set(const nio_legs *legs)
{
    return legs->head.nexthop_id == 0 && legs->count + legs->dead > 0 &&
           legs->legs[0].gateway_family != AF_UNSPEC;
}

/* The group consists of one kernel route if it has as many records as each of
 * them says that its route has legs. That is unknown where an identity has
 * several instances, and where routes have dead legs, which have no records.
 * An ambiguous record does no harm if the new route has its leg: a dump that
 * has already seen the new route, and no other, leaves nothing to drop. */
bool
nio_replaces_group(const nio_mirror *mirror, const nio_legs *legs)
{
    const nio_route *head = &legs->head;
    size_t count = 0;
    uint8_t route_legs = 0;
    bool set = false;
    if (is_per_interface(head) ||
        mirror->dead_legs[NIO_FAMILY_BIT(head->family)]) {
        return false;
    }
    for (nio_route *route = first_of_group(&mirror->routes, head);
         route != NULL; route = next_of_group(&mirror->routes, head, route)) {
        if (route->instances > 1 || route->is_doubtful || route->is_held ||
            (count > 0 && route->legs != route_legs) ||
            (is_ambiguous(mirror, route) &&
             !is_among(legs, legs->count, route))) {
            return false;
        }
        route_legs = route->legs;
        set |= is_set(route, route->legs);
        count++;
    }
    return count == route_legs && (!set || joins_set(legs));
}

bool
nio_replacement_uncovers(const nio_mirror *mirror, const nio_legs *legs)
{
    const nio_route *route = first_of_group(&mirror->routes, &legs->head);
    return legs->count + legs->dead == 1 && route != NULL &&
           is_set(route, route->legs);
}

/* SPDX-License-Identifier: MIT */
/* Which kernel routes an RTM_NEWROUTE with NLM_F_REPLACE replaces, and where
 * that is not certain. The message names only the new route.
 *
 *   IPv4  The first route of the group (table, prefix, TOS, priority).
 *   IPv6  All routes of the group that have a gateway and no nexthop object
 *         form one set, whatever else differs. Such a route, or a set,
 *         replaces the set as a whole; any other one replaces the first other
 *         route of the group. Where there is none of the same sort, the first
 *         route of the group is replaced: with the whole set, if it is one.
 *
 * The kernel's dump of an IPv6 set of several legs leaves out the routes of
 * the group that lie between them. So the mirror may lack routes beside a set:
 * one of them, and not the set, may be replaced, and a dump shows them once
 * the set is gone or has one leg left. Measured on Linux 6.18.
 *
 * Pure: no system call, and no lock. */
#pragma once

#include "rtnetlink/mirror/mirror.h"

#include "rtnetlink/mirror/route_identity.h"

/* Is a route of `count` legs an IPv6 set of several, beside which a dump may
 * leave out routes? */
static inline bool
is_set(const nio_route *route, size_t count)
{
    return route->family == AF_INET6 && route->nexthop_id == 0 && count > 1;
}

/* Is the route one of the first `count` legs? */
static inline bool
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
static inline bool
is_ambiguous(const nio_mirror *mirror, const nio_route *route)
{
    return mirror->replaying && route->ambiguous_in_replay == mirror->replay;
}

/* Does the route of this message certainly replace all that is known of its
 * group? */
bool nio_replaces_group(const nio_mirror *mirror, const nio_legs *legs);
/* May a dump show other routes of the group after that? */
bool nio_replacement_uncovers(const nio_mirror *mirror, const nio_legs *legs);

/* SPDX-License-Identifier: MIT */
/* Dumps that the kernel cuts short: see cut_dump.h. */
#include "rtnetlink/mirror/cut_dump.h"

#include "rtnetlink/mirror/route_identity.h"

#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

/* The kernel's part: 32 KB with struct skb_shared_info, which has at least
 * this size. */
#define PART_BYTES (32768u - 320u)
/* The legs of a record are counted up to here. */
#define MANY_LEGS 255u

static size_t
leg_bytes(uint8_t family)
{
    const size_t address = family == AF_INET6 ? 16 : 4;
    return sizeof(struct rtnexthop) + sizeof(struct rtattr) + address;
}

/* At least so long is the message of a kernel route with all records of the
 * group that are legs. */
static size_t
message_bytes(const nio_mirror *mirror, const nio_route *of_group)
{
    size_t legs = 0;
    for (const nio_route *route = first_of_group(&mirror->routes, of_group);
         route != NULL;
         route = next_of_group(&mirror->routes, of_group, route)) {
        legs += route->legs == MANY_LEGS;
    }
    return sizeof(struct nlmsghdr) + sizeof(struct rtmsg) +
           legs * leg_bytes(of_group->family);
}

/* The kernel removes routes of a link that goes down, in part silently. */
static bool
has_link_up(const nio_mirror *mirror, const nio_route *route)
{
    const nio_link *link = nio_mirror_link(mirror, route->oif);
    return link != NULL && (link->flags & IFF_UP);
}

/* The kernel walks over its tables by the low byte of their numbers. */
static int
compare_tables(uint32_t a, uint32_t b)
{
    return (int)(a & 0xffu) - (int)(b & 0xffu);
}

static bool
is_earlier(const nio_cut *cut, const nio_route *route)
{
    const nio_place place = nio_place_of(route);
    const int order = compare_tables(route->table, cut->table);
    return !cut->found || order < 0 ||
           (order == 0 && nio_place_compare(&place, &cut->place) < 0);
}

nio_cut
nio_find_cut(const nio_mirror *mirror, uint8_t family)
{
    nio_cut cut = {.found = false};
    uint32_t cursor = 0;
    const nio_route *route;
    while (mirror->has_many_legs &&
           (route = nio_store_each(&mirror->routes, &cursor)) != NULL) {
        if (route->family == family && route->legs == MANY_LEGS &&
            route->record.generation != mirror->generation &&
            is_earlier(&cut, route) && has_link_up(mirror, route) &&
            route == first_of_group(&mirror->routes, route) &&
            message_bytes(mirror, route) > PART_BYTES) {
            cut.found = true;
            cut.table = route->table;
            cut.place = nio_place_of(route);
        }
    }
    return cut;
}

bool
nio_is_behind_cut(const nio_cut *cut, const nio_route *route)
{
    if (!cut->found) {
        return false;
    }
    const int order = compare_tables(route->table, cut->table);
    const nio_place place = nio_place_of(route);
    return order > 0 ||
           (order == 0 && (route->table != cut->table ||
                           nio_place_compare(&place, &cut->place) >= 0));
}

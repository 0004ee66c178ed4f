/* SPDX-License-Identifier: MIT */
/* The mirror as a whole: its stores, what is dirty, what is forgotten. The
 * kinds of objects: links.c, addresses.c, nexthops.c, routes.c. */
#include "rtnetlink/mirror/mirror.h"

#include "base/lock.h"

#include "rtnetlink/mirror/route_identity.h"

#include <string.h>

static uint64_t
link_hash(const void *record, uint64_t seed)
{
    const nio_link *link = record;
    return nio_mix(seed, link->index);
}

static uint64_t
nexthop_hash(const void *record, uint64_t seed)
{
    const nio_nexthop *nexthop = record;
    return nio_mix(seed, nexthop->id);
}

/* By interface and address alone: the kernel may change the prefix length and
 * the peer of an IPv6 address in place. */
static uint64_t
address_hash(const void *record, uint64_t seed)
{
    const nio_address *address = record;
    return nio_hash(address->local, sizeof(address->local),
                    seed ^ address->index);
}

void
nio_mirror_init(nio_mirror *mirror)
{
    memset(mirror, 0, sizeof(*mirror));
    nio_store_init(&mirror->links, sizeof(nio_link), link_hash);
    nio_store_init(&mirror->addresses, sizeof(nio_address), address_hash);
    nio_store_init(&mirror->nexthops, sizeof(nio_nexthop), nexthop_hash);
    nio_store_init(&mirror->routes, sizeof(nio_route), route_hash);
    nio_extra_pool_init(&mirror->extras);
    mirror->decode.nexthops = &mirror->nexthops;
    mirror->decode.extras = &mirror->extras;
    mirror->fanout.links = &mirror->links;
    mirror->fanout.now_s = &mirror->decode.now_s;
    mirror->generation = 1;
}

void
nio_mirror_set_time(nio_mirror *mirror)
{
    mirror->fanout.time_ns = nio_realtime_ns();
    mirror->decode.now_s = (uint32_t)(nio_monotonic_ns() / 1000000000u);
}

static void
forget_nexthops(nio_mirror *mirror)
{
    uint32_t cursor = 0;
    nio_nexthop *nexthop;
    while ((nexthop = nio_store_each(&mirror->nexthops, &cursor)) != NULL) {
        nio_nexthop_done(nexthop, &mirror->extras);
    }
    nio_store_done(&mirror->nexthops);
}

static void
forget_route(nio_mirror *mirror, nio_route *route)
{
    mirror->nexthop_users -= route->nexthop_id != 0;
    nio_extra_pool_release(&mirror->extras, route->extra);
    nio_store_remove(&mirror->routes, route);
}

void
nio_mirror_done(nio_mirror *mirror)
{
    forget_nexthops(mirror);
    /* The blocks of the other records end with the pool. */
    nio_store_done(&mirror->links);
    nio_store_done(&mirror->addresses);
    nio_store_done(&mirror->routes);
    nio_extra_pool_done(&mirror->extras);
}

/* ---- what is dirty */

bool
nio_dirty_any(const nio_dirty *dirty)
{
    return dirty->all_links || dirty->neighbours || dirty->addresses ||
           dirty->nexthops || dirty->routes[0] || dirty->routes[1] ||
           dirty->raced[0] || dirty->raced[1] || dirty->link_count > 0;
}

void
nio_mirror_dirty_dependents(nio_mirror *mirror)
{
    mirror->dirty.addresses = true;
    mirror->dirty.nexthops = mirror->wants_routes;
    mirror->dirty.routes[0] = mirror->wants_routes;
    mirror->dirty.routes[1] = mirror->wants_routes;
}

void
nio_mirror_dirty_all(nio_mirror *mirror)
{
    mirror->dirty.all_links = true;
    mirror->dirty.neighbours = true;
    nio_mirror_dirty_dependents(mirror);
}

void
nio_mirror_dirty_link(nio_mirror *mirror, uint32_t index)
{
    nio_dirty *dirty = &mirror->dirty;
    for (size_t i = 0; i < dirty->link_count; i++) {
        if (dirty->links[i] == index) {
            return;
        }
    }
    if (dirty->link_count == NIO_DIRTY_LINKS) {
        dirty->all_links = true;
        return;
    }
    dirty->links[dirty->link_count++] = index;
}

/* ---- records */

void
nio_mirror_begin_dump(nio_mirror *mirror)
{
    if (++mirror->generation == 0) {
        mirror->generation = 1;
    }
    mirror->unseen_routes = mirror->routes.count;
}

bool
nio_mirror_reserve(nio_mirror *mirror)
{
    bool reserved = nio_fanout_reserve(&mirror->fanout);
    mirror->allocation_failed |= !reserved;
    return reserved;
}

void
nio_mirror_forget_routes(nio_mirror *mirror)
{
    uint32_t cursor = 0;
    nio_route *route;
    forget_nexthops(mirror);
    while ((route = nio_store_each(&mirror->routes, &cursor)) != NULL) {
        forget_route(mirror, route);
    }
    mirror->wants_routes = false;
    mirror->has_duplicates = false;
    memset(mirror->dead_legs, 0, sizeof(mirror->dead_legs));
    mirror->dirty.nexthops = false;
    memset(mirror->dirty.routes, 0, sizeof(mirror->dirty.routes));
    memset(mirror->dirty.raced, 0, sizeof(mirror->dirty.raced));
}

void
nio_mirror_keep_tables(nio_mirror *mirror, const nio_table_set *tables)
{
    uint32_t cursor = 0;
    nio_route *route;
    while ((route = nio_store_each(&mirror->routes, &cursor)) != NULL) {
        if (!nio_table_set_contains(tables, route->table)) {
            forget_route(mirror, route);
        }
    }
}

#ifndef NDEBUG
bool
nio_mirror_is_sound(const nio_mirror *mirror)
{
    uint64_t users = 0;
    uint32_t cursor = 0;
    const nio_route *route;
    while ((route = nio_store_each(&mirror->routes, &cursor)) != NULL) {
        users += route->nexthop_id != 0;
    }
    return users == mirror->nexthop_users &&
           nio_store_is_sound(&mirror->links) &&
           nio_store_is_sound(&mirror->addresses) &&
           nio_store_is_sound(&mirror->nexthops) &&
           nio_store_is_sound(&mirror->routes);
}
#endif

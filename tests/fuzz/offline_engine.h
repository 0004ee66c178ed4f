/* SPDX-License-Identifier: MIT */
/* An engine without a thread and without sockets, and four followers of its
 * mirror. */
#pragma once

#include "follower.h"

#include "rtnetlink/engine/derived.h"
#include "rtnetlink/engine/engine.h"

enum { EVERYTHING, MERGED, FILTERED, JOINED_LATER, FOLLOWERS };

typedef struct offline_engine {
    nio_engine engine;
    follower followers[FOLLOWERS];
} offline_engine;

static inline void
offline_engine_open(offline_engine *self)
{
    static const ULONG tables[] = {RT_TABLE_LOCAL, RT_TABLE_MAIN, 100000};
    static const ULONG protocols[] = {RouteProtocolLocal,
                                      RouteProtocolNetMgmt};
    static const nio_prefix prefixes[] = {
        {AF_INET, 8, {10}}, {AF_INET, 12, {172, 16}}, {AF_INET6, 8, {0xfd}}};
    const nio_filter some = {.has_tables = true,
                             .tables = tables,
                             .table_count = 3,
                             .protocols = protocols,
                             .protocol_count = 2,
                             .prefixes = prefixes,
                             .prefix_count = 3};
    nio_mirror *mirror = &self->engine.mirror;
    memset(self, 0, sizeof(*self));
    nio_mirror_init(mirror);
    mirror->wants_routes = true;
    self->engine.tables.local = true;
    self->engine.tables.all_others = true;
    follower_open(&self->followers[EVERYTHING], mirror, NULL, SIZE_MAX);
    follower_open(&self->followers[MERGED], mirror, NULL, 3);
    follower_open(&self->followers[FILTERED], mirror, &some, SIZE_MAX);
    follower_open(&self->followers[JOINED_LATER], mirror, NULL, SIZE_MAX);
}

/* A follower that joins later begins with a snapshot. */
static inline void
offline_engine_join(offline_engine *self)
{
    nio_mirror *mirror = &self->engine.mirror;
    follower *follower = &self->followers[JOINED_LATER];
    follower_close(follower, mirror);
    follower_open(follower, mirror, NULL, SIZE_MAX);
    nio_mirror_snapshot(mirror, &follower->subscriber);
}

/* The count of the routes that name a nexthop object is right. */
static inline void
check_nexthop_users(const nio_mirror *mirror)
{
    uint32_t cursor = 0;
    uint64_t users = 0;
    const nio_route *route;
    while ((route = nio_store_each(&mirror->routes, &cursor)) != NULL) {
        users += route->nexthop_id != 0;
        CHECK(route->instances >= 1);
    }
    CHECK_EQUAL(mirror->nexthop_users, users);
}

/* Every follower has the mirror's state. */
static inline void
offline_engine_check(offline_engine *self)
{
    nio_mirror *mirror = &self->engine.mirror;
    for (size_t i = 0; i < FOLLOWERS; i++) {
        follower_check(&self->followers[i], mirror);
    }
    check_nexthop_users(mirror);
    CHECK(!mirror->allocation_failed);
    (void)nio_teredo_port_of(mirror);
    (void)nio_hint_of(mirror);
    (void)nio_is_stable(mirror, AF_UNSPEC);
}

/* After a dump without a row everything is removed, and reported as removed.
 */
static inline void
offline_engine_check_empty_dump(offline_engine *self)
{
    nio_mirror *mirror = &self->engine.mirror;
    nio_mirror_begin_dump(mirror);
    const nio_gaps none = {0};
    nio_mirror_sweep_routes(mirror, AF_INET, &none);
    nio_mirror_sweep_routes(mirror, AF_INET6, &none);
    nio_mirror_sweep_nexthops(mirror);
    nio_mirror_sweep_addresses(mirror);
    nio_mirror_sweep_links(mirror);
    offline_engine_check(self);
    for (size_t i = 0; i < FOLLOWERS; i++) {
        CHECK_EQUAL(self->followers[i].state.count, 0);
    }
}

static inline void
offline_engine_close(offline_engine *self)
{
    for (size_t i = 0; i < FOLLOWERS; i++) {
        follower_close(&self->followers[i], &self->engine.mirror);
    }
    nio_legs_done(&self->engine.legs);
    nio_mirror_done(&self->engine.mirror);
}

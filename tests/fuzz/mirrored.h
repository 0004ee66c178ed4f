/* SPDX-License-Identifier: MIT */
/* An engine without a thread or a socket: the mirror, and followers of it. */
#pragma once

#include "follower.h"

#include "rtnetlink/engine/derived.h"
#include "rtnetlink/engine/engine.h"

enum { EVERYTHING, MERGED, FILTERED, NEWCOMER, FOLLOWERS };

typedef struct mirrored {
    nio_engine engine;
    follower followers[FOLLOWERS];
} mirrored;

static inline void
mirrored_open(mirrored *self)
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
    follower_open(&self->followers[NEWCOMER], mirror, NULL, SIZE_MAX);
}

/* One that comes in the middle begins with a snapshot. */
static inline void
newcomer(mirrored *self)
{
    nio_mirror *mirror = &self->engine.mirror;
    follower *follower = &self->followers[NEWCOMER];
    follower_close(follower, mirror);
    follower_open(follower, mirror, NULL, SIZE_MAX);
    nio_mirror_snapshot(mirror, &follower->subscriber);
}

/* Routes that name a nexthop object are counted right. */
static inline void
check_users(const nio_mirror *mirror)
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

static inline void
mirrored_arrives(mirrored *self)
{
    nio_mirror *mirror = &self->engine.mirror;
    for (size_t i = 0; i < FOLLOWERS; i++) {
        follower_arrives(&self->followers[i], mirror);
    }
    check_users(mirror);
    CHECK(!mirror->allocation_failed);
    (void)nio_teredo_port_of(mirror);
    (void)nio_hint_of(mirror);
    (void)nio_is_stable(mirror, AF_UNSPEC);
}

/* A reading that finds nothing: all of it goes, and is told to have gone. */
static inline void
mirrored_empties(mirrored *self)
{
    nio_mirror *mirror = &self->engine.mirror;
    nio_mirror_begin_dump(mirror);
    nio_mirror_sweep_routes(mirror, AF_INET, mirror->mark);
    nio_mirror_sweep_routes(mirror, AF_INET6, mirror->mark);
    nio_mirror_sweep_nexthops(mirror);
    nio_mirror_sweep_addresses(mirror);
    nio_mirror_sweep_links(mirror);
    mirrored_arrives(self);
    for (size_t i = 0; i < FOLLOWERS; i++) {
        CHECK_EQUAL(self->followers[i].state.count, 0);
    }
}

static inline void
mirrored_close(mirrored *self)
{
    for (size_t i = 0; i < FOLLOWERS; i++) {
        follower_close(&self->followers[i], &self->engine.mirror);
    }
    nio_mirror_done(&self->engine.mirror);
    nio_legs_done(&self->engine.legs);
}

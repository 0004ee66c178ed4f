/* SPDX-License-Identifier: MIT */
/* Which messages the kernel sends to the event socket: the multicast groups,
 * and of routes only the tables that subscribers want. */
#include "rtnetlink/engine/engine.h"

#include "rtnetlink/socket/socket_filter.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

/* The default. Without CAP_NET_ADMIN the kernel grants what
 * net.core.rmem_max allows. The memory is used only under load. */
#define RECEIVE_BUFFER (128 * 1024 * 1024)

static const int groups[] = {
    RTNLGRP_LINK,        RTNLGRP_IPV4_IFADDR,  RTNLGRP_IPV6_IFADDR,
    RTNLGRP_IPV6_IFINFO, RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF,
    RTNLGRP_IPV6_PREFIX,
};
static const int route_groups[] = {RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
                                   RTNLGRP_NEXTHOP};
/* RTNLGRP_IPV6_MCADDR: the multicast groups that links join. Not in the oldest
 * headers; kernels before 6.14 do not have it. */
#define GROUP_IPV6_MCADDR 38

int
nio_engine_join(nio_engine *engine)
{
    int status = 0;
    engine->counted.receive_buffer = nio_event_socket_set_buffer(
        &engine->events, engine->requested_buffer > 0
                             ? engine->requested_buffer
                             : RECEIVE_BUFFER);
    for (size_t i = 0; status == 0 && i < sizeof(groups) / sizeof(groups[0]);
         i++) {
        status = nio_event_socket_join(&engine->events, groups[i]);
    }
    if (status == 0) {
        status = nio_event_socket_join(&engine->events, GROUP_IPV6_MCADDR);
        status = status == -ENOMEM ? status : 0; /* an old kernel refuses */
    }
    return status;
}

/* From here on the kernel sends no routes, but the socket may still hold
 * earlier messages of routes: these must be read and ignored before routes are
 * joined again. */
static void
leave_routes(nio_engine *engine)
{
    for (size_t i = 0; i < sizeof(route_groups) / sizeof(route_groups[0]);
         i++) {
        nio_event_socket_leave(&engine->events, route_groups[i]);
    }
    engine->stale = true;
}

static int
join_routes(nio_engine *engine)
{
    for (size_t i = 0; i < sizeof(route_groups) / sizeof(route_groups[0]);
         i++) {
        int status = nio_event_socket_join(&engine->events, route_groups[i]);
        /* Kernels before 5.3 have no nexthop objects. */
        if (status < 0 && route_groups[i] != RTNLGRP_NEXTHOP) {
            leave_routes(engine);
            return status;
        }
    }
    engine->mirror.wants_routes = true;
    engine->mirror.dirty.nexthops = true;
    return 0;
}

int
nio_rejoin_routes(nio_engine *engine)
{
    if (!engine->mirror.wants_routes) {
        return 0;
    }
    int status = nio_event_socket_filter(&engine->events, &engine->tables);
    return status < 0 ? status : join_routes(engine);
}

/* The tables that present and attaching subscribers want. */
static nio_table_set
wanted_tables(const nio_engine *engine)
{
    nio_table_set tables = {0};
    for (const nio_subscriber *s = engine->mirror.fanout.subscribers;
         s != NULL; s = s->next) {
        nio_subscriber_add_tables(s, &tables);
    }
    for (const nio_command *c = engine->attaching; c != NULL; c = c->next) {
        nio_subscriber_add_tables(c->subscriber, &tables);
    }
    return tables;
}

static void
set_tables(nio_engine *engine, nio_table_set tables)
{
    nio_table_set_done(&engine->tables);
    engine->tables = tables;
}

bool
nio_needs_more_routes(const nio_engine *engine,
                      const nio_subscriber *subscriber)
{
    nio_table_set tables = {0};
    nio_subscriber_add_tables(subscriber, &tables);
    bool covered = nio_table_set_is_superset(&engine->tables, &tables);
    nio_table_set_done(&tables);
    return nio_kinds_need_routes(subscriber->kinds) &&
           !(engine->mirror.wants_routes && covered);
}

/* The order matters: first the kernel starts to send these routes, then the
 * tables are read. A change whose message was sent before that, and thus not
 * received, may still be in progress: the barrier of the dump waits for it. */
int
nio_widen_routes(nio_engine *engine, const nio_subscriber *subscriber)
{
    nio_mirror *mirror = &engine->mirror;
    nio_table_set tables = wanted_tables(engine);
    nio_subscriber_add_tables(subscriber, &tables);
    int status = nio_event_socket_filter(&engine->events, &tables);
    if (status == 0 && !mirror->wants_routes) {
        status = join_routes(engine);
    }
    if (status < 0) {
        nio_table_set_done(&tables);
        return status;
    }
    set_tables(engine, tables);
    mirror->dirty.routes[0] = true;
    mirror->dirty.routes[1] = true;
    return 0;
}

/* Routes that are not received any more are not mirrored either: they would
 * become out of date. */
void
nio_narrow_routes(nio_engine *engine)
{
    nio_mirror *mirror = &engine->mirror;
    unsigned kinds = mirror->fanout.kinds;
    for (nio_command *c = engine->attaching; c != NULL; c = c->next) {
        kinds |= c->subscriber->kinds;
    }
    if (!mirror->wants_routes) {
        return;
    }
    nio_table_set tables = wanted_tables(engine);
    if (!nio_kinds_need_routes(kinds)) {
        leave_routes(engine);
        nio_mirror_forget_routes(mirror);
    } else if (nio_table_set_is_superset(&tables, &engine->tables) ||
               !nio_table_set_is_superset(&engine->tables, &tables)) {
        /* The same tables; or more, after an allocation failure. */
        nio_table_set_done(&tables);
        return;
    } else {
        /* If it fails the kernel sends more than is wanted: apply.c ignores
         * it. */
        (void)nio_event_socket_filter(&engine->events, &tables);
        nio_mirror_keep_tables(mirror, &tables);
    }
    engine->stale = true;
    set_tables(engine, tables);
}

/* SPDX-License-Identifier: MIT */
/* What other threads ask of the reader, on the reader's thread: engine.h. */
#include "rtnetlink/engine.h"

#include <linux/rtnetlink.h>
#include <string.h>

#define KINDS_WITH_ROUTES ((1u << NIO_ROUTE) | (1u << NIO_HINT))

static const int route_groups[] = {RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
                                   RTNLGRP_NEXTHOP};

static void
answer(nio_engine *engine, nio_command *command, int status)
{
    nio_lock_take(&engine->lock);
    command->status = status;
    command->answered = true;
    nio_condition_wake_all(&engine->answered);
    nio_lock_drop(&engine->lock);
}

/* The first who wants routes: from now on the kernel tells of them, and what
 * was there before is read once. */
static int
want_routes(nio_engine *engine)
{
    nio_mirror *mirror = &engine->mirror;
    if (mirror->wants_routes) {
        return 0;
    }
    for (size_t i = 0; i < sizeof(route_groups) / sizeof(route_groups[0]);
         i++) {
        int status = nio_feed_join(&engine->feed, route_groups[i]);
        if (status < 0 && route_groups[i] != RTNLGRP_NEXTHOP) {
            return status; /* nexthop objects came with Linux 5.3 */
        }
    }
    memset(engine->attempts, 0, sizeof(engine->attempts));
    mirror->wants_routes = true;
    mirror->dirty.nexthops = true;
    mirror->dirty.routes[0] = true;
    mirror->dirty.routes[1] = true;
    return 0;
}

/* The last who wanted routes has left: the kernel need not tell of them. */
static void
drop_routes_if_unwanted(nio_engine *engine)
{
    nio_mirror *mirror = &engine->mirror;
    unsigned kinds = mirror->fanout.kinds;
    for (nio_command *c = engine->attaching; c != NULL; c = c->next) {
        kinds |= c->subscriber->kinds;
    }
    if (!mirror->wants_routes || (kinds & KINDS_WITH_ROUTES)) {
        return;
    }
    for (size_t i = 0; i < sizeof(route_groups) / sizeof(route_groups[0]);
         i++) {
        nio_feed_leave(&engine->feed, route_groups[i]);
    }
    nio_mirror_forget_routes(mirror);
}

static void
begin_attach(nio_engine *engine, nio_command *command)
{
    int status = 0;
    if (command->subscriber->kinds & KINDS_WITH_ROUTES) {
        status = want_routes(engine);
    }
    if (status < 0) {
        answer(engine, command, status);
        return;
    }
    if (command->receive_buffer > engine->buffer_wish) {
        engine->buffer_wish = command->receive_buffer;
        engine->counted.receive_buffer =
            nio_feed_buffer(&engine->feed, engine->buffer_wish);
    }
    command->begun = engine->begun;
    command->next = engine->attaching;
    engine->attaching = command;
}

void
nio_take_commands(nio_engine *engine)
{
    nio_lock_take(&engine->lock);
    nio_event_clear(&engine->wake);
    nio_command *command = engine->commands;
    engine->commands = NULL;
    engine->stop = engine->stopping;
    nio_lock_drop(&engine->lock);
    while (command != NULL) {
        nio_command *next = command->next;
        if (command->what == NIO_ATTACH) {
            begin_attach(engine, command);
        } else {
            nio_fanout_detach(&engine->mirror.fanout, command->subscriber);
            drop_routes_if_unwanted(engine);
            answer(engine, command, 0);
        }
        command = next;
    }
}

static void
attach(nio_engine *engine, nio_subscriber *subscriber)
{
    nio_fanout *fanout = &engine->mirror.fanout;
    fanout->time_ns = nio_realtime_ns();
    nio_fanout_attach(fanout, subscriber);
    nio_derive_for(engine, subscriber);
    if (subscriber->snapshot) {
        nio_mirror_snapshot(&engine->mirror, subscriber);
        subscriber->owes_synced = true;
    }
}

/* A mirror that was read since the command came is good enough: what is dirty
 * again will be told as changes. Else a busy network would keep newcomers out
 * for ever. A kernel that refuses to be read is the newcomer's to know. What
 * was being read when the command came may lack what it asks for. */
void
nio_serve_attaching(nio_engine *engine)
{
    bool exact = !engine->lost && !nio_dirty_any(&engine->mirror.dirty);
    nio_command **link = &engine->attaching;
    while (*link != NULL) {
        nio_command *command = *link;
        if (exact || engine->read > command->begun) {
            *link = command->next;
            attach(engine, command->subscriber);
            answer(engine, command, 0);
        } else if (engine->failed > command->begun) {
            *link = command->next;
            answer(engine, command, engine->failure);
        } else {
            link = &command->next;
        }
    }
}

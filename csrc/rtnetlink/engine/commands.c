/* SPDX-License-Identifier: MIT */
/* What other threads ask of the reader, on the reader's thread: engine.h. */
#include "rtnetlink/engine/engine.h"

#include "rtnetlink/socket/socket_filter.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

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

/* The tables of all who are there or on their way. */
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

/* From here on changes go unheard, while what was before them may still wait
 * in the feed: it must be read out and ignored before the same is wanted
 * again. */
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
        if (status < 0 && route_groups[i] != RTNLGRP_NEXTHOP) {
            leave_routes(engine);
            return status; /* nexthop objects came with Linux 5.3 */
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

/* Is this the first who wants routes, or routes of these tables? */
static bool
is_first(const nio_engine *engine, const nio_subscriber *subscriber)
{
    nio_table_set tables = {0};
    nio_subscriber_add_tables(subscriber, &tables);
    bool covered = nio_table_set_is_superset(&engine->tables, &tables);
    nio_table_set_done(&tables);
    return nio_kinds_need_routes(subscriber->kinds) &&
           !(engine->mirror.wants_routes && covered);
}

/* First the kernel is made to tell of them, then what was there before is read
 * once: its barrier waits for changes that were told, unheard, before they
 * were made. */
static int
want_routes(nio_engine *engine, const nio_subscriber *subscriber)
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
    memset(engine->attempts, 0, sizeof(engine->attempts));
    mirror->dirty.routes[0] = true;
    mirror->dirty.routes[1] = true;
    return 0;
}

/* The kernel need not tell any more of what the one who left was the last to
 * want, and nothing of it is kept: it would grow old. */
static void
drop_what_is_unwanted(nio_engine *engine)
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
        nio_table_set_done(
            &tables); /* the same; or more, for want of memory */
        return;
    } else {
        /* If it fails too much is told, and ignored. */
        (void)nio_event_socket_filter(&engine->events, &tables);
        nio_mirror_keep_tables(mirror, &tables);
    }
    engine->stale = true;
    set_tables(engine, tables);
}

static void
begin_attach(nio_engine *engine, nio_command *command)
{
    int status = 0;
    if (is_first(engine, command->subscriber)) {
        if (engine->stale) {
            command->begun = engine->begun;
            command->next = engine->postponed;
            engine->postponed = command;
            return;
        }
        status = want_routes(engine, command->subscriber);
    }
    if (status < 0) {
        answer(engine, command, status);
        return;
    }
    if (command->receive_buffer > engine->buffer_wish) {
        engine->buffer_wish = command->receive_buffer;
        engine->counted.receive_buffer =
            nio_event_socket_set_buffer(&engine->events, engine->buffer_wish);
    }
    command->begun = engine->begun;
    command->next = engine->attaching;
    engine->attaching = command;
}

void
nio_engine_socket_is_empty(nio_engine *engine)
{
    nio_command *command = engine->postponed;
    engine->postponed = NULL;
    engine->stale = false;
    while (command != NULL) {
        nio_command *next = command->next;
        begin_attach(engine, command);
        command = next;
    }
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
            drop_what_is_unwanted(engine);
            answer(engine, command, 0);
        }
        command = next;
    }
}

/* Who cannot be told all that there is does not begin. */
static int
attach(nio_engine *engine, nio_subscriber *subscriber)
{
    nio_fanout *fanout = &engine->mirror.fanout;
    fanout->time_ns = nio_realtime_ns();
    if (!nio_queue_reserve(subscriber->queue)) {
        return -ENOMEM;
    }
    nio_fanout_attach(fanout, subscriber);
    nio_derive_for(engine, subscriber);
    if (subscriber->snapshot) {
        nio_mirror_snapshot(&engine->mirror, subscriber);
        subscriber->owes_synced = true;
    }
    if (engine->lost) { /* a gap that the others were told of already */
        const nio_change mark = {.time_ns = fanout->time_ns,
                                 .kind = NIO_CHANGE_MARK,
                                 .flags = NIO_FLAG_OVERFLOW};
        nio_subscriber_put(subscriber, &mark, NULL);
        subscriber->owes_synced = true;
    }
    if (subscriber->put_failed) {
        nio_fanout_detach(fanout, subscriber);
        return -ENOMEM;
    }
    return 0;
}

/* A feed that cannot be opened is never empty. */
static void
refuse_postponed(nio_engine *engine)
{
    nio_command **link = &engine->postponed;
    while (*link != NULL) {
        nio_command *command = *link;
        if (engine->failed > command->begun) {
            *link = command->next;
            answer(engine, command, engine->failure);
        } else {
            link = &command->next;
        }
    }
}

/* A mirror that was read since the command came is good enough: what is dirty
 * again will be told as changes. Else a busy network would keep newcomers out
 * for ever. A kernel that refuses to be read is the newcomer's to know. What
 * was being read when the command came may lack what it asks for. */
void
nio_serve_attaching(nio_engine *engine)
{
    bool exact = !engine->lost && !nio_dirty_any(&engine->mirror.dirty) &&
                 !engine->mirror.allocation_failed;
    refuse_postponed(engine);
    nio_command **link = &engine->attaching;
    while (*link != NULL) {
        nio_command *command = *link;
        if (exact || engine->read > command->begun) {
            *link = command->next;
            int status = attach(engine, command->subscriber);
            nio_subscriber_signal(command->subscriber);
            answer(engine, command, status);
        } else if (engine->failed > command->begun) {
            *link = command->next;
            answer(engine, command, engine->failure);
        } else {
            link = &command->next;
        }
    }
}

/* SPDX-License-Identifier: MIT */
/* The commands that other threads leave, served on the reader's thread. */
#include "rtnetlink/engine/engine.h"

#include "rtnetlink/engine/trace.h"
#include "rtnetlink/mirror/bearers.h"

#include <errno.h>

static void
trace(const nio_engine *engine, const nio_command *command, int status)
{
    if (command->what == NIO_STOP) {
        nio_trace(engine, "reader stops");
    } else {
        nio_trace_command(engine,
                          command->what == NIO_ATTACH ? "attach" : "detach",
                          command->subscriber, status);
    }
}

static void
answer(nio_engine *engine, nio_command *command, int status)
{
    if (nio_debug_enabled) {
        trace(engine, command, status);
    }
    nio_lock_take(&engine->lock);
    command->status = status;
    command->answered = true;
    nio_condition_wake_all(&engine->answered);
    nio_lock_drop(&engine->lock);
}

static void
push(nio_command **list, nio_command *command)
{
    command->next = *list;
    *list = command;
}

static void
take_attach(nio_engine *engine, nio_command *command)
{
    command->after = engine->reconciles;
    if (command->subscriber->filter->names != NULL) {
        /* A link that is down may have got a name without a message. */
        engine->mirror.dirty.all_links = true;
    }
    /* A router may have renewed the lifetimes of routes without a message. */
    engine->mirror.dirty.routes[1] |=
        command->subscriber->snapshot && engine->mirror.wants_routes &&
        engine->mirror.has_expiring &&
        nio_kinds_need_routes(command->subscriber->kinds);
    if (nio_needs_more_routes(engine, command->subscriber)) {
        if (engine->stale) {
            push(&engine->postponed, command);
            return;
        }
        int status = nio_widen_routes(engine, command->subscriber);
        if (status < 0) {
            answer(engine, command, status);
            return;
        }
    }
    if (command->receive_buffer > engine->requested_buffer) {
        engine->requested_buffer = command->receive_buffer;
        engine->counted.receive_buffer = nio_event_socket_set_buffer(
            &engine->events, engine->requested_buffer);
    }
    push(&engine->attaching, command);
}

static void
take(nio_engine *engine, nio_command *command)
{
    switch (command->what) {
    case NIO_ATTACH:
        take_attach(engine, command);
        return;
    case NIO_DETACH:
        nio_fanout_detach(&engine->mirror.fanout, command->subscriber);
        nio_narrow_routes(engine);
        break;
    case NIO_STOP:
        engine->stop = true;
        break;
    }
    answer(engine, command, 0);
}

void
nio_take_commands(nio_engine *engine)
{
    nio_lock_take(&engine->lock);
    nio_event_clear(&engine->wake);
    nio_command *command = engine->commands;
    engine->commands = NULL;
    nio_lock_drop(&engine->lock);
    while (command != NULL) {
        nio_command *next = command->next; /* an answer ends its life */
        take(engine, command);
        command = next;
    }
}

void
nio_take_postponed(nio_engine *engine)
{
    nio_command *command = engine->postponed;
    engine->postponed = NULL;
    engine->stale = false;
    while (command != NULL) {
        nio_command *next = command->next;
        take_attach(engine, command);
        command = next;
    }
}

/* A subscriber that cannot get all that it must get first is not attached. */
static int
attach(nio_engine *engine, nio_subscriber *subscriber)
{
    nio_fanout *fanout = &engine->mirror.fanout;
    nio_mirror_set_time(&engine->mirror);
    if (!nio_queue_reserve(subscriber->queue)) {
        return -ENOMEM;
    }
    nio_fanout_attach(fanout, subscriber);
    nio_find_bearers(&engine->mirror, subscriber);
    nio_derive_for(engine, subscriber);
    if (subscriber->snapshot) {
        subscriber->put_failed |=
            !nio_mirror_snapshot(&engine->mirror, subscriber);
        subscriber->owes_synced = true;
    }
    if (engine->health != NIO_INTACT) { /* the others have this mark already */
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

/* Answer the commands of a list that can be answered. A subscriber is attached
 * if the mirror is exact, or was read as a whole since the command came: later
 * changes are reported anyway, and on a busy network the mirror may never be
 * exact. A reconcile that was running when the command came may lack what the
 * subscriber wants. */
static void
serve(nio_engine *engine, nio_command **link, bool may_attach)
{
    bool exact = nio_engine_is_exact(engine);
    while (*link != NULL) {
        nio_command *command = *link;
        if (may_attach && (exact || engine->succeeded > command->after)) {
            *link = command->next;
            int status = attach(engine, command->subscriber);
            nio_subscriber_signal(command->subscriber);
            answer(engine, command, status);
        } else if (engine->failed > command->after) {
            *link = command->next;
            answer(engine, command, engine->failure);
        } else {
            link = &command->next;
        }
    }
}

void
nio_serve_attaching(nio_engine *engine)
{
    /* A socket that cannot be opened never becomes empty. */
    serve(engine, &engine->postponed, false);
    serve(engine, &engine->attaching, true);
}

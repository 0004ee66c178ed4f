/* SPDX-License-Identifier: MIT */
/* The one thread of an engine: hears the kernel, keeps the mirror, serves the
 * commands. Never takes the GIL, never waits for a subscriber. */
#define _GNU_SOURCE
#include "rtnetlink/engine/engine.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#define NS_PER_MS 1000000u
#define LOOK_AGAIN_NS 10000000u
#define ROUNDS 64 /* receives before anything else is looked at again */

/* A storm wakes a reader that keeps up with it for every few messages, which
 * doubles its work. So while more than one comes in COOLING_US, and STORM have
 * come beyond that, it pauses before it looks again: for as long as the kernel
 * at its fastest needs to fill an eighth of the receive buffer, and not at all
 * where that is small. An event on its own never waits, and what others
 * command ends the pause. */
#define COOLING_US 20u
#define STORM 64u
#define STORM_BYTES_PER_US 1280u /* an event each us, as it is charged */
#define LONGEST_PAUSE_US 500u
#define SHORTEST_PAUSE_US 100u

/* Until when the reader may sleep: -1 for ever, else milliseconds. */
static int
timeout_ms(const nio_engine *engine)
{
    if (!engine->broken && (engine->lost || engine->postponed != NULL)) {
        return 0;
    }
    if (!engine->broken && !nio_dirty_any(&engine->mirror.dirty)) {
        return -1;
    }
    uint64_t now = nio_monotonic_ns();
    if (now >= engine->not_before_ns) {
        return 0;
    }
    return (int)((engine->not_before_ns - now) / NS_PER_MS) + 1;
}

static void
wait_for_work(nio_engine *engine)
{
    struct pollfd waits[2] = {
        {.fd = nio_event_descriptor(&engine->wake), .events = POLLIN},
        {.fd = engine->events.socket, .events = POLLIN},
    };
    int limit = timeout_ms(engine);
    if (poll(waits, engine->broken ? 1 : 2, limit) < 0 && limit != 0) {
        /* Signals are blocked here: a program may have been left without the
         * right to two descriptors. */
        (void)nio_event_wait(&engine->wake, LOOK_AGAIN_NS);
    }
}

static void
pause_in_storm(nio_engine *engine, size_t taken)
{
    uint64_t now = nio_monotonic_ns();
    uint64_t cooled = (now - engine->heated_ns) / (1000 * COOLING_US);
    uint64_t pause_us =
        engine->counted.receive_buffer / (8 * STORM_BYTES_PER_US);
    struct pollfd wake = {.fd = nio_event_descriptor(&engine->wake),
                          .events = POLLIN};

    engine->heated_ns = now;
    engine->heat -= engine->heat < cooled ? engine->heat : cooled;
    engine->heat += taken;
    if (engine->heat < STORM || pause_us < SHORTEST_PAUSE_US || engine->lost) {
        return;
    }
    engine->heat = engine->heat < 2 * STORM ? engine->heat : 2 * STORM;
    pause_us = pause_us < LONGEST_PAUSE_US ? pause_us : LONGEST_PAUSE_US;
    struct timespec limit = {.tv_nsec = 1000 * (long)pause_us};
    (void)ppoll(&wake, 1, &limit, NULL);
}

/* Apply what is there. After a loss the kernel drops all until its queue is
 * empty: so only then the tables are worth reading. Who registers or cancels
 * waits for one receive at most: with many subscribers each takes long.
 * Returns how many messages came. */
static size_t
drain(nio_engine *engine)
{
    size_t taken = 0;
    for (int round = 0; round < ROUNDS; round++) {
        int count = nio_event_socket_receive(&engine->events);
        if (count == -ENOBUFS) {
            nio_engine_mark_lost(engine);
            continue;
        }
        if (count < 0) {
            /* The kernel says so as well that it could not tell something. */
            nio_engine_socket_failed(engine, count);
            return taken;
        }
        if (count == 0) {
            nio_engine_socket_is_empty(engine);
            engine->mirror.replaying = false;
            if (engine->lost) {
                nio_mirror_dirty_all(&engine->mirror);
                engine->lost = false;
            }
            return taken;
        }
        taken += (size_t)count;
        engine->mirror.fanout.time_ns = nio_realtime_ns();
        for (int i = 0; i < count; i++) {
            nio_datagram datagram =
                nio_event_socket_datagram(&engine->events, i);
            if (datagram.foreign || datagram.truncated) {
                engine->counted.ignored++;
                if (!datagram.foreign) {
                    nio_engine_mark_lost(engine);
                }
                continue;
            }
            nio_apply(engine, datagram.bytes);
        }
        nio_take_commands(engine);
        if (engine->stop || engine->attaching != NULL) {
            return taken;
        }
    }
    if (taken == 0) { /* it loses all: who waits must not wait for ever */
        nio_engine_socket_failed(engine, -ENOBUFS);
    }
    return taken;
}

/* Add what was counted to what others can read. */
static void
publish(nio_engine *engine)
{
    nio_statistics *counted = &engine->counted;
    nio_lock_take(&engine->lock);
    engine->statistics.messages += counted->messages;
    engine->statistics.ignored += counted->ignored;
    engine->statistics.overflows += counted->overflows;
    engine->statistics.resyncs += counted->resyncs;
    engine->statistics.receive_buffer = counted->receive_buffer;
    nio_lock_drop(&engine->lock);
    counted->messages = 0;
    counted->ignored = 0;
    counted->overflows = 0;
    counted->resyncs = 0;
}

/* Tell those who wait for it that the mirror is exact. */
static void
mark_synced(nio_engine *engine)
{
    nio_fanout *fanout = &engine->mirror.fanout;
    if (engine->lost || nio_dirty_any(&engine->mirror.dirty) ||
        engine->mirror.allocation_failed) {
        return;
    }
    const nio_change synced = {.time_ns = fanout->time_ns,
                               .kind = NIO_CHANGE_MARK,
                               .flags = NIO_FLAG_SYNCED};
    for (nio_subscriber *s = fanout->subscribers; s != NULL; s = s->next) {
        if (s->owes_synced && nio_mirror_reserve(&engine->mirror)) {
            s->owes_synced = false;
            nio_subscriber_put(s, &synced, NULL);
        }
    }
}

void
nio_reader_run(void *argument)
{
    nio_engine *engine = argument;
    nio_mirror *mirror = &engine->mirror;
    size_t taken = 0;
    nio_mirror_dirty_all(mirror);
    while (!engine->stop) {
        nio_fanout_signal(&mirror->fanout);
        pause_in_storm(engine, taken);
        wait_for_work(engine);
        nio_take_commands(engine);
        if (engine->broken && nio_monotonic_ns() >= engine->not_before_ns) {
            nio_engine_reopen(engine);
        }
        taken = engine->broken ? 0 : drain(engine);
        nio_fanout_signal(&mirror->fanout);
        if (!engine->stop && !engine->lost && nio_dirty_any(&mirror->dirty) &&
            nio_monotonic_ns() >= engine->not_before_ns) {
            nio_reconcile(engine);
        }
        if (mirror->derived_dirty && nio_mirror_reserve(mirror)) {
            mirror->derived_dirty = false;
            nio_derive(engine);
        }
        publish(engine);
        nio_serve_attaching(engine);
        mark_synced(engine);
        if (mirror->allocation_failed) {
            mirror->allocation_failed = false;
            nio_mirror_dirty_all(mirror);
            nio_engine_failed(engine, -ENOMEM);
        }
    }
}

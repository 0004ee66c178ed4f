/* SPDX-License-Identifier: MIT */
/* The thread of an engine. It receives the kernel's messages, keeps the mirror
 * exact and serves commands; it never takes the GIL and waits for no other
 * thread. What it does depends on the health of the stream of messages:
 *
 *   health   waits for                      does
 *   INTACT   messages and commands; with    applies the messages; then dumps
 *            dirty tables, also until a     the dirty tables, if a dump is due
 *            dump is due
 *   LOST     nothing                        applies messages until the socket
 *                                           is empty; then it is INTACT, and
 *                                           all tables are dirty
 *   BROKEN   commands; also until the       opens the socket again; then it is
 *            next attempt is due            LOST
 */
#define _GNU_SOURCE
#include "rtnetlink/engine/engine.h"

#include "rtnetlink/engine/trace.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#define NS_PER_MS 1000000u
#define MAX_RECEIVES 64 /* in a row, before the reader does anything else */
#define FALLBACK_WAIT_NS 10000000u

/* Without a pause, a reader that keeps up with a burst is woken for every few
 * messages, which doubles its work. A leaky bucket finds bursts: each datagram
 * adds one, and one leaks every DECAY_US. From BURST_MIN on the reader pauses
 * before it receives again: as long as the kernel at its fastest needs to fill
 * an eighth of the receive buffer, and not at all if the buffer is small. So a
 * message that comes alone never waits. A command ends the pause. */
#define DECAY_US 20u
#define BURST_MIN 64u
#define FILL_BYTES_PER_US 1280u /* one message, as the kernel charges it */
#define MAX_PAUSE_US 500u
#define MIN_PAUSE_US 100u

static bool
is_due(const nio_engine *engine)
{
    return nio_monotonic_ns() >= engine->due_ns;
}

static int
ms_until_due(const nio_engine *engine)
{
    uint64_t now = nio_monotonic_ns();
    return now >= engine->due_ns
               ? 0
               : (int)((engine->due_ns - now) / NS_PER_MS) + 1;
}

/* For poll(): -1 is without a limit. */
static int
timeout_ms(const nio_engine *engine)
{
    switch (engine->health) {
    case NIO_BROKEN:
        return ms_until_due(engine);
    case NIO_LOST:
        return 0;
    default:
        if (engine->postponed != NULL) {
            return 0; /* until the socket is empty */
        }
        return nio_dirty_any(&engine->mirror.dirty) ? ms_until_due(engine)
                                                    : -1;
    }
}

static void
wait_for_work(nio_engine *engine)
{
    struct pollfd waits[2] = {
        {.fd = nio_event_descriptor(&engine->wake), .events = POLLIN},
        {.fd = engine->events.socket, .events = POLLIN},
    };
    nfds_t count = engine->health == NIO_BROKEN ? 1 : 2;
    int limit = timeout_ms(engine);
    if (poll(waits, count, limit) < 0 && limit != 0) {
        /* Signals are blocked: poll() fails if the program has lowered its
         * limit of descriptors to less than two, or the kernel has no memory.
         */
        (void)nio_event_wait(&engine->wake, FALLBACK_WAIT_NS);
    }
}

static void
throttle_burst(nio_engine *engine, size_t received)
{
    uint64_t now = nio_monotonic_ns();
    uint64_t leaked = (now - engine->burst_ns) / (1000 * DECAY_US);
    uint64_t pause_us =
        engine->counted.receive_buffer / (8 * FILL_BYTES_PER_US);
    struct pollfd wake = {.fd = nio_event_descriptor(&engine->wake),
                          .events = POLLIN};

    engine->burst_ns = now;
    engine->burst -= engine->burst < leaked ? engine->burst : leaked;
    engine->burst += received;
    if (engine->burst < BURST_MIN || pause_us < MIN_PAUSE_US ||
        engine->health != NIO_INTACT) {
        return;
    }
    engine->burst =
        engine->burst < 2 * BURST_MIN ? engine->burst : 2 * BURST_MIN;
    pause_us = pause_us < MAX_PAUSE_US ? pause_us : MAX_PAUSE_US;
    struct timespec limit = {.tv_nsec = 1000 * (long)pause_us};
    (void)ppoll(&wake, 1, &limit, NULL);
}

/* Receive once, and apply what came. Returns the number of datagrams; 0 if the
 * socket is empty; a negative errno. */
static int
receive_and_apply(nio_engine *engine)
{
    int count = nio_event_socket_receive(&engine->events);
    if (count > 0) {
        nio_mirror_set_time(&engine->mirror);
    }
    for (int i = 0; i < count; i++) {
        nio_datagram datagram = nio_event_socket_datagram(&engine->events, i);
        if (datagram.foreign) {
            engine->counted.ignored++;
        } else if (datagram.truncated) {
            engine->counted.ignored++;
            nio_engine_mark_lost(engine);
        } else {
            nio_apply(engine, datagram.bytes);
        }
    }
    return count;
}

static void
on_empty_socket(nio_engine *engine)
{
    nio_take_postponed(engine);
    engine->mirror.replaying = false;
    if (nio_engine_is_exact(engine)) {
        nio_mirror_forget_gone_links(&engine->mirror);
    }
    if (engine->health == NIO_LOST) {
        nio_mirror_dirty_all(&engine->mirror);
        engine->health = NIO_INTACT;
    }
}

/* Empty the socket. After a loss the kernel drops every message until its
 * queue is empty, so the tables are not dumped before that. Applying the
 * messages of one receive to many subscribers takes long, so commands are
 * served after each receive, and a new subscriber ends the loop. Returns the
 * number of datagrams. */
static size_t
drain(nio_engine *engine)
{
    size_t received = 0;
    for (int i = 0; i < MAX_RECEIVES; i++) {
        int count = receive_and_apply(engine);
        if (count == 0) {
            on_empty_socket(engine);
            return received;
        }
        if (count == -ENOBUFS) {
            nio_engine_mark_lost(engine);
            continue;
        }
        if (count < 0) {
            nio_engine_socket_failed(engine, count);
            return received;
        }
        received += (size_t)count;
        nio_take_commands(engine);
        if (engine->stop || engine->attaching != NULL) {
            return received;
        }
    }
    if (received == 0) {
        /* Every receive reported a loss, and this may go on. It counts as a
         * failure, since new subscribers get failures alone and would
         * otherwise wait forever. */
        nio_engine_socket_failed(engine, -ENOBUFS);
    }
    return received;
}

/* One line of the table above. Returns the number of datagrams. */
static size_t
step(nio_engine *engine)
{
    size_t received = 0;
    if (engine->health == NIO_BROKEN && is_due(engine)) {
        nio_engine_reopen(engine);
    }
    if (engine->health != NIO_BROKEN) {
        received = drain(engine);
    }
    nio_fanout_signal(&engine->mirror.fanout); /* a dump may take long */
    if (engine->health == NIO_INTACT && !engine->stop &&
        nio_dirty_any(&engine->mirror.dirty) && is_due(engine)) {
        nio_reconcile(engine);
    }
    return received;
}

/* Add what the reader has counted to what other threads can read. */
static void
publish_statistics(nio_engine *engine)
{
    nio_statistics *counted = &engine->counted;
    nio_lock_take(&engine->lock);
    engine->statistics.messages += counted->messages;
    engine->statistics.ignored += counted->ignored;
    engine->statistics.overflows += counted->overflows;
    engine->statistics.resyncs += counted->resyncs;
    engine->statistics.receive_buffer = counted->receive_buffer;
    engine->statistics.unreadable =
        (uint64_t)engine->mirror.unreadable[0] + engine->mirror.unreadable[1];
    nio_lock_drop(&engine->lock);
    counted->messages = 0;
    counted->ignored = 0;
    counted->overflows = 0;
    counted->resyncs = 0;
}

static void
mark_synced(nio_engine *engine)
{
    nio_fanout *fanout = &engine->mirror.fanout;
    const nio_change mark = {.time_ns = fanout->time_ns,
                             .kind = NIO_CHANGE_MARK,
                             .flags = NIO_FLAG_SYNCED};
    if (!nio_engine_is_exact(engine)) {
        return;
    }
    for (nio_subscriber *s = fanout->subscribers; s != NULL; s = s->next) {
        if (s->owes_synced && nio_mirror_reserve(&engine->mirror)) {
            s->owes_synced = false;
            nio_subscriber_put(s, &mark, NULL);
        }
    }
}

void
nio_reader_run(void *argument)
{
    nio_engine *engine = argument;
    nio_mirror *mirror = &engine->mirror;
    size_t received = 0;
    NIO_TRACE(engine, "reader starts");
    nio_mirror_dirty_all(mirror);
    while (!engine->stop) {
        nio_fanout_signal(&mirror->fanout);
        throttle_burst(engine, received);
        wait_for_work(engine);
        nio_take_commands(engine);
        received = step(engine);
        if (mirror->derived_dirty && nio_mirror_reserve(mirror)) {
            mirror->derived_dirty = false;
            nio_derive(engine);
        }
        publish_statistics(engine);
        nio_serve_attaching(engine);
        mark_synced(engine);
        if (mirror->allocation_failed) {
            mirror->allocation_failed = false;
            nio_mirror_dirty_all(mirror);
            nio_engine_failed(engine, -ENOMEM);
        }
    }
}

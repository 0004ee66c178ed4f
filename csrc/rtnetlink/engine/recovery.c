/* SPDX-License-Identifier: MIT */
/* What an engine does about errors. None is final: a broken socket is opened
 * again, and what was missed meanwhile is read, with exponential backoff up to
 * 1.28 s. Subscribers get an OVERFLOW mark at once; a new subscriber gets the
 * error itself if it lasts. Meanwhile the reader waits as always: for
 * commands, and until the next attempt is due. */
#include "rtnetlink/engine/engine.h"

#include "rtnetlink/engine/trace.h"

#include <inttypes.h>

#define FIRST_DELAY_NS 10000000u
#define MAX_DOUBLINGS 7u
#define FAILURES_BEFORE_ERROR 3u /* in a row, to new subscribers */

static void
mark_overflow(nio_engine *engine)
{
    engine->counted.overflows++;
    nio_mirror_set_time(&engine->mirror);
    nio_fanout_mark_overflow(&engine->mirror.fanout);
}

void
nio_engine_mark_lost(nio_engine *engine)
{
    NIO_TRACE(engine, "overflow: messages were lost");
    nio_engine_note_loss(engine);
    mark_overflow(engine);
}

void
nio_engine_failed(nio_engine *engine, int status)
{
    unsigned doublings =
        engine->failures < MAX_DOUBLINGS ? engine->failures : MAX_DOUBLINGS;
    if (engine->failures++ == 0) {
        mark_overflow(engine);
    }
    if (engine->failures >= FAILURES_BEFORE_ERROR) {
        engine->failed = ++engine->reconciles;
        engine->failure = status;
    }
    uint64_t delay_ns = (uint64_t)FIRST_DELAY_NS << doublings;
    NIO_TRACE(engine, "failure %u, errno %d: next attempt in %" PRIu64 " ms",
              engine->failures, -status, delay_ns / 1000000);
    engine->due_ns = nio_monotonic_ns() + delay_ns;
}

void
nio_engine_socket_failed(nio_engine *engine, int status)
{
    NIO_TRACE(engine, "recovery: the socket returned errno %d", -status);
    engine->health = NIO_BROKEN;
    nio_engine_failed(engine, status);
}

void
nio_engine_reopen(nio_engine *engine)
{
    /* The child of a fork closes the sockets by their numbers: none may change
     * meanwhile, or the child keeps a socket that nothing reads. */
    nio_engine_list_take();
    int status = nio_event_socket_renew(&engine->events);
    if (engine->requests.socket == engine->events.socket) {
        /* The program has closed both sockets, and the new one got the number
         * of the other: a request there would be answered here. */
        engine->requests.socket = -1;
        engine->requests.unread = true; /* so that it is opened again, too */
    }
    nio_engine_list_drop();
    if (status == 0) {
        status = nio_engine_join(engine);
    }
    if (status == 0) {
        status = nio_rejoin_routes(engine);
    }
    if (status < 0) {
        nio_engine_failed(engine, status);
        return;
    }
    NIO_TRACE(engine, "recovery: the socket is open again");
    engine->health = NIO_LOST;
}

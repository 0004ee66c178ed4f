/* SPDX-License-Identifier: MIT */
/* What an engine does about an error: it goes on. No error of a socket or of
 * memory is final: what broke is opened anew, later and later up to a bound,
 * and what was missed meanwhile is read. Who subscribes is told at once that
 * there is a gap, and who wants to join learns after a few tries why it cannot
 * be. The reader waits as ever: for commands, and until it may try again. */
#include "rtnetlink/engine/engine.h"

#define FIRST_PAUSE_NS 10000000u
#define LONGEST_DOUBLING 7u /* 1.28 s */
#define PATIENCE 3u         /* failures in a row that a newcomer waits for */

void
nio_engine_mark_lost(nio_engine *engine)
{
    engine->lost = true;
    engine->counted.overflows++;
    engine->mirror.fanout.time_ns = nio_realtime_ns();
    nio_fanout_mark_overflow(&engine->mirror.fanout);
}

void
nio_engine_failed(nio_engine *engine, int status)
{
    unsigned doubling = engine->failures < LONGEST_DOUBLING ? engine->failures
                                                            : LONGEST_DOUBLING;
    if (engine->failures++ == 0) {
        engine->counted.overflows++;
        engine->mirror.fanout.time_ns = nio_realtime_ns();
        nio_fanout_mark_overflow(&engine->mirror.fanout);
    }
    if (engine->failures >= PATIENCE) {
        engine->failed = ++engine->begun;
        engine->failure = status;
    }
    engine->not_before_ns =
        nio_monotonic_ns() + ((uint64_t)FIRST_PAUSE_NS << doubling);
}

void
nio_engine_socket_failed(nio_engine *engine, int status)
{
    engine->broken = true;
    engine->lost = true;
    nio_engine_failed(engine, status);
}

void
nio_engine_reopen(nio_engine *engine)
{
    /* A fork must find the new socket where it looks for it, or its child
     * keeps one that nobody reads. */
    nio_engine_list_take();
    int status = nio_event_socket_renew(&engine->events);
    if (engine->requests.socket == engine->events.socket) {
        /* The program has closed both, and the feed was given the number of
         * the other one: what is asked there would be answered here. */
        engine->requests.socket = -1;
        engine->requests.unread = true; /* so that it is opened anew */
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
    engine->broken = false;
}

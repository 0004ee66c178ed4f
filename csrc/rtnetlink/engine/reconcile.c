/* SPDX-License-Identifier: MIT */
/* Reads the dirty tables again and reports the differences. This one routine
 * serves the start of an engine, links that go down, addresses and nexthop
 * objects that are removed, lost messages, and dumps with which changes raced.
 *
 * 1. Barrier: ask for one link. The kernel answers under the RTNL lock, so a
 *    change that was in progress when its message was sent is complete.
 * 2. Dump. Messages that arrive meanwhile go to the backlog (backlog.h) and
 *    are not applied: each may be older or newer than the row of the dump.
 * 3. Compare: a row of the mirror that the dump does not contain is gone.
 * 4. Apply the backlog in order. A message is the state of one identity at its
 *    time, so the last message of an identity leaves it right. The cause of a
 *    silent change in between, such as a link that went down, has a message of
 *    its own, which makes the mirror dirty again. Where several routes share
 * an identity and the dump shows fewer of them than before, a message may mean
 *    one that is gone already: it is ambiguous, and the routes are read again.
 *
 * Routes change while they are dumped: read_routes.c. */
#include "rtnetlink/engine/engine.h"

#include "rtnetlink/engine/trace.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define MAX_ATTEMPTS 3u
#define MAX_PAUSE_NS 1000000000u
#define MAX_RECEIVES 64u   /* between two parts: a flood has no end */
#define COMMANDS_EVERY 64u /* datagrams of the backlog */

/* Called between the parts of a dump, so that the receive buffer does not fill
 * up and no command waits for the whole dump. */
static void
between_parts(void *context)
{
    nio_engine *engine = context;
    nio_take_commands(engine);
    bool is_empty = nio_collect(engine, MAX_RECEIVES);
    nio_end_route_part(engine, is_empty);
}

/* A table that changes too fast to be dumped now stays dirty, which is no
 * error. */
static int
retry_later(int status, bool *dirty)
{
    *dirty |= status == -EAGAIN;
    return status == -EAGAIN ? 0 : status;
}

static int
read_links(nio_engine *engine, const nio_dirty *dirty)
{
    nio_dirty *found = &engine->mirror.dirty;
    nio_mirror_begin_dump(&engine->mirror);
    /* The barrier: lo always exists. */
    int status = nio_dump_link(&engine->dumper, NIO_LOOPBACK_INDEX);
    if (status == 0 && dirty->all_links) {
        status =
            retry_later(nio_dump_links(&engine->dumper), &found->all_links);
    }
    for (size_t i = 0; status == 0 && i < dirty->link_count; i++) {
        status = nio_dump_link(&engine->dumper, dirty->links[i]);
    }
    if (status == 0 && (dirty->neighbours || found->neighbours)) {
        status = nio_dump_neighbour_times(&engine->dumper);
        found->neighbours = status < 0;
        status = retry_later(status, &found->neighbours);
    }
    return status;
}

static int
read_tables(nio_engine *engine, nio_dirty *dirty)
{
    nio_dirty *found = &engine->mirror.dirty;
    int status = read_links(engine, dirty);
    /* What the links made dirty below them is read at once. */
    dirty->addresses |= found->addresses;
    dirty->nexthops |= found->nexthops;
    dirty->routes[0] |= found->routes[0];
    dirty->routes[1] |= found->routes[1];
    found->addresses = false;
    found->nexthops = false;
    found->routes[0] = false;
    found->routes[1] = false;
    if (status == 0 && dirty->addresses) {
        status = retry_later(nio_dump_addresses(&engine->dumper),
                             &found->addresses);
    }
    if (status == 0 && dirty->nexthops) {
        status =
            retry_later(nio_dump_nexthops(&engine->dumper), &found->nexthops);
    }
    if (status == 0 && (dirty->routes[0] || dirty->raced[0])) {
        status = nio_read_routes_again(engine, AF_INET, dirty->routes[0]);
    }
    if (status == 0 && (dirty->routes[1] || dirty->raced[1])) {
        status = nio_read_routes_again(engine, AF_INET6, dirty->routes[1]);
    }
    return status;
}

/* What could not be read stays dirty. */
static void
keep_dirty(nio_mirror *mirror, const nio_dirty *unread)
{
    nio_dirty *dirty = &mirror->dirty;
    bool routes = mirror->wants_routes;
    dirty->all_links |= unread->all_links || unread->link_count > 0;
    dirty->neighbours |= unread->neighbours;
    dirty->addresses |= unread->addresses;
    dirty->nexthops |= routes && unread->nexthops;
    dirty->routes[0] |= routes && (unread->routes[0] || unread->raced[0]);
    dirty->routes[1] |= routes && (unread->routes[1] || unread->raced[1]);
}

static void
apply_backlog(nio_engine *engine)
{
    nio_bytes datagram;
    unsigned count = 0;
    while (!engine->stop && nio_backlog_next(&engine->backlog, &datagram,
                                             &engine->mirror.fanout.time_ns)) {
        nio_apply(engine, datagram);
        if (++count % COMMANDS_EVERY == 0) {
            nio_take_commands(engine);
        }
    }
    nio_backlog_clear(&engine->backlog);
}

static void
prepare_requests(nio_engine *engine)
{
    engine->requests.between = between_parts;
    engine->requests.context = engine;
    engine->dumper = (nio_dumper){.requests = &engine->requests,
                                  .mirror = &engine->mirror,
                                  .stop = &engine->stop,
                                  .max_attempts = MAX_ATTEMPTS};
}

/* Applies what the kernel announces of changes that are being made: the answer
 * to the barrier comes after their last message. Else the dump would overtake
 * these messages, and what it finds would be reported as if there were none.
 * An error shows again in the dumps. */
static void
apply_announced(nio_engine *engine)
{
    (void)nio_dump_link(&engine->dumper, NIO_LOOPBACK_INDEX);
    (void)nio_collect(engine, MAX_RECEIVES);
    apply_backlog(engine);
}

static void
begin(nio_engine *engine)
{
    nio_mirror *mirror = &engine->mirror;
    memset(&mirror->dirty, 0, sizeof(mirror->dirty));
    if (!mirror->replaying) { /* else ambiguous records stay ambiguous */
        mirror->replay = (uint8_t)(mirror->replay % UINT8_MAX + 1);
    }
    nio_mirror_set_time(mirror);
    mirror->fanout.flags = NIO_FLAG_SYNTHESIZED;
}

void
nio_reconcile(nio_engine *engine)
{
    nio_mirror *mirror = &engine->mirror;
    uint64_t began_ns = nio_monotonic_ns();
    uint64_t number = ++engine->reconciles;
    prepare_requests(engine);
    apply_announced(engine);
    nio_dirty dirty = mirror->dirty;
    begin(engine);
    int status = read_tables(engine, &dirty);
    between_parts(engine);
    mirror->fanout.flags = 0;
    mirror->replaying = true; /* until the socket is empty */
    apply_backlog(engine);
    nio_mirror_dirty_held(mirror);
    assert(nio_mirror_is_sound(mirror));
    if (engine->health != NIO_INTACT) {
        nio_engine_mark_lost(engine);
    }
    engine->counted.resyncs++;
    if (mirror->allocation_failed) {
        /* Everything was read, but not everything was stored. */
        mirror->allocation_failed = false;
        nio_mirror_dirty_all(mirror);
        status = -ENOMEM;
    }
    uint64_t now = nio_monotonic_ns();
    uint64_t duration_ns = now - began_ns;
    if (nio_debug_enabled) {
        nio_trace_reconcile(engine, number, &dirty, duration_ns, status);
    }
    if (status < 0) {
        keep_dirty(mirror, &dirty);
        nio_engine_failed(engine, status);
        return;
    }
    if (engine->health == NIO_BROKEN) {
        return;
    }
    engine->failures = 0;
    engine->succeeded = number;
    /* At most half of the time is spent on dumps. */
    engine->due_ns =
        now + (duration_ns > MAX_PAUSE_NS ? MAX_PAUSE_NS : duration_ns);
}

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
 *    time, so the last message of an identity leaves it right. A silent change
 *    in between had a trigger of its own, which makes the mirror dirty again.
 *    A message that means one of several routes of the same identity becomes
 *    ambiguous where there are fewer of them now: they are read again.
 *
 * A dump of several parts may lack rows if the table changes between two parts
 * (the walk of an IPv6 table starts again and skips as many rows as it gave
 * before). Such a dump is repeated: a row that one of three dumps contains
 * exists, a row that none of the three contains is gone. */
#include "rtnetlink/engine/engine.h"

#include "rtnetlink/engine/trace.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define MAX_ATTEMPTS 3u
#define MAX_PAUSE_NS 1000000000u
#define MAX_RECEIVES 64    /* between two parts: a flood has no end */
#define COMMANDS_EVERY 64u /* datagrams of the backlog */

/* Keep a datagram, and count its messages of routes. */
static void
keep(nio_engine *engine, nio_datagram datagram, uint64_t time_ns)
{
    struct nlmsghdr header;
    nio_bytes body, bytes = datagram.bytes;
    if (datagram.foreign || datagram.truncated) {
        engine->counted.ignored++;
    }
    if (datagram.foreign) {
        return;
    }
    if (datagram.truncated ||
        !nio_backlog_add(&engine->backlog, datagram.bytes, time_ns)) {
        nio_engine_note_loss(engine);
        return;
    }
    while (nio_message_next(&bytes, &header, &body)) {
        if ((header.nlmsg_type == RTM_NEWROUTE ||
             header.nlmsg_type == RTM_DELROUTE) &&
            body.left > 0) {
            engine->route_messages[NIO_FAMILY_BIT(body.at[0])]++;
        }
    }
}

/* Move what the socket holds to the backlog. */
static void
collect(nio_engine *engine)
{
    for (int i = 0; i < MAX_RECEIVES && engine->health != NIO_BROKEN; i++) {
        int count = nio_event_socket_receive(&engine->events);
        uint64_t now = nio_realtime_ns();
        if (count == 0) {
            return;
        }
        if (count == -ENOBUFS) {
            nio_engine_note_loss(engine);
        } else if (count < 0) {
            nio_engine_socket_failed(engine, count);
        }
        for (int j = 0; j < count; j++) {
            keep(engine, nio_event_socket_datagram(&engine->events, j), now);
        }
    }
}

/* Called between the parts of a dump, so that neither the kernel's buffer nor
 * a thread that left a command waits for the whole dump. */
static void
between_parts(void *context)
{
    nio_engine *engine = context;
    nio_take_commands(engine);
    collect(engine);
}

static int
on_route(void *context, const struct nlmsghdr *header, nio_bytes body)
{
    nio_engine *engine = context;
    (void)header;
    if (!engine->mirror.wants_routes) {
        return -ECANCELED; /* the last subscriber to routes is detached */
    }
    engine->dumper.rows++;
    int status =
        nio_decode_route(body, &engine->mirror.nexthops, &engine->legs);
    if (status == 0 &&
        nio_table_set_contains(&engine->tables, engine->legs.head.table)) {
        nio_mirror_dumped_route(&engine->mirror, &engine->legs);
    }
    return engine->stop ? -ECANCELED : status == -ENOMEM ? status : 0;
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

/* `has_reason`: something beside a race made the routes dirty, such as a link
 * that went down. A row that an earlier dump contains may have gone silently
 * with it, so a new series of dumps begins. */
static int
read_routes(nio_engine *engine, uint8_t family, bool has_reason)
{
    unsigned bit = NIO_FAMILY_BIT(family);
    nio_route_dumps *dumps = &engine->route_dumps[bit];
    nio_answer answer;
    engine->route_messages[bit] = 0;
    engine->mirror.dead_legs[bit] = false;
    int status = nio_dump_table(&engine->dumper, RTM_GETROUTE, family,
                                on_route, engine, &answer);
    if (!engine->mirror.wants_routes) {
        return 0;
    }
    if (status < 0 && status != -EAGAIN) {
        return status == -EAFNOSUPPORT || status == -EOPNOTSUPP ? 0 : status;
    }
    between_parts(engine); /* what raced with the last part */
    bool lost = engine->health != NIO_INTACT;
    bool raced = lost || status == -EAGAIN ||
                 (answer.parts > 2 && engine->route_messages[bit] > 0);
    const uint32_t mark = engine->mirror.mark;
    dumps->marks[2] = raced ? dumps->marks[1] : mark;
    dumps->marks[1] = raced ? dumps->marks[0] : mark;
    dumps->marks[0] = mark;
    dumps->count = has_reason ? 1 : dumps->count + 1;
    if (dumps->marks[2] != 0 && !lost) {
        nio_mirror_sweep_routes(&engine->mirror, family, dumps->marks[2]);
    }
    if (raced && (dumps->count < MAX_ATTEMPTS || lost)) {
        engine->mirror.dirty.raced[bit] = true;
    } else {
        dumps->count = 0;
    }
    return 0;
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
        status = read_routes(engine, AF_INET, dirty->routes[0]);
    }
    if (status == 0 && (dirty->routes[1] || dirty->raced[1])) {
        status = read_routes(engine, AF_INET6, dirty->routes[1]);
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
begin(nio_engine *engine)
{
    nio_mirror *mirror = &engine->mirror;
    memset(&mirror->dirty, 0, sizeof(mirror->dirty));
    if (!mirror->replaying) { /* else ambiguous records stay ambiguous */
        mirror->replay = (uint8_t)(mirror->replay % UINT8_MAX + 1);
    }
    mirror->fanout.time_ns = nio_realtime_ns();
    mirror->fanout.flags = NIO_FLAG_SYNTHESIZED;
    engine->requests.between = between_parts;
    engine->requests.context = engine;
    engine->dumper = (nio_dumper){.requests = &engine->requests,
                                  .mirror = mirror,
                                  .stop = &engine->stop,
                                  .max_attempts = MAX_ATTEMPTS};
}

void
nio_reconcile(nio_engine *engine)
{
    nio_mirror *mirror = &engine->mirror;
    nio_dirty dirty = mirror->dirty;
    uint64_t began_ns = nio_monotonic_ns();
    uint64_t number = ++engine->reconciles;
    begin(engine);
    int status = read_tables(engine, &dirty);
    between_parts(engine);
    mirror->fanout.flags = 0;
    mirror->replaying = true; /* until the socket is empty */
    apply_backlog(engine);
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

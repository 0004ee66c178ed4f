/* SPDX-License-Identifier: MIT */
/* Reads again what is dirty and tells the difference: the one routine behind
 * the start, links that go down, addresses and nexthop objects that go, lost
 * messages and dumps that raced with changes.
 *
 * 1. Barrier: ask for one link. The answer waits for the RTNL lock, so what
 *    the kernel was in the middle of when it told us is done.
 * 2. Dump. What the feed brings meanwhile is kept (backlog.h), not applied:
 *    it may be older than a row of the dump or newer.
 * 3. Compare: what no row of the dump was is gone.
 * 4. Apply the backlog in order. Each message is the state of one identity at
 *    its time, so the last one of each leaves it right; a silent change in
 *    between had its own trigger, which makes the mirror dirty again. Where a
 *    message means one of several, and there are fewer now, it is read again.
 *
 * A dump in several parts may miss rows when its table changes between them
 * (an IPv6 walk begins anew and skips as many rows as it gave). Such a dump
 * is repeated: what one of up to three has seen is there, what none of them
 * has seen is gone. */
#include "rtnetlink/engine/engine.h"

#include <assert.h>
#include <errno.h>
#include <linux/if_link.h>
#include <string.h>
#include <sys/socket.h>

#define MAX_ATTEMPTS 3u
#define LONGEST_PAUSE_NS 1000000000u
#define ROUNDS 64 /* receives between two parts: a flood has no end */

/* Keep what the feed brings; look at commands. Between the parts of a dump,
 * so that neither the kernel's buffer nor a cancelling thread waits long. */
static void
between(void *context)
{
    nio_engine *engine = context;
    int count;
    nio_take_commands(engine);
    for (int round = 0; round < ROUNDS && !engine->broken; round++) {
        count = nio_event_socket_receive(&engine->events);
        if (count == 0) {
            return;
        }
        uint64_t now = nio_realtime_ns();
        if (count < 0) {
            engine->lost = true;
            if (count != -ENOBUFS) {
                nio_engine_socket_failed(engine, count);
            }
            continue;
        }
        for (int i = 0; i < count; i++) {
            nio_datagram datagram =
                nio_event_socket_datagram(&engine->events, i);
            struct nlmsghdr header;
            nio_bytes body, bytes = datagram.bytes;
            if (datagram.foreign || datagram.truncated) {
                engine->counted.ignored++;
                engine->lost |= !datagram.foreign;
                continue;
            }
            engine->lost |=
                !nio_backlog_add(&engine->backlog, datagram.bytes, now);
            while (nio_message_next(&bytes, &header, &body)) {
                if ((header.nlmsg_type == RTM_NEWROUTE ||
                     header.nlmsg_type == RTM_DELROUTE) &&
                    body.left > 0) {
                    engine->churn[NIO_FAMILY_BIT(body.at[0])]++;
                }
            }
        }
    }
}

static int
on_route(void *context, const struct nlmsghdr *header, nio_bytes body)
{
    nio_engine *engine = context;
    (void)header;
    if (!engine->mirror.wants_routes) {
        return -ECANCELED; /* the last who wanted them has left meanwhile */
    }
    int status =
        nio_decode_route(body, &engine->mirror.nexthops, &engine->legs);
    if (status == 0 &&
        nio_table_set_contains(&engine->tables, engine->legs.head.table)) {
        nio_mirror_dumped_route(&engine->mirror, &engine->legs);
    }
    return engine->stop ? -ECANCELED : status == -ENOMEM ? status : 0;
}

/* A table that changes too fast to be read now is read once more later. */
static int
later(int status, bool *dirty)
{
    *dirty |= status == -EAGAIN;
    return status == -EAGAIN ? 0 : status;
}

static int
read_links(nio_engine *engine, const nio_dirty *dirty)
{
    nio_dirty *found = &engine->mirror.dirty;
    nio_mirror_begin_dump(&engine->mirror);
    int status = nio_dump_link(&engine->dumper, NIO_LOOPBACK_INDEX);
    if (status == 0 && dirty->all_links) {
        status = later(nio_dump_links(&engine->dumper), &found->all_links);
    }
    for (size_t i = 0; status == 0 && i < dirty->link_count; i++) {
        status = nio_dump_link(&engine->dumper, dirty->links[i]);
    }
    if (status == 0 && (dirty->neighbours || found->neighbours)) {
        status = nio_dump_neighbour_times(&engine->dumper);
        found->neighbours = status < 0;
        status = later(status, &found->neighbours);
    }
    return status;
}

/* Ask for another reading, or end a series of them. What one of them has seen
 * may be gone in silence since, if there was a reason to read after it (a link
 * went down, messages were lost): that reason begins a new series. */
static int
read_routes(nio_engine *engine, uint8_t family, bool reason)
{
    unsigned bit = NIO_FAMILY_BIT(family);
    nio_attempts *attempts = &engine->attempts[bit];
    nio_answer answer;
    engine->churn[bit] = 0;
    engine->mirror.dead_legs[bit] = false;
    int status = nio_dump_table(&engine->dumper, RTM_GETROUTE, family,
                                on_route, engine, &answer);
    if (!engine->mirror.wants_routes) {
        return 0;
    }
    if (status < 0 && status != -EAGAIN) {
        return status == -EAFNOSUPPORT || status == -EOPNOTSUPP ? 0 : status;
    }
    between(engine); /* what raced with the last part */
    bool raced = status == -EAGAIN ||
                 (answer.parts > 2 && engine->churn[bit] > 0) || engine->lost;
    const uint32_t mark = engine->mirror.mark;
    attempts->marks[2] = raced ? attempts->marks[1] : mark;
    attempts->marks[1] = raced ? attempts->marks[0] : mark;
    attempts->marks[0] = mark;
    attempts->count = reason ? 1 : attempts->count + 1;
    /* What none of the last three has seen, if there were so many. */
    if (attempts->marks[2] != 0 && !engine->lost) {
        nio_mirror_sweep_routes(&engine->mirror, family, attempts->marks[2]);
    }
    if (raced && (attempts->count < MAX_ATTEMPTS || engine->lost)) {
        engine->mirror.dirty.raced[bit] = true;
    } else {
        attempts->count = 0;
    }
    return 0;
}

/* What could not be read stays dirty. */
static void
merge(nio_mirror *mirror, const nio_dirty *unread)
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

static int
read_all(nio_engine *engine, nio_dirty *dirty)
{
    nio_dirty *found = &engine->mirror.dirty;
    int status = read_links(engine, dirty);
    /* What the links have shown to be dirty below them is read right now. */
    dirty->addresses |= found->addresses;
    dirty->nexthops |= found->nexthops;
    dirty->routes[0] |= found->routes[0];
    dirty->routes[1] |= found->routes[1];
    found->addresses = false;
    found->nexthops = false;
    found->routes[0] = false;
    found->routes[1] = false;
    if (status == 0 && dirty->addresses) {
        status = later(nio_dump_addresses(&engine->dumper), &found->addresses);
    }
    if (status == 0 && dirty->nexthops) {
        status = later(nio_dump_nexthops(&engine->dumper), &found->nexthops);
    }
    if (status == 0 && (dirty->routes[0] || dirty->raced[0])) {
        status = read_routes(engine, AF_INET, dirty->routes[0]);
    }
    if (status == 0 && (dirty->routes[1] || dirty->raced[1])) {
        status = read_routes(engine, AF_INET6, dirty->routes[1]);
    }
    return status;
}

static void
apply_backlog(nio_engine *engine)
{
    nio_bytes datagram;
    unsigned count = 0;
    while (!engine->stop && nio_backlog_next(&engine->backlog, &datagram,
                                             &engine->mirror.fanout.time_ns)) {
        nio_apply(engine, datagram);
        if (++count % ROUNDS == 0) {
            nio_take_commands(engine); /* a long one is no reason to wait */
        }
    }
    nio_backlog_clear(&engine->backlog);
}

void
nio_reconcile(nio_engine *engine)
{
    nio_mirror *mirror = &engine->mirror;
    nio_dirty dirty = mirror->dirty;
    uint64_t began = nio_monotonic_ns();
    uint64_t number = ++engine->begun;
    memset(&mirror->dirty, 0, sizeof(mirror->dirty));
    if (!mirror
             ->replaying) { /* else what was ambiguous_in_replay is so still */
        mirror->replay = (uint8_t)(mirror->replay % UINT8_MAX + 1);
    }
    mirror->fanout.time_ns = nio_realtime_ns();
    mirror->fanout.flags = NIO_FLAG_SYNTHESIZED;
    engine->requests.between = between;
    engine->requests.context = engine;
    engine->dumper = (nio_dumper){.requests = &engine->requests,
                                  .mirror = mirror,
                                  .stop = &engine->stop,
                                  .max_attempts = MAX_ATTEMPTS};

    int status = read_all(engine, &dirty);
    between(engine);
    mirror->fanout.flags = 0;
    mirror->replaying = true; /* until the feed is empty */
    apply_backlog(engine);
    assert(nio_mirror_is_sound(mirror));
    if (engine->lost) {
        nio_engine_mark_lost(engine);
    }
    engine->counted.resyncs++;
    if (mirror->allocation_failed) {
        /* What found no room is missing, though all of it was read. */
        mirror->allocation_failed = false;
        nio_mirror_dirty_all(mirror);
        status = -ENOMEM;
    }
    if (status < 0) {
        merge(mirror, &dirty);
        nio_engine_failed(engine, status);
        return;
    }
    if (engine->broken) {
        return;
    }
    engine->failures = 0;
    engine->read = number;
    uint64_t now = nio_monotonic_ns();
    uint64_t pause = now - began; /* at most half of the time goes to this */
    engine->not_before_ns =
        now + (pause > LONGEST_PAUSE_NS ? LONGEST_PAUSE_NS : pause);
}

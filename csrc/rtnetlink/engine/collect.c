/* SPDX-License-Identifier: MIT */
/* Messages that arrive while tables are dumped: they go to the backlog, and
 * route messages are also noted in the dump of routes, since they show where
 * it may lack rows. */
#include "rtnetlink/engine/engine.h"

#include "rtnetlink/mirror/route_race.h"

#include <errno.h>

/* Add a datagram to the backlog, and note its messages. */
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
        nio_route_dump_note(&engine->route_dump, &engine->mirror.decode,
                            &engine->legs, &header, body);
    }
}

bool
nio_collect(nio_engine *engine, unsigned receives)
{
    for (unsigned i = 0; i < receives && engine->health != NIO_BROKEN; i++) {
        int count = nio_event_socket_receive(&engine->events);
        uint64_t now = nio_realtime_ns();
        if (count == 0) {
            return true;
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
    return false;
}

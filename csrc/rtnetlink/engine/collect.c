/* SPDX-License-Identifier: MIT */
/* Messages that arrive while tables are dumped: they go to the backlog, and
 * route messages are also noted in the dump of routes, since they show where
 * it may lack rows. */
#include "rtnetlink/engine/engine.h"

#include <errno.h>

/* Note a message in the dump of routes, if one is being read. */
static void
note_message(nio_engine *engine, const struct nlmsghdr *header, nio_bytes body)
{
    nio_route_dump *dump = &engine->route_dump;
    bool deletes = false;
    if (dump->family == AF_UNSPEC || body.left == 0) {
        return;
    }
    switch (header->nlmsg_type) {
    case RTM_NEWROUTE:
        deletes = (header->nlmsg_flags & NLM_F_REPLACE) != 0;
        break;
    case RTM_DELROUTE:
        deletes = true;
        break;
    case RTM_NEWLINK:
    case RTM_DELLINK:
    case RTM_DELADDR:
    case RTM_NEWNEXTHOP:
    case RTM_DELNEXTHOP:
        nio_route_dump_silence(dump);
        return;
    default:
        return;
    }
    if (body.at[0] == dump->family) {
        int status =
            nio_decode_route(body, &engine->mirror.decode, &engine->legs);
        const nio_route *head = &engine->legs.head;
        bool has_place = status == 0 && !nio_has_source_prefix(head);
        nio_route_dump_message(dump, deletes, has_place ? head : NULL);
    }
}

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
        note_message(engine, &header, body);
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

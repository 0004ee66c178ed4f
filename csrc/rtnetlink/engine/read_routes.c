/* SPDX-License-Identifier: MIT */
/* Reads the routes of one family again. One call makes one dump of a series,
 * which goes on until nothing is undecided.
 *
 * Where changes race with a dump, some of its gaps are open (route_dump.h): a
 * route in there may exist though the dump lacks it. So a known route that the
 * dump lacks is removed only outside these gaps, and the dump is repeated
 * until no place has been in an open gap of every dump of the series. Then the
 * mirror has exactly the routes of the kernel.
 *
 * A silent change may remove what an earlier dump of the series has shown, so
 * each reason to read (a link that went down, lost messages) begins a new
 * series. */
#include "rtnetlink/engine/engine.h"

#include <errno.h>
#include <sys/socket.h>

/* More than what a receive buffer of 64 MiB holds. */
#define RECEIVES_OF_A_FULL_SOCKET 2048u

static bool
knows_links(nio_engine *engine)
{
    const nio_legs *legs = &engine->legs;
    for (size_t i = 0; i < legs->count; i++) {
        const uint32_t index = legs->legs[i].oif;
        if (index == engine->known_link) {
            continue; /* most routes have the link of the one before */
        }
        if (!nio_mirror_knows_link(&engine->mirror, index)) {
            return false;
        }
        engine->known_link = index;
    }
    return true;
}

static int
on_route(void *context, const struct nlmsghdr *header, nio_bytes body)
{
    nio_engine *engine = context;
    if (!engine->mirror.wants_routes) {
        return -ECANCELED; /* the last subscriber to routes is detached */
    }
    engine->dumper.rows++;
    nio_route_dump_bytes(&engine->route_dump, header->nlmsg_len);
    int status = nio_decode_route(body, &engine->mirror.decode, &engine->legs);
    if (status == 0) {
        if (!nio_has_source_prefix(&engine->legs.head)) {
            nio_route_dump_row(&engine->route_dump, &engine->legs.head);
        }
        if (nio_table_set_contains(&engine->tables, engine->legs.head.table) &&
            knows_links(engine)) {
            nio_mirror_dumped_route(&engine->mirror, &engine->legs);
        }
    }
    return engine->stop ? -ECANCELED : status == -ENOMEM ? status : 0;
}

/* A deletion whose message is in the backlog is reported when that message is
 * applied, not as one that the dump has found: so its route is marked as seen.
 * A route whose message is in there is not one that only the dump shows. */
static void
mark_announced(nio_engine *engine, uint8_t family)
{
    nio_bytes datagram, body;
    struct nlmsghdr header;
    uint64_t time_ns;
    nio_mirror *mirror = &engine->mirror;
    while (nio_backlog_next(&engine->backlog, &datagram, &time_ns)) {
        while (nio_message_next(&datagram, &header, &body)) {
            const bool deletes = header.nlmsg_type == RTM_DELROUTE;
            if ((!deletes && header.nlmsg_type != RTM_NEWROUTE) ||
                body.left == 0 || body.at[0] != family ||
                nio_decode_route(body, &mirror->decode, &engine->legs) != 0) {
                continue;
            }
            if (deletes) {
                nio_mirror_announced_deletion(mirror, &engine->legs);
            } else {
                nio_mirror_announced_route(mirror, &engine->legs);
            }
        }
    }
    nio_backlog_rewind(&engine->backlog);
}

/* One dump. ret_gaps is owned by the caller. */
static int
dump_routes(nio_engine *engine, uint8_t family, nio_gaps *ret_gaps)
{
    nio_route_dump *dump = &engine->route_dump;
    nio_answer answer;
    /* Every message must be counted after the part after which it was sent, so
     * the socket has to be empty before the first part and after each one. */
    bool is_empty = nio_collect(engine, RECEIVES_OF_A_FULL_SOCKET);
    nio_route_dump_begin(dump, family);
    if (!is_empty) {
        nio_route_dump_deafen(dump);
    }
    engine->known_link = 0;
    nio_mirror_begin_dump(&engine->mirror);
    int status = nio_query_table(&engine->requests, RTM_GETROUTE, family,
                                 on_route, engine, &answer);
    if (!nio_collect(engine, RECEIVES_OF_A_FULL_SOCKET)) {
        nio_route_dump_deafen(dump);
    }
    *ret_gaps = nio_route_dump_end(dump);
    dump->family = AF_UNSPEC;
    if (status < 0 || answer.interrupted || engine->health != NIO_INTACT) {
        nio_gaps_done(ret_gaps);
        ret_gaps->everything = true;
    }
    return status;
}

void
nio_end_route_part(nio_engine *engine, bool is_socket_empty)
{
    nio_route_dump *dump = &engine->route_dump;
    if (dump->family != AF_UNSPEC) {
        if (!is_socket_empty) {
            nio_route_dump_deafen(dump);
        }
        nio_route_dump_end_part(dump);
    }
}

int
nio_read_routes_again(nio_engine *engine, uint8_t family, bool has_reason)
{
    const unsigned bit = NIO_FAMILY_BIT(family);
    nio_gaps *undecided = &engine->undecided[bit];
    nio_gaps gaps = {0};
    if (has_reason) {
        nio_gaps_done(undecided);
        undecided->everything = true;
    }
    engine->mirror.dead_legs[bit] = false;
    int status = dump_routes(engine, family, &gaps);
    if (!engine->mirror.wants_routes || status == -EAFNOSUPPORT ||
        status == -EOPNOTSUPP) {
        status = 0;
    } else if (status == 0) {
        mark_announced(engine, family);
        bool is_undecided =
            nio_mirror_sweep_routes(&engine->mirror, family, &gaps);
        nio_gaps_intersect(undecided, &gaps);
        engine->mirror.dirty.raced[bit] = is_undecided ||
                                          engine->health != NIO_INTACT ||
                                          nio_gaps_any(undecided);
    }
    nio_gaps_done(&gaps);
    return status;
}

/* SPDX-License-Identifier: MIT */
/* Dumps of routes with which changes race: see route_reader.h. */
#include "rtnetlink/api/route_reader.h"

#include "rtnetlink/mirror/route_race.h"

#include <errno.h>
#include <sys/socket.h>

/* The kernel grants what net.core.rmem_max allows where the process lacks
 * CAP_NET_ADMIN. The memory is used only under load. */
#define RECEIVE_BUFFER (16 * 1024 * 1024)
#define RECEIVES_OF_A_FULL_SOCKET 512u
#define MAX_RECEIVES 64u /* between two parts: a flood has no end */

static const int groups[] = {
    RTNLGRP_IPV4_ROUTE,  RTNLGRP_IPV6_ROUTE,  RTNLGRP_LINK,
    RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_NEXTHOP,
};

DWORD
nio_route_reader_open(nio_route_reader *reader, nio_one_shot *one_shot)
{
    *reader = (nio_route_reader){.one_shot = one_shot, .events.socket = -1};
    DWORD code = nio_read_nexthops(one_shot);
    if (code != NO_ERROR) {
        return code;
    }
    int status = nio_event_socket_open(&reader->events);
    if (status < 0) {
        return nio_one_shot_code(one_shot, status);
    }
    (void)nio_event_socket_set_buffer(&reader->events, RECEIVE_BUFFER);
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        status = nio_event_socket_join(&reader->events, groups[i]);
        /* Kernels before 5.3 have no nexthop objects. */
        if (status < 0 && groups[i] != RTNLGRP_NEXTHOP) {
            return nio_one_shot_code(one_shot, status);
        }
    }
    return NO_ERROR;
}

void
nio_route_reader_close(nio_route_reader *reader)
{
    nio_event_socket_close(&reader->events);
    nio_legs_done(&reader->legs);
}

static void
note(nio_route_reader *reader, nio_datagram datagram)
{
    struct nlmsghdr header;
    nio_bytes body;
    if (datagram.foreign) {
        return;
    }
    while (nio_message_next(&datagram.bytes, &header, &body)) {
        nio_route_dump_note(&reader->dump, &reader->one_shot->mirror.decode,
                            &reader->legs, &header, body);
    }
    reader->dump.inconclusive |=
        datagram.truncated || datagram.bytes.left != 0;
}

/* Notes the notifications that were sent so far. Once some are missing the
 * others add nothing to what the dump proves. */
static void
collect(nio_route_reader *reader)
{
    for (unsigned i = 0; !reader->dump.is_deaf; i++) {
        int count = nio_event_socket_receive(&reader->events);
        if (count == 0) {
            return;
        }
        for (int j = 0; j < count; j++) {
            note(reader, nio_event_socket_datagram(&reader->events, j));
        }
        if (count < 0 || i == MAX_RECEIVES) {
            nio_route_dump_deafen(&reader->dump);
        }
    }
}

/* Drops what was sent before a dump. False: there is no end of it. */
static bool
drain(nio_route_reader *reader)
{
    for (unsigned i = 0; i < RECEIVES_OF_A_FULL_SOCKET; i++) {
        if (nio_event_socket_receive(&reader->events) == 0) {
            return true;
        }
    }
    return false;
}

static void
between_parts(void *context)
{
    nio_route_reader *reader = context;
    collect(reader);
    nio_route_dump_end_part(&reader->dump);
    (void)nio_one_shot_is_over(reader->one_shot);
}

typedef struct route_walk {
    nio_route_reader *reader;
    const nio_route_query *query;
} route_walk;

static int
on_route(void *context, const struct nlmsghdr *header, nio_bytes body)
{
    const route_walk *walk = context;
    nio_route_reader *reader = walk->reader;
    nio_route_dump *dump = &reader->dump;
    nio_legs *legs = &reader->legs;
    if (reader->one_shot->stop) {
        return -ECANCELED;
    }
    if ((dump->inconclusive && walk->query->give_up != NIO_NEVER) ||
        (dump->raced && walk->query->give_up == NIO_WHEN_RACED)) {
        return -EAGAIN;
    }
    nio_route_dump_bytes(dump, header->nlmsg_len);
    int status =
        nio_decode_route(body, &reader->one_shot->mirror.decode, legs);
    /* A dump that is given up when it races needs no gaps. */
    if (status == 0 && walk->query->give_up != NIO_WHEN_RACED &&
        !nio_has_source_prefix(&legs->head)) {
        nio_route_dump_row(dump, &legs->head);
    }
    for (size_t i = 0; status == 0 && i < legs->count; i++) {
        status = walk->query->leg(walk->query->context, &legs->legs[i]);
        if (status < 0) {
            return status;
        }
    }
    return status == -ENOMEM ? status : 0;
}

static int
query_kernel(nio_request_socket *requests, route_walk *walk,
             nio_answer *ret_answer)
{
    const nio_route_query *query = walk->query;
    return query->index != 0 || query->table != 0
               ? nio_query_routes_of(requests, query->family, query->index,
                                     query->table, on_route, walk, ret_answer)
               : nio_query_table(requests, RTM_GETROUTE, query->family,
                                 on_route, walk, ret_answer);
}

int
nio_read_routes(nio_route_reader *reader, const nio_route_query *query,
                nio_gaps *ret_gaps)
{
    nio_one_shot *one_shot = reader->one_shot;
    nio_route_dump *dump = &reader->dump;
    route_walk walk = {reader, query};
    nio_answer answer = {false, 0};
    nio_route_dump_begin(dump, query->family);
    if (!drain(reader)) {
        nio_route_dump_deafen(dump);
    }
    one_shot->requests.between = between_parts;
    one_shot->requests.context = reader;
    int status = query_kernel(&one_shot->requests, &walk, &answer);
    nio_one_shot_watch(one_shot);
    collect(reader);
    dump->inconclusive |= status < 0;
    if (answer.interrupted) {
        nio_route_dump_deafen(dump);
        status =
            status == 0 && query->give_up == NIO_WHEN_RACED ? -EAGAIN : status;
    }
    *ret_gaps = nio_route_dump_end(dump);
    return status;
}

static int
find_in_family(nio_route_reader *reader, const nio_route_query *query,
               bool (*is_enough)(const void *context))
{
    nio_gaps undecided = {.everything = true};
    int status;
    bool again;
    do {
        nio_gaps gaps;
        status = nio_read_routes(reader, query, &gaps);
        nio_gaps_intersect(&undecided, &gaps);
        nio_gaps_done(&gaps);
        again = status == 0 && nio_gaps_any(&undecided) &&
                !is_enough(query->context);
        if (again && nio_one_shot_is_over(reader->one_shot)) {
            status = -ECANCELED;
        }
    } while (again && status == 0);
    nio_gaps_done(&undecided);
    return status;
}

DWORD
nio_find_routes(nio_one_shot *one_shot, ADDRESS_FAMILY family,
                nio_route_query query, bool (*is_enough)(const void *context))
{
    static const uint8_t families[] = {AF_INET, AF_INET6};
    nio_route_reader reader;
    DWORD code = nio_route_reader_open(&reader, one_shot);
    for (size_t i = 0; code == NO_ERROR && i < 2; i++) {
        if (family != AF_UNSPEC && family != families[i]) {
            continue;
        }
        query.family = families[i];
        int status = find_in_family(&reader, &query, is_enough);
        if (family != AF_UNSPEC ||
            (status != -EAFNOSUPPORT && status != -EOPNOTSUPP)) {
            code = nio_one_shot_code(one_shot, status);
        }
    }
    nio_route_reader_close(&reader);
    return code;
}

/* SPDX-License-Identifier: MIT */
/* Fuzz target: datagrams into the mirror, as changes and as the rows of
 * readings, with four followers. What was delivered to each of them, applied,
 * is what the mirror has in the end. */
#include "fuzz.h"
#include "mirrored.h"

#include <errno.h>

/* What a piece is, in the low bits of its `how`; other bits: */
enum { APPLY, ROW, BEGIN, SWEEP, KINDS_OF_PIECES };
enum { TAKE = 4, NEW = 8, TAKE_FEW = 16, UNDONE = 32 };

/* One message as a row of a dump: what reconcile.c does with it. */
static void
see(nio_engine *engine, const struct nlmsghdr *header, nio_bytes body)
{
    nio_mirror *mirror = &engine->mirror;
    nio_link link;
    nio_address address;
    nio_nexthop nexthop;
    nio_link_family times;
    uint32_t index;
    uint8_t family;
    if (header->nlmsg_type == RTM_NEWLINK &&
        nio_decode_link(body, &link, &family) == 0) {
        nio_mirror_dumped_link(mirror, &link);
    } else if (header->nlmsg_type == RTM_NEWADDR &&
               nio_decode_address(body, &address) == 0) {
        nio_mirror_dumped_address(mirror, &address);
    } else if (header->nlmsg_type == RTM_NEWNEXTHOP &&
               nio_decode_nexthop(body, &nexthop) == 0) {
        nio_mirror_dumped_nexthop(mirror, &nexthop);
    } else if (header->nlmsg_type == RTM_NEWROUTE &&
               nio_decode_route(body, &mirror->nexthops, &engine->legs) == 0) {
        nio_mirror_dumped_route(mirror, &engine->legs);
    } else if (header->nlmsg_type == RTM_NEWNEIGHTBL &&
               nio_decode_neighbour_table(body, &family, &index, &times) ==
                   0 &&
               index != 0) {
        nio_mirror_dumped_neighbour_table(mirror, family, index, &times);
    }
}

/* What no row of the reading was is gone. */
static void
sweep(nio_mirror *mirror, uint16_t type)
{
    switch (type) {
    case RTM_NEWLINK:
        nio_mirror_sweep_links(mirror);
        break;
    case RTM_NEWADDR:
        nio_mirror_sweep_addresses(mirror);
        break;
    case RTM_NEWNEXTHOP:
        nio_mirror_sweep_nexthops(mirror);
        break;
    default:
        nio_mirror_sweep_routes(mirror, AF_INET, mirror->mark);
        nio_mirror_sweep_routes(mirror, AF_INET6, mirror->mark);
        break;
    }
}

/* The news of a thing becomes that of its end, and the other way round. */
static void
turn(const piece *taken)
{
    nio_bytes span = piece_span(taken);
    struct nlmsghdr header;
    nio_bytes body;
    while (nio_message_next(&span, &header, &body)) {
        size_t at = (size_t)(body.at - taken->bytes) - sizeof(header);
        header.nlmsg_type ^= RTM_NEWLINK ^ RTM_DELLINK;
        memcpy(taken->bytes + at, &header, sizeof(header));
    }
}

static void
take_piece(mirrored *all, const piece *taken)
{
    nio_engine *engine = &all->engine;
    nio_bytes bytes = piece_span(taken);
    unsigned what = taken->how % KINDS_OF_PIECES;
    struct nlmsghdr header = {0};
    nio_bytes body;
    engine->mirror.fanout.time_ns++;
    if (taken->how & NEW) {
        newcomer(all);
    }
    if (what == APPLY) {
        nio_apply(engine, bytes);
    } else {
        if (what == BEGIN) {
            nio_mirror_begin_dump(&engine->mirror);
        }
        while (nio_message_next(&bytes, &header, &body)) {
            see(engine, &header, body);
        }
        if (what == SWEEP) {
            sweep(&engine->mirror, header.nlmsg_type);
        }
    }
    if (taken->how & UNDONE) {
        turn(taken);
        nio_apply(engine, piece_span(taken));
    }
    if (taken->how & TAKE) {
        for (size_t i = 0; i < FOLLOWERS; i++) {
            follower_take(&all->followers[i],
                          taken->how & TAKE_FEW ? 2 : SIZE_MAX);
        }
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    nio_bytes input = {bytes, size};
    mirrored all;
    piece taken;
    mirrored_open(&all);
    while (piece_next(&input, &taken)) {
        take_piece(&all, &taken);
        free(taken.bytes);
    }
    mirrored_arrives(&all);
    mirrored_empties(&all);
    mirrored_close(&all);
    return 0;
}

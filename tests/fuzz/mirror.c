/* SPDX-License-Identifier: MIT */
/* Fuzz target: datagrams for the mirror, as changes and as rows of dumps, with
 * four followers. In the end the state of each follower, made of the changes
 * delivered to it, must be that of the mirror. */
#include "fuzz.h"
#include "offline_engine.h"

#include <errno.h>

/* What the target does with a piece, in the low bits of its `how`; and flags.
 */
enum { APPLY, ROW, BEGIN, SWEEP, KINDS_OF_PIECES };
enum { TAKE = 4, NEW = 8, TAKE_FEW = 16, UNDONE = 32 };

/* A message as a row of a dump, as the engine takes it. */
static void
take_dumped_message(nio_engine *engine, const struct nlmsghdr *header,
                    nio_bytes body)
{
    nio_mirror *mirror = &engine->mirror;
    nio_link link;
    nio_address address;
    nio_nexthop nexthop;
    nio_link_family times;
    uint32_t index;
    uint8_t family;
    if (header->nlmsg_type == RTM_NEWLINK &&
        nio_decode_link(body, &mirror->extras, &link, &family) == 0) {
        nio_mirror_dumped_link(mirror, &link);
        nio_link_done(&link, &mirror->extras);
    } else if (header->nlmsg_type == RTM_NEWADDR &&
               nio_decode_address(body, 0, &address) == 0) {
        nio_mirror_dumped_address(mirror, &address);
    } else if (header->nlmsg_type == RTM_NEWNEXTHOP &&
               nio_decode_nexthop(body, &mirror->decode, &nexthop) == 0) {
        nio_mirror_dumped_nexthop(mirror, &nexthop);
    } else if (header->nlmsg_type == RTM_NEWROUTE &&
               nio_decode_route(body, &mirror->decode, &engine->legs) == 0) {
        nio_mirror_dumped_route(mirror, &engine->legs);
    } else if (header->nlmsg_type == RTM_NEWNEIGHTBL &&
               nio_decode_neighbour_table(body, &family, &index, &times) ==
                   0 &&
               index != 0) {
        nio_mirror_dumped_neighbour_table(mirror, family, index, &times);
    }
}

/* The end of a dump of the table of `type`. */
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
        nio_mirror_sweep_routes(mirror, AF_INET, &(nio_gaps){0});
        nio_mirror_sweep_routes(mirror, AF_INET6, &(nio_gaps){0});
        break;
    }
}

/* Turn each RTM_NEW* message into RTM_DEL*, and the reverse. */
static void
invert(const piece *taken)
{
    nio_bytes messages = piece_bytes(taken);
    struct nlmsghdr header;
    nio_bytes body;
    while (nio_message_next(&messages, &header, &body)) {
        size_t at = (size_t)(body.at - taken->bytes) - sizeof(header);
        header.nlmsg_type ^= RTM_NEWLINK ^ RTM_DELLINK;
        memcpy(taken->bytes + at, &header, sizeof(header));
    }
}

static void
use_piece(offline_engine *all, const piece *taken)
{
    nio_engine *engine = &all->engine;
    nio_bytes bytes = piece_bytes(taken);
    unsigned what = taken->how % KINDS_OF_PIECES;
    struct nlmsghdr header = {0};
    nio_bytes body;
    engine->mirror.fanout.time_ns++;
    if (taken->how & NEW) {
        offline_engine_join(all);
    }
    if (what == APPLY) {
        nio_apply(engine, bytes);
    } else {
        if (what == BEGIN) {
            nio_mirror_begin_dump(&engine->mirror);
        }
        while (nio_message_next(&bytes, &header, &body)) {
            take_dumped_message(engine, &header, body);
        }
        if (what == SWEEP) {
            sweep(&engine->mirror, header.nlmsg_type);
        }
    }
    if (taken->how & UNDONE) {
        invert(taken);
        nio_apply(engine, piece_bytes(taken));
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
    offline_engine all;
    piece taken;
    offline_engine_open(&all);
    while (piece_next(&input, &taken)) {
        use_piece(&all, &taken);
        free(taken.bytes);
    }
    offline_engine_check(&all);
    offline_engine_check_empty_dump(&all);
    offline_engine_close(&all);
    return 0;
}

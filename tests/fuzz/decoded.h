/* SPDX-License-Identifier: MIT */
/* Gives the body of one message to every decoder, whatever its type, since
 * each decoder must withstand any bytes; and makes nexthop objects for the
 * routes that use them. */
#pragma once

#include "check.h"

#include "rtnetlink/decode/decode.h"
#include "rtnetlink/decode/rows.h"

#define UNTOUCHED 0xa5 /* a failing decoder must not write its result */
#define LARGE_GROUP 40u
#define LARGE_GROUP_ID 60u

typedef struct decoded {
    int route_status, address_status, link_status, times_status,
        nexthop_status;
    nio_legs legs;
    nio_address address;
    nio_link link;
    uint8_t link_family;
    nio_link_family times;
    uint8_t times_family;
    uint32_t times_index;
    nio_nexthop nexthop;
} decoded;

static inline void
decode(nio_bytes body, const nio_decode_context *context, decoded *ret)
{
    memset(ret, UNTOUCHED, sizeof(*ret));
    memset(&ret->legs, 0, sizeof(ret->legs));
    ret->route_status = nio_decode_route(body, context, &ret->legs);
    ret->address_status = nio_decode_address(body, 0, &ret->address);
    ret->link_status =
        nio_decode_link(body, context->extras, &ret->link, &ret->link_family);
    ret->times_status = nio_decode_neighbour_table(
        body, &ret->times_family, &ret->times_index, &ret->times);
    ret->nexthop_status = nio_decode_nexthop(body, context, &ret->nexthop);
}

static inline void
decoded_done(decoded *decoded, nio_extra_pool *extras)
{
    nio_legs_done(&decoded->legs);
    if (decoded->link_status == 0) {
        nio_link_done(&decoded->link, extras);
    }
    if (decoded->nexthop_status == 0) {
        nio_nexthop_done(&decoded->nexthop, extras);
    }
}

static inline uint64_t
hash_nexthop(const void *record, uint64_t seed)
{
    return nio_mix(seed, ((const nio_nexthop *)record)->id);
}

static inline void
add_nexthop(nio_store *store, nio_nexthop nexthop,
            const nio_nexthop_member *members, size_t count)
{
    nexthop.record.generation = 1;
    nexthop.member_count = (uint16_t)count;
    if (count > 0) {
        nexthop.members = malloc(count * sizeof(*members));
        CHECK(nexthop.members != NULL);
        memcpy(nexthop.members, members, count * sizeof(*members));
    }
    CHECK(nio_store_add(store, &nexthop) != NULL);
}

/* Single, dead and blackhole ones; groups of these, of groups, of an unknown
 * one; and a large group. */
static inline void
make_nexthops(nio_store *store)
{
    const nio_nexthop_member few[] = {{1, 1}, {2, 256}, {3, 65535}, {99, 1}};
    const nio_nexthop_member groups[] = {{10, 2}, {11, 3}, {1, 4}};
    nio_nexthop_member many[LARGE_GROUP];
    nio_store_init(store, sizeof(nio_nexthop), hash_nexthop);
    for (uint32_t i = 1; i <= 4; i++) {
        nio_nexthop one = {.id = i,
                           .oif = i == 4 ? 0 : i,
                           .flags = i == 3 ? RTNH_F_DEAD : 0,
                           .blackhole = i == 4};
        if (i != 2) {
            one.gateway_family = AF_INET;
            memcpy(one.gateway, (uint8_t[]){10, 0, 0, 9}, 4);
        }
        add_nexthop(store, one, NULL, 0);
    }
    for (uint32_t i = 0; i < LARGE_GROUP; i++) {
        many[i] = (nio_nexthop_member){.id = i % 4 + 1, .weight = 1};
    }
    add_nexthop(store, (nio_nexthop){.id = 10}, few, 4);
    add_nexthop(store, (nio_nexthop){.id = 11}, groups, 3);
    add_nexthop(store, (nio_nexthop){.id = LARGE_GROUP_ID}, many, LARGE_GROUP);
}

static inline void
drop_nexthops(nio_store *store)
{
    uint32_t cursor = 0;
    nio_nexthop *nexthop;
    while ((nexthop = nio_store_each(store, &cursor)) != NULL) {
        free(nexthop->members);
    }
    nio_store_done(store);
}

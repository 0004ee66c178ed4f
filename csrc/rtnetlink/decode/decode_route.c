/* SPDX-License-Identifier: MIT */
/* RTM_NEWROUTE and RTM_DELROUTE to legs: see decode.h. */
#include "rtnetlink/decode/decode.h"

#include "rtnetlink/decode/attribute.h"
#include "rtnetlink/decode/route_details.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define USER_HZ 100   /* ticks of the ABI, independent of CONFIG_HZ */
#define GROUP_DEPTH 2 /* the members of a group are never groups */

/* What the hardware does with the whole route: older headers lack the names.
 * The flags of a leg have bits of the same meaning. */
#define RTM_OFFLOAD 0x4000u /* RTM_F_OFFLOAD */
#define RTM_TRAP 0x8000u    /* RTM_F_TRAP */
#define LEG_TRAP 64u        /* RTNH_F_TRAP */

/* A message while it is decoded. */
typedef struct decoding {
    const nio_decode_context *context;
    nio_legs *legs;
    nio_route_details details; /* of the whole route */
    nio_bytes multipath;       /* RTA_MULTIPATH */
} decoding;

static void
release_legs(nio_legs *legs)
{
    for (size_t i = 0; i < legs->count + legs->dead; i++) {
        nio_extra_pool_release(legs->extras, legs->legs[i].extra);
    }
    nio_extra_pool_release(legs->extras, legs->head.extra);
    legs->head.extra = NULL;
    legs->count = 0;
    legs->dead = 0;
}

void
nio_legs_done(nio_legs *legs)
{
    release_legs(legs);
    free(legs->legs);
    legs->legs = NULL;
    legs->capacity = 0;
}

/* One more leg, as a copy of the head; NULL: allocation failure. Live legs
 * stay in front: a live one takes the place of the first dead one, which moves
 * to the end. */
static nio_route *
add_leg(nio_legs *legs, bool dead)
{
    size_t total = legs->count + legs->dead;
    if (total == legs->capacity) {
        size_t capacity = total == 0 ? 8 : total * 2;
        nio_route *grown = realloc(legs->legs, capacity * sizeof(*grown));
        if (grown == NULL) {
            return NULL;
        }
        legs->legs = grown;
        legs->capacity = capacity;
    }
    nio_route *leg = &legs->legs[total];
    if (dead) {
        legs->dead++;
    } else {
        if (legs->dead > 0) {
            *leg = legs->legs[legs->count];
            leg = &legs->legs[legs->count];
        }
        legs->count++;
    }
    *leg = legs->head;
    return leg;
}

/* RTA_VIA: a family, then an address of that family. */
static bool
read_via(nio_route *route, const nio_attribute *attribute)
{
    uint16_t family;
    if (!nio_attribute_u16(attribute, &family)) {
        return false;
    }
    nio_attribute address = *attribute;
    address.payload.at += sizeof(family);
    address.payload.left -= sizeof(family);
    if (!nio_attribute_address(&address, route->gateway,
                               &route->gateway_family)) {
        return false;
    }
    return route->gateway_family == family;
}

static bool
read_gateway(nio_route *route, const nio_attribute *attribute)
{
    bool sound = attribute->type == RTA_VIA
                     ? read_via(route, attribute)
                     : nio_attribute_address(attribute, route->gateway,
                                             &route->gateway_family);
    route->gateway_family =
        nio_gateway_family(route->gateway, route->gateway_family);
    return sound;
}

static bool
read_expiry(const decoding *decoding, const nio_attribute *attribute)
{
    struct rta_cacheinfo info;
    if (attribute->payload.left < sizeof(info)) {
        return false;
    }
    memcpy(&info, attribute->payload.at, sizeof(info));
    int32_t ticks = (int32_t)info.rta_expires;
    if (ticks != 0) {
        decoding->legs->head.expires_s =
            nio_end_of(decoding->context->now_s,
                       ticks < 0 ? 0 : (uint32_t)ticks / USER_HZ);
    }
    return true;
}

/* An attribute of the whole route. False: malformed. */
static bool
read_attribute(decoding *decoding, const nio_attribute *attribute)
{
    nio_route *head = &decoding->legs->head;
    uint8_t family = AF_UNSPEC;
    switch (attribute->type) {
    case RTA_DST:
        return nio_attribute_address(attribute, head->destination, &family) &&
               family == head->family;
    case RTA_GATEWAY:
    case RTA_VIA:
        return read_gateway(head, attribute);
    case RTA_OIF:
        return nio_attribute_u32(attribute, &head->oif);
    case RTA_PRIORITY:
        return nio_attribute_u32(attribute, &head->priority);
    case RTA_TABLE:
        return nio_attribute_u32(attribute, &head->table);
    case RTA_NH_ID:
        return nio_attribute_u32(attribute, &head->nexthop_id);
    case RTA_PREF:
        return nio_attribute_u8(attribute, &head->preference);
    case RTA_CACHEINFO:
        return read_expiry(decoding, attribute);
    case RTA_MULTIPATH:
        decoding->multipath = attribute->payload;
        return true;
    default:
        return nio_route_details_read(&decoding->details, attribute);
    }
}

/* The attributes of one leg: what it does not have is that of the route. */
static int
read_leg(const decoding *decoding, nio_route *leg, nio_bytes attributes)
{
    nio_route_details details = decoding->details;
    nio_attribute attribute;
    bool sound = true;
    while (sound && nio_attribute_next(&attributes, &attribute)) {
        sound = attribute.type == RTA_GATEWAY || attribute.type == RTA_VIA
                    ? read_gateway(leg, &attribute)
                    : nio_route_details_read(&details, &attribute);
    }
    if (!sound) {
        return -EBADMSG;
    }
    return nio_route_details_get(&details, decoding->context->extras,
                                 &leg->extra)
               ? 0
               : -ENOMEM;
}

static const nio_nexthop *
find_nexthop(const decoding *decoding, uint32_t id)
{
    const nio_store *nexthops = decoding->context->nexthops;
    const nio_nexthop key = {.id = id};
    const nio_nexthop *nexthop = nio_store_first(nexthops, &key);
    while (nexthop != NULL && nexthop->id != id) {
        nexthop = nio_store_next(nexthops, nexthop);
    }
    return nexthop;
}

/* The kernel describes the members of a nexthop group as legs, in their order,
 * and cuts off what a weight has above its low byte. */
static uint16_t
weight_of(const nio_nexthop *group, size_t number, uint8_t hops)
{
    if (group != NULL && number < group->member_count &&
        ((group->members[number].weight - 1u) & 0xffu) == hops) {
        return group->members[number].weight;
    }
    return (uint16_t)(hops + 1);
}

/* RTA_MULTIPATH: an array of rtnexthop, each with its own attributes. */
static int
read_multipath(const decoding *decoding)
{
    nio_bytes nexthops = decoding->multipath;
    nio_legs *legs = decoding->legs;
    const uint32_t id = legs->head.nexthop_id;
    const nio_nexthop *group = id == 0 ? NULL : find_nexthop(decoding, id);
    for (size_t number = 0; nexthops.left > 0; number++) {
        struct rtnexthop header;
        if (nexthops.left < sizeof(header)) {
            return -EBADMSG;
        }
        memcpy(&header, nexthops.at, sizeof(header));
        if (header.rtnh_len < sizeof(header) ||
            header.rtnh_len > nexthops.left) {
            return -EBADMSG;
        }
        nio_route *leg = add_leg(legs, header.rtnh_flags & RTNH_F_DEAD);
        if (leg == NULL) {
            return -ENOMEM;
        }
        leg->oif = (uint32_t)header.rtnh_ifindex;
        leg->flags = (uint8_t)(header.rtnh_flags |
                               (leg->flags & (RTNH_F_OFFLOAD | LEG_TRAP)));
        leg->weight = weight_of(group, number, header.rtnh_hops);
        nio_bytes inner = {nexthops.at + sizeof(header),
                           header.rtnh_len - sizeof(header)};
        int status = read_leg(decoding, leg, inner);
        if (status != 0) {
            return status;
        }
        nio_bytes_step(&nexthops, header.rtnh_len);
    }
    return 0;
}

/* A live or dead leg through a nexthop object. */
static int
add_leg_of(const decoding *decoding, const nio_nexthop *nexthop,
           uint16_t weight)
{
    nio_route_details details = decoding->details;
    nio_route *leg = add_leg(decoding->legs, nexthop->flags & RTNH_F_DEAD);
    if (leg == NULL) {
        return -ENOMEM;
    }
    leg->oif = nexthop->oif;
    leg->flags = nexthop->flags;
    leg->weight = weight;
    leg->gateway_family = nexthop->gateway_family;
    memcpy(leg->gateway, nexthop->gateway, sizeof(leg->gateway));
    if (nexthop->blackhole) {
        leg->type = RTN_BLACKHOLE;
        leg->oif = leg->oif == 0 ? NIO_LOOPBACK_INDEX : leg->oif;
    }
    details.encapsulating = nexthop->extra;
    return nio_route_details_get(&details, decoding->context->extras,
                                 &leg->extra)
               ? 0
               : -ENOMEM;
}

/* With net.ipv4.nexthop_compat_mode=0 the kernel names only the nexthop object
 * of a route, not the legs. */
static int
add_legs_of_nexthop(const decoding *decoding, uint32_t id, uint16_t weight,
                    int depth)
{
    const nio_nexthop *nexthop = find_nexthop(decoding, id);
    if (nexthop == NULL || depth == 0) {
        return 0; /* the object is gone already, and the route soon will be */
    }
    for (uint16_t i = 0; i < nexthop->member_count; i++) {
        const nio_nexthop_member *member = &nexthop->members[i];
        int status = add_legs_of_nexthop(decoding, member->id, member->weight,
                                         depth - 1);
        if (status != 0) {
            return status;
        }
    }
    return nexthop->member_count > 0 ? 0
                                     : add_leg_of(decoding, nexthop, weight);
}

/* The leg of a route without RTA_MULTIPATH is described by the head. */
static int
add_single_leg(const decoding *decoding)
{
    nio_route *head = &decoding->legs->head;
    if (head->oif == 0 && head->type != RTN_UNICAST) {
        head->oif = NIO_LOOPBACK_INDEX; /* IPv4 gives a blackhole none */
    }
    nio_route *leg = add_leg(decoding->legs, head->flags & RTNH_F_DEAD);
    if (leg == NULL ||
        !nio_route_details_get(&decoding->details, decoding->context->extras,
                               &leg->extra)) {
        return -ENOMEM;
    }
    return 0;
}

static int
add_legs(const decoding *decoding)
{
    nio_legs *legs = decoding->legs;
    const nio_route *head = &legs->head;
    if (decoding->multipath.left > 0) {
        return read_multipath(decoding);
    }
    if (head->nexthop_id == 0 || head->oif != 0) {
        return add_single_leg(decoding);
    }
    int status =
        add_legs_of_nexthop(decoding, head->nexthop_id, 1, GROUP_DEPTH);
    size_t total = legs->count + legs->dead;
    if (status == 0 && total == 0 && head->type != RTN_UNICAST) {
        status = add_single_leg(decoding);
    }
    if (total == 1 && head->family == AF_INET) {
        /* Like a leg that the kernel names: IPv4 describes a single leg
         * without its weight, IPv6 as a list of one, with its weight. */
        legs->legs[0].weight = 1;
    }
    return status;
}

static void
read_header(decoding *decoding, const struct rtmsg *message)
{
    nio_route *head = &decoding->legs->head;
    memset(head, 0, sizeof(*head));
    head->family = message->rtm_family;
    head->prefix_length = message->rtm_dst_len;
    head->tos = message->rtm_tos;
    head->type = message->rtm_type;
    head->protocol = message->rtm_protocol;
    head->scope = message->rtm_scope;
    head->table = message->rtm_table;
    head->flags = message->rtm_flags & 0xffu;
    head->flags |= message->rtm_flags & RTM_OFFLOAD ? RTNH_F_OFFLOAD : 0;
    head->flags |= message->rtm_flags & RTM_TRAP ? LEG_TRAP : 0;
    head->weight = 1;
    head->instances = 1;
    head->seen = 1;
    head->expires_s = NIO_INFINITE;
    decoding->details.source_length = message->rtm_src_len;
}

int
nio_decode_route(nio_bytes body, const nio_decode_context *context,
                 nio_legs *legs)
{
    struct rtmsg message;
    decoding decoding;
    decoding.context = context;
    decoding.legs = legs;
    decoding.multipath = (nio_bytes){NULL, 0};
    nio_route_details_clear(&decoding.details);
    release_legs(legs);
    legs->extras = context->extras;
    if (!nio_bytes_take(&body, &message, sizeof(message))) {
        return -EBADMSG;
    }
    if ((message.rtm_family != AF_INET && message.rtm_family != AF_INET6) ||
        (message.rtm_flags & RTM_F_CLONED)) {
        return NIO_NOT_OURS;
    }
    const uint8_t bits = message.rtm_family == AF_INET ? 32 : 128;
    if (message.rtm_dst_len > bits || message.rtm_src_len > bits) {
        return -EBADMSG;
    }
    read_header(&decoding, &message);
    nio_attribute attribute;
    while (nio_attribute_next(&body, &attribute)) {
        if (!read_attribute(&decoding, &attribute)) {
            return -EBADMSG;
        }
    }
    if (body.left != 0) {
        return -EBADMSG;
    }
    int status = add_legs(&decoding);
    if (status == 0 &&
        !nio_route_details_get(&decoding.details, context->extras,
                               &legs->head.extra)) {
        status = -ENOMEM;
    }
    for (size_t i = 0; i < legs->count; i++) {
        legs->legs[i].legs = (uint8_t)(legs->count > 255 ? 255 : legs->count);
    }
    return status;
}

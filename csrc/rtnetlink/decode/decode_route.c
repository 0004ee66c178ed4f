/* SPDX-License-Identifier: MIT */
/* RTM_NEWROUTE and RTM_DELROUTE to legs: see decode.h. */
#include "rtnetlink/decode/decode.h"

#include "rtnetlink/decode/attribute.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define USER_HZ 100   /* ticks of the ABI, independent of CONFIG_HZ */
#define GROUP_DEPTH 2 /* the members of a group are never groups */

void
nio_legs_done(nio_legs *legs)
{
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
read_expiry(nio_route *route, const nio_attribute *attribute)
{
    struct rta_cacheinfo info;
    if (attribute->payload.left < sizeof(info)) {
        return false;
    }
    memcpy(&info, attribute->payload.at, sizeof(info));
    int32_t ticks = (int32_t)info.rta_expires;
    if (ticks != 0) {
        route->expires = ticks < 0 ? 0 : (uint32_t)ticks / USER_HZ;
    }
    return true;
}

/* An attribute of the whole route. False: malformed. */
static bool
read_attribute(nio_route *head, const nio_attribute *attribute,
               nio_bytes *ret_multipath)
{
    uint8_t family = AF_UNSPEC;
    switch (attribute->type) {
    case RTA_DST:
        return nio_attribute_address(attribute, head->destination, &family) &&
               family == head->family;
    case RTA_PREFSRC:
        return nio_attribute_address(attribute, head->preferred_source,
                                     &family);
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
    case RTA_CACHEINFO:
        return read_expiry(head, attribute);
    case RTA_MULTIPATH:
        *ret_multipath = attribute->payload;
        return true;
    default:
        return true;
    }
}

/* RTA_MULTIPATH: an array of rtnexthop, each with its own attributes. */
static int
read_multipath(nio_legs *legs, nio_bytes nexthops)
{
    while (nexthops.left > 0) {
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
        leg->flags = header.rtnh_flags;
        leg->weight = (uint16_t)(header.rtnh_hops + 1);
        nio_bytes inner = {nexthops.at + sizeof(header),
                           header.rtnh_len - sizeof(header)};
        nio_attribute attribute;
        while (nio_attribute_next(&inner, &attribute)) {
            if ((attribute.type == RTA_GATEWAY || attribute.type == RTA_VIA) &&
                !read_gateway(leg, &attribute)) {
                return -EBADMSG;
            }
        }
        nio_bytes_step(&nexthops, header.rtnh_len);
    }
    return 0;
}

/* With net.ipv4.nexthop_compat_mode=0 the kernel names only the nexthop object
 * of a route, not the legs. */
static int
add_legs_of_nexthop(nio_legs *legs, const nio_store *nexthops, uint32_t id,
                    uint16_t weight, int depth)
{
    nio_nexthop key = {.id = id};
    const nio_nexthop *nexthop = nio_store_first(nexthops, &key);
    while (nexthop != NULL && nexthop->id != id) {
        nexthop = nio_store_next(nexthops, nexthop);
    }
    if (nexthop == NULL || depth == 0) {
        return 0; /* the object is gone already, and the route soon will be */
    }
    for (uint16_t i = 0; i < nexthop->member_count; i++) {
        const nio_nexthop_member *member = &nexthop->members[i];
        int status = add_legs_of_nexthop(legs, nexthops, member->id,
                                         member->weight, depth - 1);
        if (status != 0) {
            return status;
        }
    }
    if (nexthop->member_count > 0) {
        return 0;
    }
    nio_route *leg = add_leg(legs, nexthop->flags & RTNH_F_DEAD);
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
    return 0;
}

/* The leg of a route without RTA_MULTIPATH is described by the head. */
static int
add_single_leg(nio_legs *legs)
{
    nio_route *head = &legs->head;
    if (head->oif == 0 && head->type != RTN_UNICAST) {
        head->oif = NIO_LOOPBACK_INDEX; /* IPv4 gives a blackhole none */
    }
    return add_leg(legs, head->flags & RTNH_F_DEAD) == NULL ? -ENOMEM : 0;
}

int
nio_decode_route(nio_bytes body, const nio_store *nexthops, nio_legs *legs)
{
    struct rtmsg message;
    nio_bytes multipath = {NULL, 0};
    legs->count = 0;
    legs->dead = 0;
    if (!nio_bytes_take(&body, &message, sizeof(message))) {
        return -EBADMSG;
    }
    if ((message.rtm_family != AF_INET && message.rtm_family != AF_INET6) ||
        (message.rtm_flags & RTM_F_CLONED) || message.rtm_src_len != 0) {
        return NIO_NOT_OURS;
    }
    if (message.rtm_dst_len > (message.rtm_family == AF_INET ? 32 : 128)) {
        return -EBADMSG;
    }
    nio_route *head = &legs->head;
    memset(head, 0, sizeof(*head));
    head->family = message.rtm_family;
    head->prefix_length = message.rtm_dst_len;
    head->tos = message.rtm_tos;
    head->type = message.rtm_type;
    head->protocol = message.rtm_protocol;
    head->table = message.rtm_table;
    head->flags = message.rtm_flags & 0xffu;
    head->weight = 1;
    head->instances = 1;
    head->expires = NIO_INFINITE;

    nio_attribute attribute;
    while (nio_attribute_next(&body, &attribute)) {
        if (!read_attribute(head, &attribute, &multipath)) {
            return -EBADMSG;
        }
    }
    if (body.left != 0) {
        return -EBADMSG;
    }
    int status;
    if (multipath.left > 0) {
        status = read_multipath(legs, multipath);
    } else if (head->nexthop_id != 0 && head->oif == 0) {
        status = add_legs_of_nexthop(legs, nexthops, head->nexthop_id, 1,
                                     GROUP_DEPTH);
        size_t total = legs->count + legs->dead;
        if (status == 0 && total == 0 && head->type != RTN_UNICAST) {
            status = add_single_leg(legs);
        }
        if (total == 1 && head->family == AF_INET) {
            /* Like a leg that the kernel names: IPv4 describes a single leg
             * without its weight, IPv6 as a list of one, with its weight. */
            legs->legs[0].weight = 1;
        }
    } else {
        status = add_single_leg(legs);
    }
    for (size_t i = 0; i < legs->count; i++) {
        legs->legs[i].legs = (uint8_t)(legs->count > 255 ? 255 : legs->count);
    }
    return status;
}

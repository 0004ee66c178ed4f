/* SPDX-License-Identifier: MIT */
/* GetBestRoute2. It takes two requests: one asks which entry of the route
 * table matches (RTM_F_FIB_MATCH), the other what the kernel would do with a
 * packet, which alone gives the source address and the leg. Where the first
 * answer would not fit into a message, or names the table main for a route of
 * the table local, that table is searched as well. */
#include "rtnetlink/api/best_in_table.h"
#include "rtnetlink/api/errors.h"
#include "rtnetlink/api/one_shot.h"
#include "rtnetlink/decode/attribute.h"
#include "rtnetlink/decode/rows.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#ifndef RTM_F_FIB_MATCH
#    define RTM_F_FIB_MATCH 0x2000
#endif

typedef struct route_request {
    struct nlmsghdr header;
    struct rtmsg route;
    uint8_t attributes[64];
    size_t size;
} route_request;

static void
add_attribute(route_request *request, uint16_t type, const void *value,
              size_t size)
{
    struct rtattr header = {.rta_len = (uint16_t)(sizeof(header) + size),
                            .rta_type = type};
    size_t used = request->size - offsetof(struct route_request, attributes);
    memcpy(request->attributes + used, &header, sizeof(header));
    memcpy(request->attributes + used + sizeof(header), value, size);
    request->size += (sizeof(header) + size + 3u) & ~(size_t)3u;
}

static route_request
request_for(const SOCKADDR_INET *destination, const SOCKADDR_INET *source,
            uint32_t index, uint32_t flags)
{
    uint8_t bytes[16];
    uint8_t length = destination->si_family == AF_INET ? 4 : 16;
    route_request request;
    memset(&request, 0, sizeof(request));
    request.size = offsetof(struct route_request, attributes);
    request.header.nlmsg_type = RTM_GETROUTE;
    request.header.nlmsg_flags = NLM_F_REQUEST;
    request.route.rtm_family = (uint8_t)destination->si_family;
    request.route.rtm_dst_len = (uint8_t)(length * 8);
    request.route.rtm_flags = flags;
    nio_sockaddr_bytes(destination, bytes);
    add_attribute(&request, RTA_DST, bytes, length);
    if (source != NULL) {
        nio_sockaddr_bytes(source, bytes);
        request.route.rtm_src_len = (uint8_t)(length * 8);
        add_attribute(&request, RTA_SRC, bytes, length);
    }
    if (index != 0) {
        add_attribute(&request, RTA_OIF, &index, sizeof(index));
    }
    return request;
}

typedef struct match {
    const nio_decode_context *decode;
    nio_legs legs;
} match;

static int
on_match(void *context, const struct nlmsghdr *header, nio_bytes body)
{
    match *match = context;
    (void)header;
    int status = nio_decode_route(body, match->decode, &match->legs);
    return status == NIO_NOT_OURS ? -EOPNOTSUPP : status;
}

/* What the kernel would do with a packet to this destination. */
typedef struct decision {
    uint32_t oif;
    uint32_t table;
    uint8_t gateway[16];
    uint8_t source[16];
    uint8_t family;
} decision;

static int
on_decision(void *context, const struct nlmsghdr *header, nio_bytes body)
{
    decision *decision = context;
    struct rtmsg message;
    nio_attribute attribute;
    (void)header;
    if (!nio_bytes_take(&body, &message, sizeof(message))) {
        return -EBADMSG;
    }
    decision->table = message.rtm_table;
    while (nio_attribute_next(&body, &attribute)) {
        if (attribute.type == RTA_TABLE) {
            (void)nio_attribute_u32(&attribute, &decision->table);
        } else if (attribute.type == RTA_OIF) {
            (void)nio_attribute_u32(&attribute, &decision->oif);
        } else if (attribute.type == RTA_PREFSRC) {
            (void)nio_attribute_address(&attribute, decision->source,
                                        &decision->family);
        } else if (attribute.type == RTA_GATEWAY) {
            uint8_t family;
            (void)nio_attribute_address(&attribute, decision->gateway,
                                        &family);
        } else if (attribute.type == RTA_VIA &&
                   attribute.payload.left > sizeof(uint16_t)) {
            uint8_t family;
            attribute.payload.at += sizeof(uint16_t); /* its family */
            attribute.payload.left -= sizeof(uint16_t);
            (void)nio_attribute_address(&attribute, decision->gateway,
                                        &family);
        }
    }
    return 0;
}

static int
ask(nio_one_shot *one_shot, route_request request, nio_reply reply,
    void *context)
{
    return nio_query(&one_shot->requests, &request, request.size, reply,
                     context, NULL);
}

static nio_route *
choose_leg(const match *match, const decision *decision)
{
    for (size_t i = 0; i < match->legs.count; i++) {
        nio_route *leg = &match->legs.legs[i];
        if (leg->oif == decision->oif &&
            memcmp(leg->gateway, decision->gateway, 16) == 0) {
            return leg;
        }
    }
    return match->legs.count > 0 ? &match->legs.legs[0] : NULL;
}

/* For a destination that is a broadcast or a multicast address the kernel
 * answers with the type of the packet. Such routes are in the table local
 * only. */
static void
give_own_type(nio_route *leg)
{
    if (leg->table != RT_TABLE_LOCAL &&
        (leg->type == RTN_BROADCAST || leg->type == RTN_MULTICAST)) {
        leg->type = RTN_UNICAST;
    }
}

/* The kernel answers with EINVAL where a blackhole route matches. */
static DWORD
code_of_route(int status)
{
    return status == -EINVAL ? ERROR_NETWORK_UNREACHABLE : nio_code_of(status);
}

/* An address or broadcast address of this machine: while no rule separates
 * them, IPv4 keeps the tables local and main in one, and names main. */
static bool
may_be_local(const nio_route *leg)
{
    return leg->family == AF_INET && leg->table == RT_TABLE_MAIN &&
           (leg->type == RTN_LOCAL || leg->type == RTN_BROADCAST);
}

/* Searches the table for the leg that the kernel has chosen. */
static DWORD
search_table(nio_one_shot *one_shot, const SOCKADDR_INET *destination,
             nio_chosen chosen, nio_route *ret_route)
{
    chosen.family = (uint8_t)destination->si_family;
    nio_sockaddr_bytes(destination, chosen.destination);
    return nio_best_in_table(one_shot, &chosen, ret_route);
}

/* The route of the matching entry, of the leg that the kernel has chosen. */
static DWORD
route_of(nio_one_shot *one_shot, const SOCKADDR_INET *destination,
         const decision *decision, const match *match, int status,
         nio_route *ret_route)
{
    nio_chosen chosen = {.oif = decision->oif, .table = decision->table};
    memcpy(chosen.gateway, decision->gateway, sizeof(chosen.gateway));
    ret_route->type = RTN_UNSPEC;
    if (status == -EMSGSIZE) {
        DWORD code = search_table(one_shot, destination, chosen, ret_route);
        if (code == NO_ERROR && ret_route->type == RTN_UNSPEC &&
            chosen.table == RT_TABLE_MAIN) {
            chosen.table = RT_TABLE_LOCAL; /* see may_be_local() */
            code = search_table(one_shot, destination, chosen, ret_route);
        }
        return code == NO_ERROR && ret_route->type == RTN_UNSPEC
                   ? ERROR_NETWORK_UNREACHABLE /* it has changed meanwhile */
                   : code;
    }
    nio_route *leg = choose_leg(match, decision);
    if (status < 0 || leg == NULL) {
        return code_of_route(status < 0 ? status : -ENETUNREACH);
    }
    if (may_be_local(leg)) {
        nio_route found;
        chosen.oif = leg->oif;
        chosen.table = RT_TABLE_LOCAL;
        DWORD code = search_table(one_shot, destination, chosen, &found);
        if (code != NO_ERROR) {
            return code;
        }
        if (found.type != RTN_UNSPEC &&
            found.prefix_length == leg->prefix_length) {
            *ret_route = found;
            return NO_ERROR;
        }
        nio_extra_drop(found.extra);
    }
    give_own_type(leg);
    (void)nio_extra_keep(leg->extra);
    *ret_route = *leg;
    return NO_ERROR;
}

static DWORD
best_route(nio_one_shot *one_shot, uint32_t index, const SOCKADDR_INET *source,
           const SOCKADDR_INET *destination, PMIB_IPFORWARD_ROW2 row,
           SOCKADDR_INET *ret_source)
{
    decision decision;
    match match = {.decode = &one_shot->mirror.decode};
    nio_route route = {.extra = NULL};
    /* Else the answer names table main; IPv6 refuses the flag. */
    const uint32_t flags =
        destination->si_family == AF_INET ? RTM_F_LOOKUP_TABLE : 0;
    memset(&decision, 0, sizeof(decision));
    int status = ask(one_shot, request_for(destination, source, index, flags),
                     on_decision, &decision);
    if (status < 0) {
        return code_of_route(status);
    }
    status =
        ask(one_shot,
            request_for(destination, source, index, flags | RTM_F_FIB_MATCH),
            on_match, &match);
    if (status == -EHOSTUNREACH) {
        status = -ENETUNREACH; /* it would be sent without a route */
    }
    DWORD code =
        route_of(one_shot, destination, &decision, &match, status, &route);
    if (code == NO_ERROR) {
        nio_route_row(&route, &one_shot->mirror.links, 0, row);
        (void)nio_extra_keep(row->Extra); /* the caller's */
        if (source != NULL) {
            *ret_source = *source;
        } else {
            nio_sockaddr((uint8_t)destination->si_family, decision.source,
                         decision.oif, ret_source);
        }
    }
    nio_extra_drop(route.extra);
    nio_legs_done(&match.legs);
    return code;
}

/* Does the caller name an interface: by its LUID, its index or the scope of
 * the destination (fe80::1%eth0), in this order? */
static bool
names_interface(const NET_LUID *luid, const SOCKADDR_INET *destination,
                NET_IFINDEX *index)
{
    if (luid != NULL && luid->Value != 0) {
        *index = nio_index_of_luid(*luid);
        return true;
    }
    if (*index == 0 && destination->si_family == AF_INET6) {
        *index = destination->Ipv6.sin6_scope_id;
    }
    return *index != 0;
}

NETIO_STATUS NETIOAPI_API_
GetBestRoute2(NET_LUID *luid, NET_IFINDEX index, const SOCKADDR_INET *source,
              const SOCKADDR_INET *destination, ULONG options,
              PMIB_IPFORWARD_ROW2 row, SOCKADDR_INET *ret_source)
{
    nio_one_shot one_shot;
    (void)options; /* Windows does not use them either */
    if (destination == NULL || row == NULL || ret_source == NULL ||
        (destination->si_family != AF_INET &&
         destination->si_family != AF_INET6) ||
        (source != NULL && source->si_family != destination->si_family)) {
        return ERROR_INVALID_PARAMETER;
    }
    bool has_interface = names_interface(luid, destination, &index);
    DWORD code = nio_one_shot_open(&one_shot, NULL);
    if (code == NO_ERROR && has_interface &&
        nio_mirror_link(&one_shot.mirror, index) == NULL) {
        code = ERROR_FILE_NOT_FOUND;
    }
    if (code == NO_ERROR) {
        code = nio_read_nexthops(&one_shot);
    }
    if (code == NO_ERROR) {
        code =
            best_route(&one_shot, index, source, destination, row, ret_source);
    }
    nio_one_shot_close(&one_shot);
    return code;
}

/* SPDX-License-Identifier: MIT */
/* GetBestRoute2. The kernel is asked twice for a best route: which entry of
 * its table matches (RTM_F_FIB_MATCH), and what it would really do with a
 * packet, which alone tells the source address and the leg. */
#include "rtnetlink/decode/attribute.h"
#include "rtnetlink/api/errors.h"
#include "rtnetlink/api/one_shot.h"
#include "rtnetlink/decode/rows.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#ifndef RTM_F_FIB_MATCH
#    define RTM_F_FIB_MATCH 0x2000
#endif

typedef struct question {
    struct nlmsghdr header;
    struct rtmsg route;
    uint8_t attributes[64];
    size_t size;
} question;

static void
add_attribute(question *question, uint16_t type, const void *value,
              size_t size)
{
    struct rtattr header = {.rta_len = (uint16_t)(sizeof(header) + size),
                            .rta_type = type};
    size_t used = question->size - offsetof(struct question, attributes);
    memcpy(question->attributes + used, &header, sizeof(header));
    memcpy(question->attributes + used + sizeof(header), value, size);
    question->size += (sizeof(header) + size + 3u) & ~(size_t)3u;
}

static question
ask_for(const SOCKADDR_INET *destination, const SOCKADDR_INET *source,
        uint32_t index, uint32_t flags)
{
    uint8_t bytes[16];
    uint8_t length = destination->si_family == AF_INET ? 4 : 16;
    question question;
    memset(&question, 0, sizeof(question));
    question.size = offsetof(struct question, attributes);
    question.header.nlmsg_type = RTM_GETROUTE;
    question.header.nlmsg_flags = NLM_F_REQUEST;
    question.route.rtm_family = (uint8_t)destination->si_family;
    question.route.rtm_dst_len = (uint8_t)(length * 8);
    question.route.rtm_flags = flags;
    nio_sockaddr_bytes(destination, bytes);
    add_attribute(&question, RTA_DST, bytes, length);
    if (source != NULL) {
        nio_sockaddr_bytes(source, bytes);
        question.route.rtm_src_len = (uint8_t)(length * 8);
        add_attribute(&question, RTA_SRC, bytes, length);
    }
    if (index != 0) {
        add_attribute(&question, RTA_OIF, &index, sizeof(index));
    }
    return question;
}

typedef struct match {
    const nio_store *nexthops;
    nio_legs legs;
} match;

static int
on_match(void *context, const struct nlmsghdr *header, nio_bytes body)
{
    match *match = context;
    (void)header;
    int status = nio_decode_route(body, match->nexthops, &match->legs);
    return status == NIO_NOT_OURS ? -EOPNOTSUPP : status;
}

/* What the kernel would do: a route made for this one destination. */
typedef struct decision {
    uint32_t oif;
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
    while (nio_attribute_next(&body, &attribute)) {
        if (attribute.type == RTA_OIF) {
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
ask(nio_one_shot *reading, question question, nio_reply reply, void *context)
{
    return nio_query(&reading->requester, &question, question.size, reply,
                     context, NULL);
}

static const nio_route *
choose_leg(const match *match, const decision *decision)
{
    for (size_t i = 0; i < match->legs.count; i++) {
        const nio_route *leg = &match->legs.legs[i];
        if (leg->oif == decision->oif &&
            memcmp(leg->gateway, decision->gateway, 16) == 0) {
            return leg;
        }
    }
    return match->legs.count > 0 ? &match->legs.legs[0] : NULL;
}

/* A blackhole is EINVAL to the kernel, which means no network to a program. */
static DWORD
code_of_route(int status)
{
    return status == -EINVAL ? ERROR_NETWORK_UNREACHABLE : nio_code_of(status);
}

static DWORD
best_route(nio_one_shot *reading, uint32_t index, const SOCKADDR_INET *source,
           const SOCKADDR_INET *destination, PMIB_IPFORWARD_ROW2 row,
           SOCKADDR_INET *ret_source)
{
    decision decision;
    match match = {.nexthops = &reading->mirror.nexthops};
    memset(&decision, 0, sizeof(decision));
    int status = ask(reading, ask_for(destination, source, index, 0),
                     on_decision, &decision);
    uint32_t flags = RTM_F_FIB_MATCH;
    if (destination->si_family == AF_INET) {
        flags |= RTM_F_LOOKUP_TABLE; /* else it says main; IPv6 refuses it */
    }
    if (status == 0) {
        status = ask(reading, ask_for(destination, source, index, flags),
                     on_match, &match);
        if (status == -EHOSTUNREACH) {
            status = -ENETUNREACH; /* it would go out without any route */
        }
    }
    const nio_route *leg = choose_leg(&match, &decision);
    if (status == 0 && leg == NULL) {
        status = -ENETUNREACH;
    }
    if (status == 0) {
        nio_route_row(leg, &reading->mirror.links, row);
        if (source != NULL) {
            *ret_source = *source;
        } else {
            nio_sockaddr((uint8_t)destination->si_family, decision.source,
                         decision.oif, ret_source);
        }
    }
    nio_legs_done(&match.legs);
    return code_of_route(status);
}

NETIO_STATUS NETIOAPI_API_
GetBestRoute2(NET_LUID *luid, NET_IFINDEX index, const SOCKADDR_INET *source,
              const SOCKADDR_INET *destination, ULONG options,
              PMIB_IPFORWARD_ROW2 row, SOCKADDR_INET *ret_source)
{
    nio_one_shot reading;
    (void)options; /* Windows does not use them either */
    if (destination == NULL || row == NULL || ret_source == NULL ||
        (destination->si_family != AF_INET &&
         destination->si_family != AF_INET6) ||
        (source != NULL && source->si_family != destination->si_family)) {
        return ERROR_INVALID_PARAMETER;
    }
    DWORD code = nio_one_shot_open(&reading);
    if (code != NO_ERROR) {
        return code;
    }
    bool chosen = index != 0 || (luid != NULL && luid->Value != 0);
    if (luid != NULL && luid->Value != 0) {
        index = (NET_IFINDEX)luid->Info.NetLuidIndex;
    }
    if (!chosen && destination->si_family == AF_INET6) {
        index = destination->Ipv6.sin6_scope_id; /* fe80::1%eth0 */
        chosen = index != 0;
    }
    if (chosen && nio_mirror_link(&reading.mirror, index) == NULL) {
        code = ERROR_FILE_NOT_FOUND;
    }
    if (code == NO_ERROR) {
        code = nio_read_nexthops(&reading);
    }
    if (code == NO_ERROR) {
        code =
            best_route(&reading, index, source, destination, row, ret_source);
    }
    nio_one_shot_close(&reading);
    return code;
}

/* SPDX-License-Identifier: MIT */
/* One walk over the attributes of a route message. */
#include "route.h"

#include <stddef.h>
#include <string.h>

#define PLACE(member)                                                         \
    {offsetof(bench_route, member), sizeof(((bench_route *)0)->member)}

/* The place of each attribute in the row, and its size there. */
static const struct {
    uint16_t offset, size;
} places[RTA_MAX + 1] = {
    [RTA_DST] = PLACE(destination),  [RTA_SRC] = PLACE(source),
    [RTA_GATEWAY] = PLACE(gateway),  [RTA_PREFSRC] = PLACE(preferred_source),
    [RTA_TABLE] = PLACE(table),      [RTA_PRIORITY] = PLACE(priority),
    [RTA_IIF] = PLACE(input),        [RTA_OIF] = PLACE(output),
    [RTA_NH_ID] = PLACE(nexthop_id), [RTA_FLOW] = PLACE(flow),
    [RTA_MARK] = PLACE(mark),        [RTA_PREF] = PLACE(preference),
};

/* Attributes that are structures of their own. */
static void
parse_nested(const struct rtattr *attribute, bench_route *row)
{
    const void *payload = RTA_DATA(attribute);
    size_t size = RTA_PAYLOAD(attribute);
    if (attribute->rta_type == RTA_CACHEINFO &&
        size >= sizeof(struct rta_cacheinfo)) {
        row->expires =
            (uint32_t)((const struct rta_cacheinfo *)payload)->rta_expires;
    } else if (attribute->rta_type == RTA_METRICS) {
        const struct rtattr *metric = payload;
        int left = (int)size;
        for (; RTA_OK(metric, left); metric = RTA_NEXT(metric, left)) {
            if (metric->rta_type == RTAX_MTU && RTA_PAYLOAD(metric) >= 4) {
                memcpy(&row->mtu, RTA_DATA(metric), 4);
            }
        }
    } else if (attribute->rta_type == RTA_MULTIPATH) {
        const struct rtnexthop *leg = payload;
        int left = (int)size;
        while (left >= (int)sizeof(*leg) && RTNH_OK(leg, left)) {
            row->legs++;
            left -= RTNH_ALIGN(leg->rtnh_len);
            leg = RTNH_NEXT(leg);
        }
    }
}

bool
bench_route_parse(const struct nlmsghdr *message, bench_route *ret)
{
    const struct rtmsg *head = NLMSG_DATA(message);
    if ((message->nlmsg_type != RTM_NEWROUTE &&
         message->nlmsg_type != RTM_DELROUTE) ||
        message->nlmsg_len < NLMSG_LENGTH(sizeof(*head))) {
        return false;
    }
    *ret = (bench_route){
        .message = message->nlmsg_type,
        .family = head->rtm_family,
        .destination_length = head->rtm_dst_len,
        .source_length = head->rtm_src_len,
        .tos = head->rtm_tos,
        .table = head->rtm_table,
        .protocol = head->rtm_protocol,
        .scope = head->rtm_scope,
        .type = head->rtm_type,
        .flags = head->rtm_flags,
    };
    const struct rtattr *attribute = RTM_RTA(head);
    int left = (int)RTM_PAYLOAD(message);
    for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
        unsigned type = attribute->rta_type;
        if (type > RTA_MAX || places[type].size == 0) {
            parse_nested(attribute, ret);
            continue;
        }
        size_t size = RTA_PAYLOAD(attribute);
        size = size < places[type].size ? size : places[type].size;
        memcpy((uint8_t *)ret + places[type].offset, RTA_DATA(attribute),
               size);
    }
    return left == 0;
}

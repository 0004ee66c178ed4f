/* SPDX-License-Identifier: MIT */
/* Gives the messages of the event socket to the mirror, by a table of
 * handlers: one row for each type of message. */
#include "rtnetlink/decode/attribute.h"
#include "rtnetlink/engine/engine.h"

#include "rtnetlink/engine/trace.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/netconf.h>
#include <stdlib.h>
#include <sys/socket.h>

/* Returns 0 or the result of the decoder. */
typedef int (*handler)(nio_engine *engine, const struct nlmsghdr *header,
                       nio_bytes body);

/* The prefix of a router advertisement: the kernel also adds an address, but
 * sends no message of it before duplicate address detection has ended. */
static bool
brings_address(const nio_route *route)
{
    return route->family == AF_INET6 && route->protocol == RTPROT_KERNEL &&
           route->expires_s != NIO_INFINITE;
}

static int
on_route(nio_engine *engine, const struct nlmsghdr *header, nio_bytes body)
{
    nio_mirror *mirror = &engine->mirror;
    if (!mirror->wants_routes) {
        return NIO_NOT_OURS; /* sent before the groups were left */
    }
    int status = nio_decode_route(body, &mirror->decode, &engine->legs);
    if (status == -ENOMEM) {
        mirror->allocation_failed = true;
    }
    if (status != 0) {
        return status;
    }
    const nio_route *head = &engine->legs.head;
    bool is_new = header->nlmsg_type == RTM_NEWROUTE;
    mirror->dirty.addresses |= is_new && brings_address(head);
    if (!nio_table_set_contains(&engine->tables, head->table)) {
        return NIO_NOT_OURS; /* the socket's filter lets some of them pass */
    }
    if (is_new) {
        nio_mirror_new_route(mirror, &engine->legs, header->nlmsg_flags);
    } else {
        nio_mirror_del_route(mirror, &engine->legs);
    }
    return 0;
}

static int
on_address(nio_engine *engine, const struct nlmsghdr *header, nio_bytes body)
{
    nio_address address;
    int status =
        nio_decode_address(body, engine->mirror.decode.now_s, &address);
    if (status == 0 && header->nlmsg_type == RTM_NEWADDR) {
        nio_mirror_new_address(&engine->mirror, &address);
    } else if (status == 0) {
        nio_mirror_del_address(&engine->mirror, &address);
    }
    return status;
}

/* A prefix of a router advertisement: the kernel has added or renewed an
 * address for it, perhaps a temporary one, too. It sends no message of these
 * before duplicate address detection has ended. */
static int
on_prefix(nio_engine *engine, const struct nlmsghdr *header, nio_bytes body)
{
    (void)header;
    (void)body;
    nio_mirror *mirror = &engine->mirror;
    mirror->dirty.addresses = true;
    /* The same advertisement renews routes without a message. */
    mirror->dirty.routes[1] |= mirror->wants_routes && mirror->has_expiring &&
                               mirror->fanout.lifetimes;
    return 0;
}

/* A link has joined an IPv6 multicast group: perhaps that of an address. */
static int
on_multicast(nio_engine *engine, const struct nlmsghdr *header, nio_bytes body)
{
    struct ifaddrmsg message;
    nio_attribute attribute;
    uint8_t group[16] = {0};
    (void)header;
    if (!nio_bytes_take(&body, &message, sizeof(message))) {
        return -EBADMSG;
    }
    if (message.ifa_family != AF_INET6) {
        return NIO_NOT_OURS;
    }
    while (nio_attribute_next(&body, &attribute)) {
        if (attribute.type == IFA_MULTICAST &&
            !nio_attribute_value(&attribute, group, sizeof(group))) {
            return -EBADMSG;
        }
    }
    nio_mirror_joined_group(&engine->mirror, message.ifa_index, group);
    return body.left != 0 ? -EBADMSG : 0;
}

static int
on_link(nio_engine *engine, const struct nlmsghdr *header, nio_bytes body)
{
    nio_mirror *mirror = &engine->mirror;
    nio_link link;
    uint8_t family = AF_UNSPEC;
    int status = nio_decode_link(body, &mirror->extras, &link, &family);
    if (status == -ENOMEM) {
        mirror->allocation_failed = true;
    }
    if (status == NIO_NOT_OURS && family == AF_INET6) {
        /* The IPv6 part of the link changed: read the whole link. */
        nio_mirror_dirty_link(mirror, link.index);
    }
    if (status != 0) {
        return status;
    }
    if (header->nlmsg_type == RTM_NEWLINK) {
        nio_mirror_new_link(mirror, &link);
    } else {
        nio_mirror_del_link(mirror, &link);
    }
    nio_link_done(&link, &mirror->extras);
    return 0;
}

static int
on_nexthop(nio_engine *engine, const struct nlmsghdr *header, nio_bytes body)
{
    nio_nexthop nexthop;
    int status = nio_decode_nexthop(body, &engine->mirror.decode, &nexthop);
    if (status == -ENOMEM) {
        engine->mirror.allocation_failed = true;
    }
    if (status == 0 && header->nlmsg_type == RTM_NEWNEXTHOP) {
        nio_mirror_new_nexthop(&engine->mirror, &nexthop);
    } else if (status == 0) {
        nio_mirror_del_nexthop(&engine->mirror, nexthop.id);
        nio_nexthop_done(&nexthop, &engine->mirror.extras);
    }
    return status;
}

/* Whether the routes of a link without carrier are dead is a setting
 * (ignore_routes_with_linkdown). */
static bool
is_without_carrier(const nio_mirror *mirror, uint32_t index)
{
    const nio_link *link = nio_mirror_link(mirror, index);
    return link != NULL && (link->flags & IFF_UP) &&
           !(link->flags & IFF_LOWER_UP);
}

/* A setting such as forwarding changed, on one link or on all. */
static int
on_netconf(nio_engine *engine, const struct nlmsghdr *header, nio_bytes body)
{
    nio_mirror *mirror = &engine->mirror;
    struct netconfmsg message;
    nio_attribute attribute;
    uint32_t index = 0;
    bool routes = false;
    (void)header;
    if (!nio_bytes_take(&body, &message, sizeof(message))) {
        return -EBADMSG;
    }
    while (nio_attribute_next(&body, &attribute)) {
        if (attribute.type == NETCONFA_IFINDEX &&
            !nio_attribute_u32(&attribute, &index)) {
            return -EBADMSG;
        }
        routes |= attribute.type == NETCONFA_IGNORE_ROUTES_WITH_LINKDOWN;
    }
    if ((int32_t)index > 0) {
        nio_mirror_dirty_link(mirror, index);
        routes = routes && is_without_carrier(mirror, index);
    } else {
        mirror->dirty.all_links = true;
    }
    if (routes && mirror->wants_routes) {
        mirror->dirty.routes[NIO_FAMILY_BIT(message.ncm_family)] = true;
    }
    return body.left != 0 ? -EBADMSG : 0;
}

static const struct {
    uint16_t type;
    handler handle;
} handlers[] = {
    {RTM_NEWROUTE, on_route},     {RTM_DELROUTE, on_route},
    {RTM_NEWADDR, on_address},    {RTM_DELADDR, on_address},
    {RTM_NEWLINK, on_link},       {RTM_DELLINK, on_link},
    {RTM_NEWNEXTHOP, on_nexthop}, {RTM_DELNEXTHOP, on_nexthop},
    {RTM_NEWNETCONF, on_netconf}, {RTM_DELNETCONF, on_netconf},
    {RTM_NEWPREFIX, on_prefix},   {NIO_RTM_NEWMULTICAST, on_multicast},
};

void
nio_apply(nio_engine *engine, nio_bytes bytes)
{
    struct nlmsghdr header;
    nio_bytes body;
    while (nio_message_next(&bytes, &header, &body)) {
        int status = 0;
        engine->counted.messages++;
        for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
            if (handlers[i].type == header.nlmsg_type) {
                status = handlers[i].handle(engine, &header, body);
                break;
            }
        }
        engine->counted.ignored += status == -EBADMSG;
        if (nio_debug_enabled) {
            nio_trace_message(engine, &header, body, status);
        }
    }
    if (bytes.left != 0) { /* the rest of the datagram cannot be read */
        engine->counted.ignored++;
        nio_engine_mark_lost(engine);
    }
}

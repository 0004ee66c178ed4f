/* SPDX-License-Identifier: MIT */
/* RTM_NEWLINK, RTM_DELLINK and RTM_NEWNEIGHTBL: see decode.h. */
#include "rtnetlink/decode/decode.h"

#include "rtnetlink/decode/attribute.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <string.h>
#include <sys/socket.h>

/* An element of an array of int32, as in IFLA_AF_SPEC; 0 if it is missing. */
static uint32_t
conf_at(const nio_bytes *conf, size_t index)
{
    uint32_t value = 0;
    if (conf->left >= (index + 1) * sizeof(value)) {
        memcpy(&value, conf->at + index * sizeof(value), sizeof(value));
    }
    return value;
}

static void
read_inet(nio_link *link, nio_bytes attributes)
{
    nio_attribute attribute;
    link->inet.present = true;
    while (nio_attribute_next(&attributes, &attribute)) {
        if (attribute.type == IFLA_INET_CONF) {
            /* The array begins with element 1 of the enum. */
            link->inet.forwarding =
                conf_at(&attribute.payload, IPV4_DEVCONF_FORWARDING - 1) != 0;
        }
    }
}

static void
read_inet6(nio_link *link, nio_bytes attributes)
{
    nio_attribute attribute;
    bool disabled = false;
    while (nio_attribute_next(&attributes, &attribute)) {
        const nio_bytes *conf = &attribute.payload;
        switch (attribute.type) {
        case IFLA_INET6_FLAGS:
            link->inet6_flags = conf_at(conf, 0);
            break;
        case IFLA_INET6_CONF:
            link->inet6.forwarding = conf_at(conf, DEVCONF_FORWARDING) != 0;
            link->mtu6 = conf_at(conf, DEVCONF_MTU6);
            link->accept_ra = conf_at(conf, DEVCONF_ACCEPT_RA);
            link->dad_transmits = conf_at(conf, DEVCONF_DAD_TRANSMITS);
            disabled = conf_at(conf, DEVCONF_DISABLE_IPV6) != 0;
            break;
        case IFLA_INET6_CACHEINFO: /* struct ifla_cacheinfo: four u32 */
            link->max_reassembly6 = conf_at(conf, 0);
            link->inet6.reachable = conf_at(conf, 2);
            link->inet6.retransmit = conf_at(conf, 3);
            break;
        case IFLA_INET6_ADDR_GEN_MODE:
            nio_attribute_u8(&attribute, &link->address_generation);
            break;
        default:
            break;
        }
    }
    link->inet6.present = !disabled;
}

static void
read_families(nio_link *link, nio_bytes attributes)
{
    nio_attribute family;
    while (nio_attribute_next(&attributes, &family)) {
        if (family.type == AF_INET) {
            read_inet(link, family.payload);
        } else if (family.type == AF_INET6) {
            read_inet6(link, family.payload);
        }
    }
}

int
nio_decode_link(nio_bytes body, nio_link *ret_link, uint8_t *ret_family)
{
    struct ifinfomsg message;
    nio_link link;
    if (!nio_bytes_take(&body, &message, sizeof(message))) {
        return -EBADMSG;
    }
    *ret_family = message.ifi_family;
    memset(&link, 0, sizeof(link));
    link.index = (uint32_t)message.ifi_index;
    link.flags = message.ifi_flags;
    link.type = message.ifi_type;

    nio_attribute attribute;
    while (nio_attribute_next(&body, &attribute)) {
        bool sound = true;
        switch (attribute.type) {
        case IFLA_IFNAME:
            sound = nio_attribute_name(&attribute, link.name);
            break;
        case IFLA_MTU:
            sound = nio_attribute_u32(&attribute, &link.mtu);
            break;
        case IFLA_MASTER:
            sound = nio_attribute_u32(&attribute, &link.master);
            break;
        case IFLA_OPERSTATE:
            sound = nio_attribute_u8(&attribute, &link.oper_state);
            break;
        case IFLA_AF_SPEC:
            if (message.ifi_family == AF_UNSPEC) {
                read_families(&link, attribute.payload);
            }
            break;
        default:
            break;
        }
        if (!sound) {
            return -EBADMSG;
        }
    }
    if (body.left != 0 || message.ifi_index <= 0) {
        return -EBADMSG;
    }
    *ret_link = link;
    return message.ifi_family == AF_UNSPEC ? 0 : NIO_NOT_OURS;
}

/* An NDTPA_* time: 64 bits, in ms. */
static uint32_t
milliseconds(const nio_bytes *payload)
{
    uint64_t value = 0;
    if (payload->left >= sizeof(value)) {
        memcpy(&value, payload->at, sizeof(value));
    }
    return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

static void
read_times(nio_bytes attributes, uint32_t *ret_index,
           nio_link_family *ret_times)
{
    nio_attribute attribute;
    while (nio_attribute_next(&attributes, &attribute)) {
        switch (attribute.type) {
        case NDTPA_IFINDEX:
            nio_attribute_u32(&attribute, ret_index);
            break;
        case NDTPA_BASE_REACHABLE_TIME:
            ret_times->base_reachable = milliseconds(&attribute.payload);
            break;
        case NDTPA_REACHABLE_TIME:
            ret_times->reachable = milliseconds(&attribute.payload);
            break;
        case NDTPA_RETRANS_TIME:
            ret_times->retransmit = milliseconds(&attribute.payload);
            break;
        default:
            break;
        }
    }
}

int
nio_decode_neighbour_table(nio_bytes body, uint8_t *ret_family,
                           uint32_t *ret_index, nio_link_family *ret_times)
{
    struct ndtmsg message;
    if (!nio_bytes_take(&body, &message, sizeof(message))) {
        return -EBADMSG;
    }
    *ret_family = message.ndtm_family;
    *ret_index = 0;
    memset(ret_times, 0, sizeof(*ret_times));
    nio_attribute attribute;
    while (nio_attribute_next(&body, &attribute)) {
        if (attribute.type == NDTA_PARMS) {
            read_times(attribute.payload, ret_index, ret_times);
        }
    }
    return body.left != 0 ? -EBADMSG : 0;
}

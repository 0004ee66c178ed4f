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

/* ---- what is rare */

/* Borrowed from the message. */
typedef struct link_details {
    nio_bytes hardware; /* IFLA_ADDRESS */
    nio_bytes kind;     /* IFLA_INFO_KIND, without its NUL */
    nio_bytes properties;
} link_details;

/* A text without what follows its first NUL. */
static nio_bytes
text_of(nio_bytes payload)
{
    const uint8_t *end =
        payload.left == 0 ? NULL : memchr(payload.at, 0, payload.left);
    if (end != NULL) {
        payload.left = (size_t)(end - payload.at);
    }
    return payload;
}

static void
read_details(link_details *details, const nio_attribute *attribute)
{
    nio_bytes nested = attribute->payload;
    nio_attribute inner;
    switch (attribute->type) {
    case IFLA_ADDRESS:
        details->hardware = attribute->payload;
        break;
    case IFLA_LINKINFO:
        while (nio_attribute_next(&nested, &inner)) {
            if (inner.type == IFLA_INFO_KIND) {
                details->kind = text_of(inner.payload);
            }
        }
        break;
    case IFLA_PROP_LIST:
        details->properties = attribute->payload;
        break;
    default:
        break;
    }
}

/* Appends the alternative names, each with its NUL, and returns the number of
 * bytes in use. Names for which there is no room are left out. */
static size_t
append_alternatives(uint8_t *items, size_t used, nio_bytes properties)
{
    uint8_t names[NIO_EXTRA_MAX];
    const size_t room = used + NIO_EXTRA_HEADER < sizeof(names)
                            ? sizeof(names) - used - NIO_EXTRA_HEADER
                            : 0;
    size_t size = 0;
    nio_attribute inner;
    while (nio_attribute_next(&properties, &inner)) {
        const nio_bytes name = text_of(inner.payload);
        if (inner.type == IFLA_ALT_IFNAME && name.left > 0 &&
            name.left < room - size) {
            memcpy(names + size, name.at, name.left);
            names[size + name.left] = 0;
            size += name.left + 1;
        }
    }
    return size == 0 ? used
                     : nio_extra_append(items, used, NIO_EXTRA_ALTERNATIVES,
                                        names, size);
}

static bool
get_extra(const link_details *details, nio_extra_pool *extras,
          const nio_extra **ret_extra)
{
    const struct {
        unsigned tag;
        const nio_bytes *bytes;
    } plain[] = {{NIO_EXTRA_LINK_KIND, &details->kind},
                 {NIO_EXTRA_HARDWARE, &details->hardware}};
    uint8_t items[NIO_EXTRA_MAX];
    size_t used = 0;
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        const nio_bytes *bytes = plain[i].bytes;
        if (bytes->left > 0) {
            used = nio_extra_append(items, used, plain[i].tag, bytes->at,
                                    bytes->left);
        }
    }
    used = append_alternatives(items, used, details->properties);
    return nio_extra_pool_get(extras, items, used, ret_extra);
}

void
nio_link_done(nio_link *link, nio_extra_pool *extras)
{
    nio_extra_pool_release(extras, link->extra);
    link->extra = NULL;
}

/* ---- a link */

int
nio_decode_link(nio_bytes body, nio_extra_pool *extras, nio_link *ret_link,
                uint8_t *ret_family)
{
    struct ifinfomsg message;
    link_details details = {0};
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
            read_details(&details, &attribute);
            break;
        }
        if (!sound) {
            return -EBADMSG;
        }
    }
    if (body.left != 0 || message.ifi_index <= 0) {
        return -EBADMSG;
    }
    if (message.ifi_family == AF_UNSPEC &&
        !get_extra(&details, extras, &link.extra)) {
        return -ENOMEM;
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

/* SPDX-License-Identifier: MIT */
/* RTM_NEWADDR and RTM_DELADDR: see decode.h. */
#include "rtnetlink/decode/decode.h"

#include "rtnetlink/decode/attribute.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <string.h>
#include <sys/socket.h>

/* Not in the oldest headers. */
#define ADDRESS_METRIC 9    /* IFA_RT_PRIORITY */
#define ADDRESS_PROTOCOL 11 /* IFA_PROTO */

static bool
read_lifetimes(nio_address *address, const nio_bytes *payload)
{
    struct ifa_cacheinfo info;
    if (payload->left < sizeof(info)) {
        return false;
    }
    memcpy(&info, payload->at, sizeof(info));
    address->valid_s = info.ifa_valid;
    address->preferred_s = info.ifa_prefered;
    address->created = info.cstamp;
    return true;
}

static bool
read_attribute(nio_address *address, const nio_attribute *attribute,
               uint8_t remote[16], bool *has_local)
{
    uint8_t family = address->family;
    switch (attribute->type) {
    case IFA_LOCAL:
        *has_local = true;
        return nio_attribute_address(attribute, address->local, &family) &&
               family == address->family;
    case IFA_ADDRESS:
        return nio_attribute_address(attribute, remote, &family) &&
               family == address->family;
    case IFA_FLAGS:
        return nio_attribute_u32(attribute, &address->flags);
    case IFA_CACHEINFO:
        return read_lifetimes(address, &attribute->payload);
    case ADDRESS_PROTOCOL:
        return nio_attribute_u8(attribute, &address->protocol);
    case ADDRESS_METRIC:
        return nio_attribute_u32(attribute, &address->metric);
    case IFA_BROADCAST:
        return nio_attribute_address(attribute, address->broadcast, &family) &&
               family == address->family;
    case IFA_LABEL:
        return nio_attribute_name(attribute, address->label);
    default:
        return true;
    }
}

int
nio_decode_address(nio_bytes body, uint32_t now_s, nio_address *ret_address)
{
    struct ifaddrmsg message;
    nio_address address;
    uint8_t remote[16] = {0}; /* IFA_ADDRESS: the peer's if there is a peer */
    bool has_local = false;
    if (!nio_bytes_take(&body, &message, sizeof(message))) {
        return -EBADMSG;
    }
    if (message.ifa_family != AF_INET && message.ifa_family != AF_INET6) {
        return NIO_NOT_OURS;
    }
    memset(&address, 0, sizeof(address));
    address.family = message.ifa_family;
    address.prefix_length = message.ifa_prefixlen;
    address.flags = message.ifa_flags;
    address.index = message.ifa_index;
    address.scope = message.ifa_scope;
    address.valid_s = NIO_INFINITE;
    address.preferred_s = NIO_INFINITE;

    nio_attribute attribute;
    while (nio_attribute_next(&body, &attribute)) {
        if (!read_attribute(&address, &attribute, remote, &has_local)) {
            return -EBADMSG;
        }
    }
    if (body.left != 0 ||
        message.ifa_prefixlen > (message.ifa_family == AF_INET ? 32 : 128)) {
        return -EBADMSG;
    }
    if (!has_local) {
        memcpy(address.local, remote, sizeof(address.local));
    } else if (memcmp(address.local, remote, sizeof(remote)) != 0) {
        memcpy(address.peer, remote, sizeof(address.peer));
    }
    address.valid_s = nio_end_of(now_s, address.valid_s);
    address.preferred_s = nio_end_of(now_s, address.preferred_s);
    *ret_address = address;
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* The walk over the attributes of an rtnetlink message, and their values.
 * Pure, and as careful as socket/message.h: an attribute that is too short for
 * its value gives none. */
#pragma once

#include "rtnetlink/socket/message.h"

#include <linux/rtnetlink.h>
#include <sys/socket.h>

typedef struct nio_attribute {
    uint16_t type; /* without NLA_F_NESTED and NLA_F_NET_BYTEORDER */
    nio_bytes payload;
} nio_attribute;

/* Step to the next attribute. False at the end of the attributes and at a
 * malformed length: attributes->left is 0 only in the first case. */
static inline bool
nio_attribute_next(nio_bytes *attributes, nio_attribute *ret_attribute)
{
    struct rtattr header;
    if (attributes->left < sizeof(header)) {
        return false;
    }
    memcpy(&header, attributes->at, sizeof(header));
    if (header.rta_len < sizeof(header) || header.rta_len > attributes->left) {
        return false;
    }
    ret_attribute->type = (uint16_t)(header.rta_type & 0x3fffu);
    ret_attribute->payload.at = attributes->at + sizeof(header);
    ret_attribute->payload.left = header.rta_len - sizeof(header);
    nio_bytes_step(attributes, header.rta_len);
    return true;
}

/* The first `size` bytes of the payload; false if it is shorter. */
static inline bool
nio_attribute_value(const nio_attribute *attribute, void *ret, size_t size)
{
    if (attribute->payload.left < size) {
        return false;
    }
    memcpy(ret, attribute->payload.at, size);
    return true;
}

static inline bool
nio_attribute_u32(const nio_attribute *attribute, uint32_t *ret)
{
    return nio_attribute_value(attribute, ret, sizeof(*ret));
}

static inline bool
nio_attribute_u16(const nio_attribute *attribute, uint16_t *ret)
{
    return nio_attribute_value(attribute, ret, sizeof(*ret));
}

static inline bool
nio_attribute_u8(const nio_attribute *attribute, uint8_t *ret)
{
    return nio_attribute_value(attribute, ret, sizeof(*ret));
}

/* An address of 4 or 16 bytes, zero-padded to 16; its length decides
 * ret_family. False for any other length. */
static inline bool
nio_attribute_address(const nio_attribute *attribute, uint8_t ret[16],
                      uint8_t *ret_family)
{
    const nio_bytes *payload = &attribute->payload;
    if (payload->left == 4) {
        memcpy(ret, payload->at, 4);
        memset(ret + 4, 0, 12);
        *ret_family = AF_INET;
        return true;
    }
    if (payload->left == 16) {
        memcpy(ret, payload->at, 16);
        *ret_family = AF_INET6;
        return true;
    }
    return false;
}

/* A name with its NUL, zero-padded to 16 bytes. False if it is longer. */
static inline bool
nio_attribute_name(const nio_attribute *attribute, char ret[16])
{
    const nio_bytes *payload = &attribute->payload;
    const uint8_t *end =
        payload->left == 0 ? NULL : memchr(payload->at, 0, payload->left);
    size_t length = end == NULL ? payload->left : (size_t)(end - payload->at);
    if (length >= 16) {
        return false;
    }
    memset(ret, 0, 16);
    memcpy(ret, payload->at, length);
    return true;
}

/* AF_UNSPEC, which means "no gateway", for a gateway of zeros: a row shows
 * both alike. */
static inline uint8_t
nio_gateway_family(const uint8_t gateway[16], uint8_t family)
{
    static const uint8_t none[16];
    return memcmp(gateway, none, sizeof(none)) == 0 ? AF_UNSPEC : family;
}

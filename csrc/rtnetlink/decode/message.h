/* SPDX-License-Identifier: MIT */
/* Walks netlink messages and attributes in a range of bytes. Pure: no I/O, no
 * allocation, no errno. Every byte is a stranger's: headers are copied out
 * (alignment), lengths are compared before they are believed. Inline: a route
 * takes a dozen of these steps, and a table has a million routes.
 *
 *   | nlmsghdr | family header | rtattr | payload | pad | rtattr | ...
 *   |<------------------- nlmsg_len ----------------------->|
 */
#pragma once

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

typedef struct nio_bytes {
    const uint8_t *at;
    size_t left;
} nio_bytes;

typedef struct nio_attribute {
    uint16_t type; /* without NLA_F_NESTED and NLA_F_NET_BYTEORDER */
    nio_bytes payload;
} nio_attribute;

/* Step over `length` bytes and their padding; the last one needs none. */
static inline void
nio_bytes_step(nio_bytes *span, size_t length)
{
    size_t aligned = (length + 3u) & ~(size_t)3u;
    if (aligned > span->left) {
        aligned = span->left;
    }
    span->at += aligned;
    span->left -= aligned;
}

/* Step to the next message; ret_body is what follows its header. False at the
 * end and on a malformed length alike: then span->left is 0 at the end only.
 */
static inline bool
nio_message_next(nio_bytes *span, struct nlmsghdr *ret_header,
                 nio_bytes *ret_body)
{
    struct nlmsghdr header;
    if (span->left < sizeof(header)) {
        return false;
    }
    memcpy(&header, span->at, sizeof(header));
    if (header.nlmsg_len < sizeof(header) || header.nlmsg_len > span->left) {
        return false;
    }
    *ret_header = header;
    ret_body->at = span->at + sizeof(header);
    ret_body->left = header.nlmsg_len - sizeof(header);
    nio_bytes_step(span, header.nlmsg_len);
    return true;
}

/* Step to the next attribute, in the same manner. */
static inline bool
nio_attribute_next(nio_bytes *span, nio_attribute *ret_attribute)
{
    struct rtattr header;
    if (span->left < sizeof(header)) {
        return false;
    }
    memcpy(&header, span->at, sizeof(header));
    if (header.rta_len < sizeof(header) || header.rta_len > span->left) {
        return false;
    }
    ret_attribute->type = (uint16_t)(header.rta_type & 0x3fffu);
    ret_attribute->payload.at = span->at + sizeof(header);
    ret_attribute->payload.left = header.rta_len - sizeof(header);
    nio_bytes_step(span, header.rta_len);
    return true;
}

/* Copy `size` bytes from the front and step over them and their padding. */
static inline bool
nio_bytes_take(nio_bytes *span, void *ret, size_t size)
{
    if (span->left < size) {
        return false;
    }
    memcpy(ret, span->at, size);
    nio_bytes_step(span, size);
    return true;
}

/* The value of an attribute; false when it is too short to have one. */
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

/* An address of 4 or 16 bytes, padded with zeros; ret_family tells which. */
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

/* A gateway of zeros is none: a row has one word for both. */
static inline uint8_t
nio_gateway_family(const uint8_t gateway[16], uint8_t family)
{
    static const uint8_t none[16];
    return memcmp(gateway, none, sizeof(none)) == 0 ? AF_UNSPEC : family;
}

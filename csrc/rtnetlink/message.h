/* SPDX-License-Identifier: MIT */
/* Walks netlink messages and attributes in a range of bytes. Pure: no I/O, no
 * allocation, no errno. Every byte is a stranger's: headers are copied out
 * (alignment), lengths are compared before they are believed.
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

typedef struct nio_span {
    const uint8_t *at;
    size_t left;
} nio_span;

typedef struct nio_attribute {
    uint16_t type; /* without NLA_F_NESTED and NLA_F_NET_BYTEORDER */
    nio_span payload;
} nio_attribute;

/* Step to the next message; ret_body is what follows its header. False at the
 * end and on a malformed length alike: then span->left is 0 at the end only.
 */
bool nio_message_next(nio_span *span, struct nlmsghdr *ret_header,
                      nio_span *ret_body);

/* Step to the next attribute, in the same manner. */
bool nio_attribute_next(nio_span *span, nio_attribute *ret_attribute);

/* Copy `size` bytes from the front and step over them and their padding. */
bool nio_span_take(nio_span *span, void *ret, size_t size);

/* The value of an attribute; false when it is too short to have one. */
bool nio_attribute_u32(const nio_attribute *attribute, uint32_t *ret);
bool nio_attribute_u16(const nio_attribute *attribute, uint16_t *ret);
bool nio_attribute_u8(const nio_attribute *attribute, uint8_t *ret);
/* An address of 4 or 16 bytes, padded with zeros; ret_family tells which. */
bool nio_attribute_address(const nio_attribute *attribute, uint8_t ret[16],
                           uint8_t *ret_family);

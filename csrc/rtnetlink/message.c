/* SPDX-License-Identifier: MIT */
/* The walk over messages and attributes: see message.h. */
#include "rtnetlink/message.h"

#include <string.h>
#include <sys/socket.h>

static void
step(nio_span *span, size_t length)
{
    size_t aligned = (length + 3u) & ~(size_t)3u;
    if (aligned > span->left) {
        aligned = span->left; /* the last one needs no padding */
    }
    span->at += aligned;
    span->left -= aligned;
}

bool
nio_message_next(nio_span *span, struct nlmsghdr *ret_header,
                 nio_span *ret_body)
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
    step(span, header.nlmsg_len);
    return true;
}

bool
nio_attribute_next(nio_span *span, nio_attribute *ret_attribute)
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
    step(span, header.rta_len);
    return true;
}

bool
nio_span_take(nio_span *span, void *ret, size_t size)
{
    if (span->left < size) {
        return false;
    }
    memcpy(ret, span->at, size);
    step(span, size);
    return true;
}

static bool
copy_value(const nio_attribute *attribute, void *ret, size_t size)
{
    if (attribute->payload.left < size) {
        return false;
    }
    memcpy(ret, attribute->payload.at, size);
    return true;
}

bool
nio_attribute_u32(const nio_attribute *attribute, uint32_t *ret)
{
    return copy_value(attribute, ret, sizeof(*ret));
}

bool
nio_attribute_u16(const nio_attribute *attribute, uint16_t *ret)
{
    return copy_value(attribute, ret, sizeof(*ret));
}

bool
nio_attribute_u8(const nio_attribute *attribute, uint8_t *ret)
{
    return copy_value(attribute, ret, sizeof(*ret));
}

bool
nio_attribute_address(const nio_attribute *attribute, uint8_t ret[16],
                      uint8_t *ret_family)
{
    size_t length = attribute->payload.left;
    if (length != 4 && length != 16) {
        return false;
    }
    memset(ret, 0, 16);
    memcpy(ret, attribute->payload.at, length);
    *ret_family = length == 4 ? AF_INET : AF_INET6;
    return true;
}

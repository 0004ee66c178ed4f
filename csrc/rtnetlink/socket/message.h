/* SPDX-License-Identifier: MIT */
/* A range of received bytes, and the walk over the netlink messages in it.
 * Pure: no I/O, no allocation, no errno. The bytes may have come from any
 * process: headers are copied out (they may be unaligned) and each length is
 * checked before it is used. Inline, like decode/attribute.h: decoding one
 * route takes a dozen of these steps, and a table has a million routes.
 *
 *   | nlmsghdr | family header | rtattr | payload | pad | rtattr | ...
 *   |<------------------- nlmsg_len ----------------------->|
 */
#pragma once

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Borrowed bytes, from a cursor to the end of the range. */
typedef struct nio_bytes {
    const uint8_t *at;
    size_t left;
} nio_bytes;

/* Skip `length` bytes and their padding to a multiple of 4. The last item of a
 * range may come without its padding. */
static inline void
nio_bytes_step(nio_bytes *bytes, size_t length)
{
    size_t aligned = (length + 3u) & ~(size_t)3u;
    if (aligned > bytes->left) {
        aligned = bytes->left;
    }
    bytes->at += aligned;
    bytes->left -= aligned;
}

/* Copy `size` bytes out and skip them and their padding. False, and nothing
 * is copied, if fewer are left. */
static inline bool
nio_bytes_take(nio_bytes *bytes, void *ret, size_t size)
{
    if (bytes->left < size) {
        return false;
    }
    memcpy(ret, bytes->at, size);
    nio_bytes_step(bytes, size);
    return true;
}

/* Step to the next message; ret_body is what follows its header. False at the
 * end of the messages and at a malformed length: messages->left is 0 only in
 * the first case. */
static inline bool
nio_message_next(nio_bytes *messages, struct nlmsghdr *ret_header,
                 nio_bytes *ret_body)
{
    struct nlmsghdr header;
    if (messages->left < sizeof(header)) {
        return false;
    }
    memcpy(&header, messages->at, sizeof(header));
    if (header.nlmsg_len < sizeof(header) ||
        header.nlmsg_len > messages->left) {
        return false;
    }
    *ret_header = header;
    ret_body->at = messages->at + sizeof(header);
    ret_body->left = header.nlmsg_len - sizeof(header);
    nio_bytes_step(messages, header.nlmsg_len);
    return true;
}

/* SPDX-License-Identifier: MIT */
/* Datagrams of the feed that came while tables were read: kept as they came,
 * applied in order afterwards. Bounded: past the bound the datagrams are
 * dropped and the loss is said, as the kernel's own is. */
#pragma once

#include "rtnetlink/socket/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct nio_backlog {
    uint8_t *bytes; /* owned */
    size_t size;
    size_t capacity;
    size_t cursor; /* of nio_backlog_next */
} nio_backlog;

/* False: there is no room, the datagram is lost. */
bool nio_backlog_add(nio_backlog *backlog, nio_bytes datagram,
                     uint64_t time_ns);
/* The next datagram in order, borrowed; false at the end. */
bool nio_backlog_next(nio_backlog *backlog, nio_bytes *ret_datagram,
                      uint64_t *ret_time_ns);
/* Forget all and give the memory back. */
void nio_backlog_clear(nio_backlog *backlog);

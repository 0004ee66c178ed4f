/* SPDX-License-Identifier: MIT */
/* Datagrams that arrived during a reconcile: kept unchanged, and applied in
 * order afterwards. Past its bound the backlog refuses datagrams, which is
 * then a loss like one in the kernel. */
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

/* False: the datagram is not kept, since the bound is reached or the
 * allocation failed. */
bool nio_backlog_add(nio_backlog *backlog, nio_bytes datagram,
                     uint64_t time_ns);
/* The next datagram in order, borrowed; false at the end. */
bool nio_backlog_next(nio_backlog *backlog, nio_bytes *ret_datagram,
                      uint64_t *ret_time_ns);
/* Begin again with the oldest datagram. */
void nio_backlog_rewind(nio_backlog *backlog);
/* Drop all datagrams and free the memory. */
void nio_backlog_clear(nio_backlog *backlog);

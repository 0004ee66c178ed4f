/* SPDX-License-Identifier: MIT */
/* The lines of NETIOAPI_DEBUG (base/debug.h) about an engine, each with the
 * number of its namespace. Only to be called if nio_debug_enabled is set; on
 * the reader's thread. */
#pragma once

#include "rtnetlink/engine/engine.h"

/* Any event: printf's format, without the end of the line. */
void nio_trace(const nio_engine *engine, const char *format, ...)
    NIO_ANNOTATE(format(printf, 2, 3));
#define NIO_TRACE(...)                                                        \
    do {                                                                      \
        if (nio_debug_enabled) {                                              \
            nio_trace(__VA_ARGS__);                                           \
        }                                                                     \
    } while (0)

/* A message that was applied; `status` is what its handler returned. */
void nio_trace_message(const nio_engine *engine, const struct nlmsghdr *header,
                       nio_bytes body, int status);
/* A reconcile that read the `dirty` tables. */
void nio_trace_reconcile(const nio_engine *engine, uint64_t number,
                         const nio_dirty *dirty, uint64_t duration_ns,
                         int status);
/* The answer to a command of the subscriber: `what` is attach or detach. */
void nio_trace_command(const nio_engine *engine, const char *what,
                       const nio_subscriber *subscriber, int status);

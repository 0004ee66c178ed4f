/* SPDX-License-Identifier: MIT */
/* NETIOAPI_DEBUG=1: one line on stderr for each event, for people who look for
 * a fault. The thread that reports an event only copies its line into a ring;
 * a thread of its own, netio-debug, writes the ring to stderr. So a stderr
 * that nothing reads delays no other thread: a line that finds no room is
 * dropped, and the number of dropped lines is printed in its place. */
#pragma once

#include "contract/annotate.h"

#include <stdbool.h>
#include <stddef.h>

/* Read without a lock. The first nio_debug_start() of a process sets it, so
 * only a thread that has called that function, or was started after such a
 * call, may read it. */
extern bool nio_debug_enabled;

/* Lines are written between a start and its stop; pairs may nest. Without the
 * variable both do nothing. The last stop writes the lines that are left and
 * joins the thread; where nothing reads stderr it gives up after 0.2 s (on
 * Windows after several seconds). The caller holds no lock. */
void nio_debug_start(void);
void nio_debug_stop(void);

/* Report a line, without its end: at most NIO_DEBUG_LINE bytes with the time
 * before it; what is longer is cut off. Unprintable bytes become `?`. */
#define NIO_DEBUG_LINE 256
void nio_debug_line(const char *format, ...)
    NIO_ANNOTATE(format(printf, 1, 2));

/* The line costs one branch if the variable is not set. */
#define NIO_DEBUG(...)                                                        \
    do {                                                                      \
        if (nio_debug_enabled) {                                              \
            nio_debug_line(__VA_ARGS__);                                      \
        }                                                                     \
    } while (0)

/* Write bytes of an untrusted source as text: printable ASCII as it is, any
 * other byte, the backslash and the quote as \xNN. Stops at a zero byte.
 * Returns `text`, which has room for four times the bytes and a zero. */
const char *nio_debug_escape(char *text, const char *bytes, size_t length);

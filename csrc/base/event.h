/* SPDX-License-Identifier: MIT */
/* An event that stays set until it is cleared (an eventfd; on Windows an
 * event object): what a thread can wait for with a deadline, a signal can
 * interrupt, and on Linux a program can poll. */
#pragma once

#include "platform.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct nio_event {
    nio_native_event native;
} nio_event;

typedef enum nio_wait {
    NIO_WAIT_SET,
    NIO_WAIT_TIMEOUT,
    NIO_WAIT_INTERRUPTED /* by a signal: look at it, then wait again */
} nio_wait;

#define NIO_FOREVER UINT64_MAX

/* False when the system has no event left. */
bool nio_event_init(nio_event *event);
void nio_event_done(nio_event *event);
/* From any thread, a signal handler included; sets are not counted. */
void nio_event_set(nio_event *event);
void nio_event_clear(nio_event *event);
/* Wait at most `timeout_ns` (NIO_FOREVER: without a limit; 0: only look). */
nio_wait nio_event_wait(nio_event *event, uint64_t timeout_ns);
/* Between these two a signal does not come to this thread but in its waits,
 * which it then ends as INTERRUPTED: so none is missed that comes after the
 * caller looked for signals and before it waits. Pairs do not nest. Windows
 * has other means, and they do nothing there. */
void nio_signals_block(void);
void nio_signals_restore(void);
/* When a wait that began looks for signals again; later ever more seldom. A
 * signal ends no wait that another thread was given, or that came after the
 * last look and before it was held. */
#define NIO_FIRST_RECHECK_NS UINT64_C(100000000)
/* How much of what is left to wait now; `look` goes on to the next. */
static inline uint64_t
nio_recheck_after(uint64_t left, uint64_t *look)
{
    if (left <= *look) {
        return left;
    }
    left = *look;
    *look *= *look < NIO_FOREVER / 32 ? 32 : 1;
    return left;
}
/* What a program can poll: a file descriptor, or -1 (Windows). Borrowed. */
int nio_event_descriptor(const nio_event *event);
/* What a program can give to WaitForSingleObject, or NULL (Linux). Borrowed.
 */
void *nio_event_handle(const nio_event *event);

/* Where no signal ends a wait by itself (Windows): the event object `native`
 * (borrowed until the next call; NULL: none) ends as INTERRUPTED the waits of
 * threads for which `this_thread()` is true. Who sets it leaves the reason
 * first: it is reset by the wait that it ended. Elsewhere it does nothing. */
void nio_event_interrupt_by(void *native, bool (*this_thread)(void));

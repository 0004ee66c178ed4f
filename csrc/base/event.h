/* SPDX-License-Identifier: MIT */
/* An event that stays set until it is cleared (an eventfd; on Windows an event
 * object). A thread waits for it with a deadline, a signal interrupts the
 * wait, and on Linux a program can poll it. */
#pragma once

#include "base/thread.h"
#include "platform.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct nio_event {
    nio_native_event native;
} nio_event;

typedef enum nio_wait {
    NIO_WAIT_SET,
    NIO_WAIT_TIMEOUT,
    NIO_WAIT_INTERRUPTED /* by a signal: handle it, then wait again */
} nio_wait;

#define NIO_FOREVER UINT64_MAX

/* False where the system has no descriptor or handle left. */
bool nio_event_init(nio_event *event);
void nio_event_done(nio_event *event);
/* On any thread, also in a signal handler. A second set adds nothing. */
void nio_event_set(nio_event *event);
void nio_event_clear(nio_event *event);
/* Waits at most `timeout_ns` (NIO_FOREVER: without a limit; 0: only checks).
 */
nio_wait nio_event_wait(nio_event *event, uint64_t timeout_ns);
/* Between these two a signal reaches this thread only in its
 * nio_event_wait_unblocked(), and ends that as INTERRUPTED. So no signal is
 * missed that comes after the caller's last check for signals and before its
 * wait. They do nothing on Windows, where nio_event_interrupt_by serves the
 * purpose. */
void nio_signals_block(nio_signal_mask *ret_mask);
void nio_signals_restore(const nio_signal_mask *mask);
nio_wait nio_event_wait_unblocked(nio_event *event, uint64_t timeout_ns,
                                  const nio_signal_mask *mask);

/* A signal does not end this thread's wait if it is delivered to another
 * thread, or comes between the last check and nio_signals_block. So where
 * another thread can take signals, a long wait is cut into intervals, with a
 * check for signals after each. The first has this length, and each is 32
 * times as long as the one before. */
#define NIO_FIRST_RECHECK_NS UINT64_C(100000000)
/* The time to wait before the next check, if `left` is left of the whole wait.
 * Advances `interval` to the next one. */
static inline uint64_t
nio_recheck_after(uint64_t left, uint64_t *interval)
{
    if (left <= *interval || nio_thread_alone_takes_signals()) {
        return left;
    }
    left = *interval;
    *interval *= *interval < NIO_FOREVER / 32 ? 32 : 1;
    return left;
}

/* The file descriptor that a program can poll, or -1 (Windows). Borrowed. */
int nio_event_descriptor(const nio_event *event);
/* The handle for WaitForSingleObject, or NULL (Linux). Borrowed. */
void *nio_event_handle(const nio_event *event);

/* On Windows, where no signal ends a wait by itself: the event object `native`
 * (borrowed until the next call; NULL: none) ends as INTERRUPTED the waits of
 * the threads for which `this_thread()` is true. A wait that ends so resets
 * the event. So a thread records the reason before it sets the event. On Linux
 * this does nothing. */
void nio_event_interrupt_by(void *native, bool (*this_thread)(void));

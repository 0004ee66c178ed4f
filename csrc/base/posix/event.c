/* SPDX-License-Identifier: MIT */
/* POSIX (Linux): an event is an eventfd, readable while it is set. Nothing is
 * counted: one read clears it, whatever its counter is. */
#define _GNU_SOURCE /* ppoll */

#include "base/event.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

bool
nio_event_init(nio_event *event)
{
    event->native = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return event->native >= 0;
}

void
nio_event_done(nio_event *event)
{
    if (event->native >= 0) {
        (void)close(event->native);
        event->native = -1;
    }
}

void
nio_event_set(nio_event *event)
{
    const uint64_t one = 1;
    int saved = errno; /* a signal handler must not change it */
    ssize_t wrote;

    do {
        wrote = write(event->native, &one, sizeof(one));
    } while (wrote < 0 && errno == EINTR);
    /* EAGAIN: the counter is full, so the event is set already. */
    assert(wrote == (ssize_t)sizeof(one) || errno == EAGAIN);
    errno = saved;
}

void
nio_event_clear(nio_event *event)
{
    uint64_t counter;
    int saved = errno;
    ssize_t got;

    do {
        got = read(event->native, &counter, sizeof(counter));
    } while (got < 0 && errno == EINTR);
    assert(got == (ssize_t)sizeof(counter) || errno == EAGAIN);
    errno = saved;
}

/* Where ppoll fails (a program may have set its limit of descriptors to 0),
 * the caller can only check at intervals. */
static void
pause_after_failure(uint64_t timeout_ns)
{
    const uint64_t max_ns = 10000000u;
    const struct timespec pause = {
        .tv_nsec = (long)(timeout_ns < max_ns ? timeout_ns : max_ns)};
    (void)nanosleep(&pause, NULL);
}

/* `mask`: during the wait; NULL: the thread's own. */
static nio_wait
wait_with(nio_event *event, uint64_t timeout_ns, const sigset_t *mask)
{
    struct pollfd waited = {.fd = event->native, .events = POLLIN};
    struct timespec limit = {
        .tv_sec = (time_t)(timeout_ns / 1000000000u),
        .tv_nsec = (long)(timeout_ns % 1000000000u),
    };
    /* The kernel counts the limit on the monotonic clock. */
    int ready =
        ppoll(&waited, 1, timeout_ns == NIO_FOREVER ? NULL : &limit, mask);

    if (ready == 0) {
        return NIO_WAIT_TIMEOUT;
    }
    if (ready < 0) {
        if (errno != EINTR) {
            pause_after_failure(timeout_ns);
        }
        return NIO_WAIT_INTERRUPTED;
    }
    assert(waited.revents == POLLIN);
    return NIO_WAIT_SET;
}

nio_wait
nio_event_wait(nio_event *event, uint64_t timeout_ns)
{
    return wait_with(event, timeout_ns, NULL);
}

nio_wait
nio_event_wait_unblocked(nio_event *event, uint64_t timeout_ns,
                         const nio_signal_mask *mask)
{
    return wait_with(event, timeout_ns, mask->blocked ? &mask->before : NULL);
}

void
nio_signals_block(nio_signal_mask *ret_mask)
{
    sigset_t all;

    sigfillset(&all);
    ret_mask->blocked =
        pthread_sigmask(SIG_SETMASK, &all, &ret_mask->before) == 0;
}

void
nio_signals_restore(const nio_signal_mask *mask)
{
    if (mask->blocked) {
        (void)pthread_sigmask(SIG_SETMASK, &mask->before, NULL);
    }
}

int
nio_event_descriptor(const nio_event *event)
{
    return event->native;
}

void *
nio_event_handle(const nio_event *event)
{
    (void)event;
    return NULL;
}

void
nio_event_interrupt_by(void *native, bool (*this_thread)(void))
{
    (void)native; /* signals interrupt waits themselves */
    (void)this_thread;
}

/* SPDX-License-Identifier: MIT */
/* POSIX (Linux): an event is an eventfd, readable while it is set. Its
 * counter is never used as one: clearing takes it to 0 in one read. */
#define _GNU_SOURCE /* ppoll */

#include "base/event.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

/* While this thread holds signals: what it let through before. */
static _Thread_local sigset_t outside;
static _Thread_local bool holding;

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
    int saved = errno; /* a signal handler must leave it as it was */
    ssize_t wrote;

    do {
        wrote = write(event->native, &one, sizeof(one));
    } while (wrote < 0 && errno == EINTR);
    /* EAGAIN: the counter is full, so that it is set already. */
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

/* Without the means to wait (a program may have taken the right to any
 * descriptor from itself) the only thing left is to look now and then. */
static void
rest(uint64_t timeout_ns)
{
    const uint64_t longest_ns = 10000000u;
    const struct timespec pause = {
        .tv_nsec = (long)(timeout_ns < longest_ns ? timeout_ns : longest_ns)};
    (void)nanosleep(&pause, NULL);
}

nio_wait
nio_event_wait(nio_event *event, uint64_t timeout_ns)
{
    struct pollfd waited = {.fd = event->native, .events = POLLIN};
    struct timespec limit = {
        .tv_sec = (time_t)(timeout_ns / 1000000000u),
        .tv_nsec = (long)(timeout_ns % 1000000000u),
    };
    /* The kernel counts the limit on the monotonic clock. */
    int ready = ppoll(&waited, 1, timeout_ns == NIO_FOREVER ? NULL : &limit,
                      holding ? &outside : NULL);

    if (ready == 0) {
        return NIO_WAIT_TIMEOUT;
    }
    if (ready < 0) {
        if (errno != EINTR) {
            rest(timeout_ns);
        }
        return NIO_WAIT_INTERRUPTED;
    }
    assert(waited.revents == POLLIN);
    return NIO_WAIT_SET;
}

void
nio_signals_block(void)
{
    sigset_t all;

    sigfillset(&all);
    holding = pthread_sigmask(SIG_SETMASK, &all, &outside) == 0;
}

void
nio_signals_restore(void)
{
    if (holding) {
        holding = false;
        (void)pthread_sigmask(SIG_SETMASK, &outside, NULL);
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
    (void)native; /* signals do */
    (void)this_thread;
}

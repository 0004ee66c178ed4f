/* SPDX-License-Identifier: MIT */
/* POSIX: the mutex, the condition and the clocks. No call here can fail in a
 * correct program, so each is asserted to succeed. */
#define _POSIX_C_SOURCE 200809L

#include "base/lock.h"

#include <assert.h>
#include <time.h>

static uint64_t
clock_ns(clockid_t clock)
{
    struct timespec now;
    int failed = clock_gettime(clock, &now);
    assert(failed == 0);
    (void)failed;
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void
nio_lock_init(nio_lock *lock)
{
    int error = pthread_mutex_init(&lock->native, NULL);
    assert(error == 0);
    (void)error;
}

void
nio_lock_done(nio_lock *lock)
{
    int error = pthread_mutex_destroy(&lock->native);
    assert(error == 0); /* EBUSY: a thread still holds it */
    (void)error;
}

/* Unchecked, as nio_lock_drop: clang has no annotations for pthread_mutex_t.
 */
void
nio_lock_take(nio_lock *lock) NIO_UNCHECKED
{
    int error = pthread_mutex_lock(&lock->native);
    assert(error == 0);
    (void)error;
}

void
nio_lock_drop(nio_lock *lock) NIO_UNCHECKED
{
    int error = pthread_mutex_unlock(&lock->native);
    assert(error == 0);
    (void)error;
}

void
nio_condition_init(nio_condition *condition)
{
    int error = pthread_cond_init(&condition->native, NULL);
    assert(error == 0);
    (void)error;
}

void
nio_condition_done(nio_condition *condition)
{
    int error = pthread_cond_destroy(&condition->native);
    assert(error == 0);
    (void)error;
}

void
nio_condition_wait(nio_condition *condition, nio_lock *lock)
{
    int error = pthread_cond_wait(&condition->native, &lock->native);
    assert(error == 0);
    (void)error;
}

void
nio_condition_wake_all(nio_condition *condition)
{
    int error = pthread_cond_broadcast(&condition->native);
    assert(error == 0);
    (void)error;
}

uint64_t
nio_monotonic_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

uint64_t
nio_realtime_ns(void)
{
    return clock_ns(CLOCK_REALTIME);
}

/* SPDX-License-Identifier: MIT */
/* Windows: the mutex, the condition and the clocks. SRW locks and condition
 * variables own no resources, and no call here can fail in a correct program.
 */
#include "base/lock.h"

#include <assert.h>

#define NS_PER_SECOND 1000000000u
/* A FILETIME counts 100 ns since 1601. */
#define FILETIME_OF_1970 116444736000000000u

void
nio_lock_init(nio_lock *lock)
{
    InitializeSRWLock(&lock->native);
}

void
nio_lock_done(nio_lock *lock)
{
    (void)lock;
}

/* Unchecked, as nio_lock_drop: clang has no annotations for SRWLOCK. */
void
nio_lock_take(nio_lock *lock) NIO_UNCHECKED
{
    AcquireSRWLockExclusive(&lock->native);
}

void
nio_lock_drop(nio_lock *lock) NIO_UNCHECKED
{
    ReleaseSRWLockExclusive(&lock->native);
}

void
nio_condition_init(nio_condition *condition)
{
    InitializeConditionVariable(&condition->native);
}

void
nio_condition_done(nio_condition *condition)
{
    (void)condition;
}

void
nio_condition_wait(nio_condition *condition, nio_lock *lock)
{
    BOOL woken = SleepConditionVariableSRW(&condition->native, &lock->native,
                                           INFINITE, 0);
    assert(woken);
    (void)woken;
}

void
nio_condition_wake_all(nio_condition *condition)
{
    WakeAllConditionVariable(&condition->native);
}

uint64_t
nio_monotonic_ns(void)
{
    LARGE_INTEGER frequency, counter;

    QueryPerformanceFrequency(&frequency);
    QueryPerformanceCounter(&counter);
    /* In two steps: at 10 MHz ticks * NS_PER_SECOND overflows after half an
     * hour. */
    uint64_t hertz = (uint64_t)frequency.QuadPart;
    uint64_t ticks = (uint64_t)counter.QuadPart;
    return ticks / hertz * NS_PER_SECOND +
           ticks % hertz * NS_PER_SECOND / hertz;
}

uint64_t
nio_realtime_ns(void)
{
    FILETIME now;

    GetSystemTimePreciseAsFileTime(&now);
    return ((((uint64_t)now.dwHighDateTime << 32) | now.dwLowDateTime) -
            FILETIME_OF_1970) *
           100u;
}

/* SPDX-License-Identifier: MIT */
/* Windows: the native types and the atomic operations under base/. */
#pragma once

#ifndef WIN32_LEAN_AND_MEAN
#    define WIN32_LEAN_AND_MEAN /* else windows.h includes winsock.h */
#endif
#include <winsock2.h>

#include <windows.h>

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

static_assert(_WIN32_WINNT >= 0x0602, "CPython 3.11 itself needs Windows 8");

typedef SRWLOCK nio_native_lock;
#define NIO_NATIVE_LOCK_INITIALIZER SRWLOCK_INIT
typedef CONDITION_VARIABLE nio_native_condition;
typedef HANDLE nio_native_thread;
typedef HANDLE nio_native_event; /* manual reset */

typedef struct nio_signal_mask {
    char unused; /* no signal is delivered to a thread here */
} nio_signal_mask;

typedef struct nio_atomic {
    uint64_t value;
} nio_atomic;

static inline volatile LONG64 *
nio_atomic_native(const nio_atomic *atomic)
{
    return (volatile LONG64 *)(uintptr_t)&atomic->value;
}

static inline uint64_t
nio_atomic_load(const nio_atomic *atomic)
{
    return (uint64_t)InterlockedCompareExchange64(nio_atomic_native(atomic), 0,
                                                  0);
}

static inline void
nio_atomic_store(nio_atomic *atomic, uint64_t value)
{
    (void)InterlockedExchange64(nio_atomic_native(atomic), (LONG64)value);
}

/* Returns the value before. */
static inline uint64_t
nio_atomic_add(nio_atomic *atomic, uint64_t value)
{
    return (uint64_t)InterlockedExchangeAdd64(nio_atomic_native(atomic),
                                              (LONG64)value);
}

static inline uint64_t
nio_atomic_exchange(nio_atomic *atomic, uint64_t value)
{
    return (uint64_t)InterlockedExchange64(nio_atomic_native(atomic),
                                           (LONG64)value);
}

/* False: the value is not `expected`, and stays. */
static inline bool
nio_atomic_replace(nio_atomic *atomic, uint64_t expected, uint64_t value)
{
    return (uint64_t)InterlockedCompareExchange64(
               nio_atomic_native(atomic), (LONG64)value, (LONG64)expected) ==
           expected;
}

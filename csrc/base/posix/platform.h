/* SPDX-License-Identifier: MIT */
/* POSIX: the native types and the atomic operations under base/. */
#pragma once

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

typedef pthread_mutex_t nio_native_lock;
#define NIO_NATIVE_LOCK_INITIALIZER PTHREAD_MUTEX_INITIALIZER
typedef pthread_cond_t nio_native_condition;
typedef pthread_t nio_native_thread;
typedef int nio_native_event; /* an eventfd, close-on-exec */

typedef struct nio_signal_mask {
    sigset_t before;
    bool blocked; /* else the mask could not be changed */
} nio_signal_mask;

typedef struct nio_atomic {
    uint64_t value;
} nio_atomic;

static inline uint64_t
nio_atomic_load(const nio_atomic *atomic)
{
    return __atomic_load_n(&atomic->value, __ATOMIC_SEQ_CST);
}

static inline void
nio_atomic_store(nio_atomic *atomic, uint64_t value)
{
    __atomic_store_n(&atomic->value, value, __ATOMIC_SEQ_CST);
}

/* Returns the value before. */
static inline uint64_t
nio_atomic_add(nio_atomic *atomic, uint64_t value)
{
    return __atomic_fetch_add(&atomic->value, value, __ATOMIC_SEQ_CST);
}

static inline uint64_t
nio_atomic_exchange(nio_atomic *atomic, uint64_t value)
{
    return __atomic_exchange_n(&atomic->value, value, __ATOMIC_SEQ_CST);
}

/* False: the value is not `expected`, and stays. */
static inline bool
nio_atomic_replace(nio_atomic *atomic, uint64_t expected, uint64_t value)
{
    return __atomic_compare_exchange_n(&atomic->value, &expected, value, false,
                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* SPDX-License-Identifier: MIT */
/* A mutex, a condition and the clocks. The mutex is annotated, so that clang
 * checks which functions hold which lock. The system's types come from
 * platform.h, which setup.py picks by folder (base/posix, base/windows). */
#pragma once

#include "contract/annotate.h"
#include "platform.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct NIO_CAPABILITY nio_lock {
    nio_native_lock native;
} nio_lock;

typedef struct nio_condition {
    nio_native_condition native;
} nio_condition;

/* For a static lock, which needs neither init nor done. */
#define NIO_LOCK_INITIALIZER {NIO_NATIVE_LOCK_INITIALIZER}

void nio_lock_init(nio_lock *lock);
void nio_lock_done(nio_lock *lock);
void nio_lock_take(nio_lock *lock) NIO_ACQUIRE(lock);
void nio_lock_drop(nio_lock *lock) NIO_RELEASE(lock);

void nio_condition_init(nio_condition *condition);
void nio_condition_done(nio_condition *condition);
/* Waits for nio_condition_wake_all, but may return without it: test the
 * condition in a loop. */
void nio_condition_wait(nio_condition *condition, nio_lock *lock)
    NIO_REQUIRES(lock);
void nio_condition_wake_all(nio_condition *condition);

/* Nanoseconds of a clock that never goes back, and since 1970 (UTC). */
uint64_t nio_monotonic_ns(void);
uint64_t nio_realtime_ns(void);

/* SPDX-License-Identifier: MIT */
/* Native threads: named, always joined; and what a thread keeps for us,
 * whoever started it. */
#pragma once

#include "platform.h"

#include <stdbool.h>

typedef struct nio_thread {
    nio_native_thread native;
    bool started; /* and not yet joined */
} nio_thread;

/* Start `run(argument)`, with every signal blocked. `name` is at most 15
 * bytes, borrowed for the call. False when the system has no thread left; then
 * nothing is to be joined. */
bool nio_thread_start(nio_thread *thread, const char *name,
                      void (*run)(void *argument), void *argument);
/* As that, but with the signals of whoever calls this: for a thread that runs
 * a program's code, which may start others, and processes, that inherit them.
 */
bool nio_thread_start_unmasked(nio_thread *thread, const char *name,
                               void (*run)(void *argument), void *argument);
/* Wait until the thread has ended. Nothing happens when it never started. */
void nio_thread_join(nio_thread *thread);

/* ---- One pointer a thread, for whoever asks first (csrc/binding).
 * `at_end(pointer)` runs on the thread as it ends, where the pointer is not
 * NULL then. Once a process; false when the system has no slot left. */
bool nio_thread_local_init(void (*at_end)(void *own));
/* NULL where none was set. Any thread, at any time after the init. */
void *nio_thread_local_get(void);
/* False when memory is short; NULL can always be set. */
bool nio_thread_local_set(void *own);

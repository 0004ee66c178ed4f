/* SPDX-License-Identifier: MIT */
/* Native threads: named, with every signal blocked, always joined. */
#pragma once

#include "platform.h"

#include <stdbool.h>

typedef struct nio_thread {
    nio_native_thread native;
    bool started; /* and not yet joined */
} nio_thread;

/* Start `run(argument)`. `name` is at most 15 bytes, borrowed for the call.
 * False when the system has no thread left; then nothing is to be joined. */
bool nio_thread_start(nio_thread *thread, const char *name,
                      void (*run)(void *argument), void *argument);
/* Wait until the thread has ended. Nothing happens when it never started. */
void nio_thread_join(nio_thread *thread);

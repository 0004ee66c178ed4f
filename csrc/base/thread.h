/* SPDX-License-Identifier: MIT */
/* Native threads, named and always joined; and one pointer per thread, also
 * for threads that were not started here. */
#pragma once

#include "platform.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct nio_thread {
    nio_native_thread native;
    bool started; /* and not yet joined */
} nio_thread;

/* Starts `run(argument)` with every signal blocked. `name` is at most 15
 * bytes, borrowed for the call. False when the system has no thread left;
 * there is nothing to join then. */
bool nio_thread_start(nio_thread *thread, const char *name,
                      void (*run)(void *argument), void *argument);
/* The same with the signal mask of the caller: for a thread that runs a
 * program's code, since the threads and processes that this code starts
 * inherit the mask. */
bool nio_thread_start_unmasked(nio_thread *thread, const char *name,
                               void (*run)(void *argument), void *argument);
/* A number of the calling thread, and of no other that runs; never 0. */
uint64_t nio_thread_number(void);
/* True: no other thread of this process can be given a signal, since each one
 * was started here, with all signals blocked. False where that is unknown. */
bool nio_thread_alone_takes_signals(void);
/* Lets this thread sleep; a signal may end the sleep early. */
void nio_thread_pause(uint64_t ns);
/* Waits until the thread has ended. Does nothing if it never started. */
void nio_thread_join(nio_thread *thread);

/* ---- One pointer per thread; csrc/binding is the only user.
 * Call the init once per process. `on_thread_exit(pointer)` then runs on each
 * thread as it ends, unless its pointer is NULL. False when the system has no
 * slot left. */
bool nio_thread_local_init(void (*on_thread_exit)(void *pointer));
/* NULL where none was set. On any thread, at any time after the init. */
void *nio_thread_local_get(void);
/* False on allocation failure; NULL can always be set. */
bool nio_thread_local_set(void *pointer);

/* SPDX-License-Identifier: MIT */
/* Between threads.c and home.c: the Python thread states that a thread keeps,
 * and the interpreters that they belong to.
 *
 * A thread may outlive an interpreter. So each interpreter has a home, which
 * outlives it in turn: who ends after the home was closed leaves its thread
 * state to the interpreter's own finalization, and whoever is just giving one
 * back is waited for. Beside the main interpreter none may be left over, and
 * none given back once the main one ends: there no thread keeps anything. */
#pragma once

#include "binding/state.h"

#include "base/event.h"
#include "binding/process.h"

/* An interpreter, as its threads know it. */
typedef struct nio_interpreter nio_interpreter;
typedef struct nio_thread_state nio_thread_state;

struct nio_interpreter {
    nio_atomic references;
    PyInterpreterState *interpreter;
    bool is_main;
    nio_atomic abandoned; /* nio_thread_state *: of threads that have ended */
    /* Under a lock that is held over forks: those between
     * nio_interpreter_enter() and nio_interpreter_leave(), the process that
     * counted them, and what is set when they get to 0 (NULL: nobody waits).
     * The placeholder (or NULL), and the list of homes that have one: each by
     * a reference. */
    bool closed NIO_GUARDED_BY(nio_process_lock);
    unsigned inside NIO_GUARDED_BY(nio_process_lock);
    uint64_t generation NIO_GUARDED_BY(nio_process_lock);
    nio_event *left NIO_GUARDED_BY(nio_process_lock);
    PyThreadState *placeholder NIO_GUARDED_BY(nio_process_lock);
    nio_interpreter *next NIO_GUARDED_BY(nio_process_lock);
};

struct nio_thread_state {
    nio_thread_state *next;
    nio_interpreter *home; /* a reference */
    PyThreadState *state;
    uint64_t generation; /* in a forked child it is the main thread's */
};

/* True: the interpreter stays until nio_interpreter_leave(), if its exit is
 * patient. False: it is about to end, and this thread may not ask for its GIL.
 */
bool nio_interpreter_enter(nio_interpreter *home)
    NIO_EXCLUDES(nio_process_lock);
void nio_interpreter_leave(nio_interpreter *home)
    NIO_EXCLUDES(nio_process_lock);
/* Leave it, of a thread that ends, to whoever takes all of them next. */
void nio_interpreter_orphan(nio_thread_state *kept);
/* All that were left: the caller's. */
nio_thread_state *nio_interpreter_take_orphans(nio_interpreter *home);
/* Not its state. */
void nio_thread_state_free(nio_thread_state *kept);

/* Of the current interpreter, with one reference; NULL with MemoryError. */
nio_interpreter *nio_interpreter_new(void);
nio_interpreter *nio_interpreter_keep(nio_interpreter *home);
/* Accepts NULL; returns NULL. */
nio_interpreter *nio_interpreter_drop(nio_interpreter *home);
/* Make it fit for threads that come and go: 0, or -1 with MemoryError. After
 * this nio_interpreter_close() has to come. */
int nio_interpreter_pin(nio_interpreter *home);
/* The interpreter exits and nothing of it is called back any more: no thread
 * touches it from now on. Waits, with the GIL released, at most so long for
 * threads that are about to leave it. */
void nio_interpreter_close(nio_interpreter *home, uint64_t timeout_ns)
    NIO_EXCLUDES(nio_process_lock);

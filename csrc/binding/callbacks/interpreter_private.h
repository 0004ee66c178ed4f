/* SPDX-License-Identifier: MIT */
/* What interpreter.c and thread_states.c share. No other file includes it.
 *
 * A native thread may still run when an interpreter ends. What then happens to
 * a thread state that was made for it depends on the interpreter:
 *
 * main    Threads keep their states between callbacks. The finalization of the
 *         interpreter deletes all that are left, and hangs or ends a thread
 *         that asks for the GIL afterwards. Only a thread that is about to
 *         delete its state has to be waited for: it counts as inside.
 * others  CPython aborts when such an interpreter ends and a thread state of
 *         another thread is left in it. So no state is kept between callbacks,
 *         and a thread counts as inside from making its state until the state
 *         is deleted. */
#pragma once

#include "binding/state.h"

#include "base/event.h"
#include "base/lock.h"
#include "binding/process.h"

typedef struct nio_interpreter nio_interpreter;

/* A Python thread state that was made for a native thread. */
typedef struct nio_thread_state {
    struct nio_thread_state *next;
    nio_interpreter *interpreter; /* a reference */
    PyThreadState *state;
    unsigned depth; /* callbacks that use it now, each within the one before */
    /* Of the process. After a fork, CPython in the child has deleted the
     * states of other threads, and made that of the forking thread the state
     * of the main thread: none of them may be used or deleted there. */
    uint64_t generation;
} nio_thread_state;

struct nio_interpreter {
    nio_atomic references;
    PyInterpreterState *state;
    bool is_main;
    nio_atomic orphans; /* nio_thread_state *: a list without a lock */

    bool closed NIO_GUARDED_BY(nio_process_lock);
    unsigned inside NIO_GUARDED_BY(nio_process_lock); /* threads */
    /* Of the process that `inside` and the members below are of: in a forked
     * child they are reset. */
    uint64_t generation NIO_GUARDED_BY(nio_process_lock);
    /* Set when the last thread leaves; NULL: no thread waits for that. */
    nio_event *all_left NIO_GUARDED_BY(nio_process_lock);
    /* See interpreter.c. While it is not NULL, the interpreter is in the list
     * of all pinned ones, and the list holds a reference to it. */
    PyThreadState *pinned_state NIO_GUARDED_BY(nio_process_lock);
    nio_interpreter *next_pinned NIO_GUARDED_BY(nio_process_lock);
};

/* Deletes a Python thread state. Called attached to it, returns detached. Runs
 * destructors of Python objects. */
void nio_delete_current_state(PyThreadState *state);

/* True: the thread counts as inside until it calls nio_interpreter_leave(),
 * and nio_interpreter_close() waits for that call. False: the interpreter is
 * closed, and the thread must not ask for its GIL. */
bool nio_interpreter_enter(nio_interpreter *interpreter)
    NIO_EXCLUDES(nio_process_lock);
void nio_interpreter_leave(nio_interpreter *interpreter)
    NIO_EXCLUDES(nio_process_lock);

/* Adds one to the list of orphans. */
void nio_interpreter_orphan(nio_thread_state *state);
/* Takes all orphans off the list; NULL: there is none. */
nio_thread_state *nio_interpreter_take_orphans(nio_interpreter *interpreter);

/* Frees the struct and its reference, not the Python thread state. */
void nio_thread_state_free(nio_thread_state *state);

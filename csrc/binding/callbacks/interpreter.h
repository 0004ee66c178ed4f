/* SPDX-License-Identifier: MIT */
/* How a native thread attaches to the Python interpreter that it calls back,
 * and how it detaches from it. No other file of the binding creates, attaches
 * or deletes a Python thread state of a native thread.
 *
 * There are two source files: interpreter.c has what must outlive an
 * interpreter, thread_states.c what belongs to a thread. Both are needed
 * because in CPython up to 3.14 a native thread cannot find out whether an
 * interpreter still runs. With PEP 788 (3.15) it can: then a
 * PyInterpreterView can replace nio_interpreter, and PyThreadState_Ensure()
 * and PyThreadState_Release() attach and detach; pinning, closing and orphans
 * are no longer needed. */
#pragma once

#include "binding/state.h"

#include "base/lock.h"
#include "binding/process.h"

/* The record of an interpreter for native threads. Reference-counted, so it
 * can outlive the interpreter itself. */
typedef struct nio_interpreter nio_interpreter;

/* The Python thread states of one native thread. Starts as {0}; only the
 * thread itself uses it. */
typedef struct nio_thread_states {
    struct nio_thread_state *first; /* the list of those made for it */
    /* The thread's own Python thread state, while it is in a call of the
     * system between nio_gil_release() and nio_gil_retake(); else NULL. */
    PyThreadState *released_state;
} nio_thread_states;

/* ---- the life of an interpreter: with its GIL */
/* The record of the current interpreter, with one reference; NULL with
 * MemoryError. The exit of the interpreter has to call
 * nio_interpreter_close(). */
nio_interpreter *nio_interpreter_new(void);
nio_interpreter *nio_interpreter_keep(nio_interpreter *interpreter);
/* On any thread, with or without the GIL. Accepts NULL; returns NULL. */
nio_interpreter *nio_interpreter_drop(nio_interpreter *interpreter);
/* Called when the interpreter exits, after all its registrations were
 * cancelled: from now on no thread enters it. Waits, with the GIL released and
 * at most for `timeout_ns`, for the threads inside to leave. For the main
 * interpreter it then does the same for all other interpreters. */
void nio_interpreter_close(nio_interpreter *interpreter, uint64_t timeout_ns)
    NIO_EXCLUDES(nio_process_lock);

/* ---- a callback: called on the thread that the system calls back on */
/* Attaches the thread, which takes the GIL. False: the interpreter is exiting,
 * or an allocation failed; then there is nothing to detach. */
bool nio_interpreter_attach(nio_interpreter *interpreter,
                            nio_thread_states *own)
    NIO_EXCLUDES(nio_process_lock);
void nio_interpreter_detach(nio_interpreter *interpreter,
                            nio_thread_states *own)
    NIO_EXCLUDES(nio_process_lock);
/* Deletes the thread states that ended threads have left in this interpreter.
 * Called attached; runs destructors of Python objects. */
void nio_interpreter_free_orphans(nio_interpreter *interpreter,
                                  const nio_thread_states *own);

/* ---- the end of a thread: called detached */
/* Deletes the thread states of a thread that calls back no more and may wait
 * for the GIL. Runs destructors of Python objects. */
void nio_thread_states_delete(nio_thread_states *own)
    NIO_EXCLUDES(nio_process_lock);
/* Leaves the thread states of a thread that ends now, and must not wait, to
 * nio_interpreter_free_orphans() on another thread. */
void nio_thread_states_orphan(nio_thread_states *own);

/* ---- a call of the system by a Python thread */
/* Release and retake the GIL around a call of a system function that may call
 * back on this very thread before it returns: such a callback uses the
 * thread's own Python thread state. The result of release is the argument
 * `outer` of retake. */
PyThreadState *nio_gil_release(nio_thread_states *own);
void nio_gil_retake(nio_thread_states *own, PyThreadState *outer);

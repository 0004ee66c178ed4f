/* SPDX-License-Identifier: MIT */
/* How a native thread enters the Python interpreter that it calls back, and
 * how it leaves it. No other file of the binding makes, attaches or deletes a
 * Python thread state of a native thread.
 *
 * The work is in two files: interpreter.c keeps what has to outlive an
 * interpreter, thread_states.c what is kept for a thread. Both exist because
 * CPython up to 3.14 lets no native thread find out whether an interpreter
 * still runs. PEP 788 (3.15) does: a PyInterpreterView can stand behind
 * nio_interpreter, PyThreadState_Ensure() and PyThreadState_Release() behind
 * attach and detach; pinning, closing and orphans are then not needed. */
#pragma once

#include "binding/state.h"

#include "base/lock.h"
#include "binding/process.h"

/* An interpreter, as native threads know it. Counted, and so valid longer than
 * the interpreter itself. */
typedef struct nio_interpreter nio_interpreter;

/* What a thread has of the interpreters that it calls back. Starts as {0}; for
 * the thread itself alone. */
typedef struct nio_thread_states {
    struct nio_thread_state *first; /* made for this thread */
    /* The thread's own Python thread state, while it is in a call of the
     * system between nio_gil_release() and nio_gil_retake(); else NULL. */
    PyThreadState *released_state;
} nio_thread_states;

/* ---- the life of an interpreter: with its GIL */
/* The current interpreter, with one reference; NULL with MemoryError. Its
 * exit has to call nio_interpreter_close(). */
nio_interpreter *nio_interpreter_new(void);
nio_interpreter *nio_interpreter_keep(nio_interpreter *interpreter);
/* Any thread, without the GIL too. Accepts NULL; returns NULL. */
nio_interpreter *nio_interpreter_drop(nio_interpreter *interpreter);
/* The interpreter exits, and every registration of it is cancelled: from now
 * on no thread enters it. Releases the GIL to wait, for at most `timeout_ns`,
 * for threads that are about to leave. */
void nio_interpreter_close(nio_interpreter *interpreter, uint64_t timeout_ns)
    NIO_EXCLUDES(nio_process_lock);

/* ---- a callback: on the thread that the system calls back on */
/* Take the GIL. False: the interpreter is exiting, or an allocation failed;
 * then there is nothing to detach. */
bool nio_interpreter_attach(nio_interpreter *interpreter,
                            nio_thread_states *own)
    NIO_EXCLUDES(nio_process_lock);
void nio_interpreter_detach(nio_interpreter *interpreter,
                            nio_thread_states *own)
    NIO_EXCLUDES(nio_process_lock);
/* Delete the thread states that ended threads have left in this interpreter.
 * Attached; runs destructors of Python objects. */
void nio_interpreter_free_orphans(nio_interpreter *interpreter,
                                  const nio_thread_states *own);

/* ---- the end of a thread: detached */
/* The thread calls back no more, and may wait for the GIL: delete its thread
 * states. Runs destructors of Python objects. */
void nio_thread_states_delete(nio_thread_states *own)
    NIO_EXCLUDES(nio_process_lock);
/* The thread ends now and may wait for nothing: leave its thread states to
 * nio_interpreter_free_orphans() on another thread. */
void nio_thread_states_orphan(nio_thread_states *own);

/* ---- a call of the system by a Python thread */
/* Release the GIL around a call of the system that may call back on this very
 * thread before it returns: such a callback uses the thread's own Python
 * thread state. Pass what release returned to retake. */
PyThreadState *nio_gil_release(nio_thread_states *own);
void nio_gil_retake(nio_thread_states *own, PyThreadState *outer);

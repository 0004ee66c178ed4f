/* SPDX-License-Identifier: MIT */
/* The record of an interpreter, which outlives it as native threads do: how
 * many threads are inside, whether it is closed, and the thread states of
 * threads that have ended. See interpreter_private.h. */
#include "binding/callbacks/interpreter.h"

#include "base/thread.h"
#include "binding/callbacks/interpreter_private.h"

#include <stdlib.h>

/* Between two looks, where the system has no event left: 10 ms. */
#define RETRY_NS 10000000u

/* Stands for all interpreters of the process: threads inside any of them count
 * here, too. It is closed with the main interpreter. From then on CPython ends
 * or hangs every thread that asks for the GIL of any interpreter, and aborts
 * when a sub-interpreter that was left over still has the state of such a
 * thread. Its next_pinned is the head of the list of pinned interpreters. */
static nio_interpreter all_interpreters;

/* The threads that were inside when the process forked are not in the child,
 * and CPython has deleted the pinned states there. */
static void
forget_parent_locked(nio_interpreter *interpreter)
    NIO_REQUIRES(nio_process_lock)
{
    if (interpreter->generation != nio_process_generation()) {
        interpreter->generation = nio_process_generation();
        interpreter->inside = 0;
        interpreter->all_left = NULL;
        interpreter->pinned_state = NULL;
        interpreter->next_pinned = NULL;
    }
}

/* ---- references */

nio_interpreter *
nio_interpreter_keep(nio_interpreter *interpreter)
{
    (void)nio_atomic_add(&interpreter->references, 1);
    return interpreter;
}

nio_interpreter *
nio_interpreter_drop(nio_interpreter *interpreter)
{
    if (interpreter != NULL &&
        nio_atomic_add(&interpreter->references, UINT64_MAX) == 1) {
        free(interpreter);
    }
    return NULL;
}

/* ---- threads inside */

bool
nio_interpreter_enter(nio_interpreter *interpreter)
{
    nio_lock_take(&nio_process_lock);
    forget_parent_locked(interpreter);
    forget_parent_locked(&all_interpreters);
    bool open = !interpreter->closed && !all_interpreters.closed;
    interpreter->inside += open;
    all_interpreters.inside += open;
    nio_lock_drop(&nio_process_lock);
    return open;
}

static void
leave_locked(nio_interpreter *interpreter) NIO_REQUIRES(nio_process_lock)
{
    forget_parent_locked(interpreter);
    if (interpreter->inside > 0 && --interpreter->inside == 0 &&
        interpreter->all_left != NULL) {
        nio_event_set(interpreter->all_left);
    }
}

void
nio_interpreter_leave(nio_interpreter *interpreter)
{
    nio_lock_take(&nio_process_lock);
    leave_locked(interpreter);
    leave_locked(&all_interpreters);
    nio_lock_drop(&nio_process_lock);
}

/* ---- the deletion of a thread state */

void
nio_delete_current_state(PyThreadState *state)
{
    PyThreadState_Clear(state);
#ifdef Py_GIL_DISABLED
    /* In one step: if another thread forked between the two steps below, the
     * child would have the cleared state, clear it again, and (without a GIL)
     * crash. The limited API lacks this function, but a free-threaded CPython
     * up to 3.14 has no limited API. */
    PyThreadState_DeleteCurrent();
#else
    (void)PyEval_SaveThread();
    PyThreadState_Delete(state);
#endif
}

/* ---- the pinned state of a sub-interpreter
 *
 * Up to CPython 3.13 the first thread state of an interpreter is embedded in
 * the interpreter. CPython reuses the embedded state whenever the list of the
 * interpreter's states is empty. But its deletion first takes the state off
 * the list and then resets it: a thread that makes a state in between gets one
 * that is not reset yet, and CPython aborts. A second, unused thread state
 * keeps the list from becoming empty. The main interpreter needs no such
 * state: its main thread always has one.
 *
 * The pinned state is deleted when its interpreter exits; or earlier, when the
 * main interpreter exits, because the finalization of the main interpreter
 * ends the sub-interpreters that are left over, and each of them may then have
 * one thread state only. Both may exit at the same time: the thread that
 * deletes the state counts as inside meanwhile, and each exit waits for it. */

/* Deletes a state that no thread is attached to, from a thread that is
 * attached to its own. */
static void
delete_other_state(PyThreadState *state)
{
    PyThreadState *own = PyEval_SaveThread();

    PyEval_RestoreThread(state);
    nio_delete_current_state(state);
    PyEval_RestoreThread(own);
}

/* False with MemoryError. After the exit of the main interpreter it pins
 * nothing. */
static bool
pin(nio_interpreter *interpreter)
{
    PyThreadState *state = PyThreadState_New(interpreter->state);

    if (state == NULL) {
        PyErr_NoMemory();
        return false;
    }
    nio_lock_take(&nio_process_lock);
    forget_parent_locked(&all_interpreters);
    if (!all_interpreters.closed) {
        interpreter->pinned_state = state;
        interpreter->next_pinned = all_interpreters.next_pinned;
        all_interpreters.next_pinned = nio_interpreter_keep(interpreter);
        state = NULL;
    }
    nio_lock_drop(&nio_process_lock);
    if (state != NULL) {
        delete_other_state(state);
    }
    return true;
}

static void
unpin(nio_interpreter *interpreter)
{
    nio_interpreter *at = &all_interpreters;

    nio_lock_take(&nio_process_lock);
    forget_parent_locked(interpreter);
    forget_parent_locked(&all_interpreters);
    PyThreadState *state = interpreter->pinned_state;
    interpreter->pinned_state = NULL;
    while (state != NULL && at->next_pinned != interpreter) {
        at = at->next_pinned;
    }
    if (state != NULL) {
        at->next_pinned = interpreter->next_pinned;
        interpreter->inside++;
        all_interpreters.inside++;
    }
    nio_lock_drop(&nio_process_lock);
    if (state != NULL) {
        delete_other_state(state);
        nio_interpreter_leave(interpreter);
        nio_interpreter_drop(interpreter); /* the list's reference */
    }
}

/* A reference to any pinned interpreter; NULL: there is none. */
static nio_interpreter *
any_pinned(void)
{
    nio_lock_take(&nio_process_lock);
    forget_parent_locked(&all_interpreters);
    nio_interpreter *interpreter = all_interpreters.next_pinned;
    if (interpreter != NULL) {
        nio_interpreter_keep(interpreter);
    }
    nio_lock_drop(&nio_process_lock);
    return interpreter;
}

nio_interpreter *
nio_interpreter_new(void)
{
    nio_interpreter *interpreter = calloc(1, sizeof(*interpreter));

    if (interpreter == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    nio_atomic_store(&interpreter->references, 1);
    interpreter->state = PyInterpreterState_Get();
    interpreter->is_main = PyInterpreterState_GetID(interpreter->state) == 0;
    nio_lock_take(&nio_process_lock);
    interpreter->generation = nio_process_generation();
    if (interpreter->is_main) {
        /* An embedding program may have ended an earlier main interpreter. */
        all_interpreters.closed = false;
    }
    nio_lock_drop(&nio_process_lock);
    if (!interpreter->is_main && !pin(interpreter)) {
        return nio_interpreter_drop(interpreter);
    }
    return interpreter;
}

/* ---- orphans */

void
nio_thread_state_free(nio_thread_state *state)
{
    nio_interpreter_drop(state->interpreter);
    free(state);
}

/* Takes no lock: this also runs when the process exits, and there a thread
 * that held the lock may have ended without releasing it. The list has no ABA
 * problem, since states are only ever taken off it all at once. */
void
nio_interpreter_orphan(nio_thread_state *state)
{
    nio_atomic *list = &state->interpreter->orphans;
    uint64_t first;

    do {
        first = nio_atomic_load(list);
        state->next = (nio_thread_state *)(uintptr_t)first;
    } while (!nio_atomic_replace(list, first, (uint64_t)(uintptr_t)state));
}

nio_thread_state *
nio_interpreter_take_orphans(nio_interpreter *interpreter)
{
    if (nio_atomic_load(&interpreter->orphans) == 0) {
        return NULL; /* nearly always, and cheaper than the exchange */
    }
    uint64_t first = nio_atomic_exchange(&interpreter->orphans, 0);
    return (nio_thread_state *)(uintptr_t)first;
}

/* ---- the exit */

static bool
is_entered(nio_interpreter *interpreter)
{
    nio_lock_take(&nio_process_lock);
    bool entered = interpreter->inside > 0;
    nio_lock_drop(&nio_process_lock);
    return entered;
}

/* Lets no thread in any more, and waits with the GIL released until those
 * inside have left. */
static void
close_and_wait(nio_interpreter *interpreter, uint64_t deadline)
{
    uint64_t now = nio_monotonic_ns();
    nio_event all_left = {0};
    bool has_event = nio_event_init(&all_left);

    nio_lock_take(&nio_process_lock);
    forget_parent_locked(interpreter);
    interpreter->closed = true;
    interpreter->all_left = has_event ? &all_left : NULL;
    nio_lock_drop(&nio_process_lock);
    while (now < deadline && is_entered(interpreter)) {
        Py_BEGIN_ALLOW_THREADS
        if (has_event) {
            (void)nio_event_wait(&all_left, deadline - now);
        } else {
            nio_thread_pause(RETRY_NS);
        }
        Py_END_ALLOW_THREADS
        now = nio_monotonic_ns();
    }
    nio_lock_take(&nio_process_lock);
    interpreter->all_left = NULL;
    nio_lock_drop(&nio_process_lock);
    if (has_event) {
        nio_event_done(&all_left);
    }
}

void
nio_interpreter_close(nio_interpreter *interpreter, uint64_t timeout_ns)
{
    nio_interpreter *other;
    nio_thread_state *orphan;
    uint64_t deadline = nio_monotonic_ns() + timeout_ns;

    close_and_wait(interpreter, deadline);
    unpin(interpreter);
    if (interpreter->is_main) {
        deadline = nio_monotonic_ns() + timeout_ns;
        close_and_wait(&all_interpreters, deadline);
        while ((other = any_pinned()) != NULL) {
            unpin(other);
            nio_interpreter_drop(other);
        }
        close_and_wait(&all_interpreters, deadline);
    } else {
        close_and_wait(interpreter, deadline);
    }
    orphan = nio_interpreter_take_orphans(interpreter);
    while (orphan != NULL) { /* the finalization deletes its Python state */
        nio_thread_state *next = orphan->next;
        nio_thread_state_free(orphan);
        orphan = next;
    }
}

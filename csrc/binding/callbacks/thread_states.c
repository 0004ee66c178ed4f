/* SPDX-License-Identifier: MIT */
/* The Python thread states that are made for native threads.
 *
 * Making a state takes 9 us, attaching to one 0.2 us. So a thread keeps its
 * state in the main interpreter from its first callback until it ends.
 *
 * When a thread of the Linux tower ends, the tower calls
 * nio_hooks.thread_end, and the thread attaches once more and deletes its
 * state. A thread of a pool of the system ends without such a call: the only
 * code that runs on it is the destructor of its thread-local slot, which must
 * not wait for the GIL. The system may hold a lock there (Windows the loader
 * lock) for which the thread with the GIL waits; and the destructor also runs
 * when the process exits, where the GIL may never be released. So the
 * destructor leaves the state as an orphan to the next thread that calls
 * back. */
#include "binding/callbacks/interpreter.h"

#include "binding/callbacks/interpreter_private.h"

#include <stdlib.h>

/* ---- making and deleting */

/* NULL: an allocation failed. */
static nio_thread_state *
state_new(nio_interpreter *interpreter)
{
    nio_thread_state *made = calloc(1, sizeof(*made));

    if (made == NULL) {
        return NULL;
    }
    made->state = PyThreadState_New(interpreter->state);
    if (made->state == NULL) {
        free(made);
        return NULL;
    }
    made->interpreter = nio_interpreter_keep(interpreter);
    made->generation = nio_process_generation();
    return made;
}

/* The thread's state in the interpreter, made if there is none. NULL: the
 * interpreter is closed, or an allocation failed. */
static nio_thread_state *
state_in(nio_interpreter *interpreter, nio_thread_states *own)
{
    nio_thread_state *state = own->first;

    while (state != NULL && state->interpreter != interpreter) {
        state = state->next;
    }
    if (state != NULL) {
        return state;
    }
    if (!interpreter->is_main && !nio_interpreter_enter(interpreter)) {
        return NULL;
    }
    state = state_new(interpreter);
    if (state != NULL) {
        state->next = own->first;
        own->first = state;
    } else if (!interpreter->is_main) {
        nio_interpreter_leave(interpreter);
    }
    return state;
}

/* ---- a callback */

bool
nio_interpreter_attach(nio_interpreter *interpreter, nio_thread_states *own)
{
    PyThreadState *state = own->released_state;

    if (state == NULL) {
        nio_thread_state *thread_state = state_in(interpreter, own);
        if (thread_state == NULL) {
            return false;
        }
        thread_state->depth++;
        state = thread_state->state;
    }
    PyEval_RestoreThread(state);
    return true;
}

void
nio_interpreter_detach(nio_interpreter *interpreter, nio_thread_states *own)
{
    nio_thread_state **link = &own->first;

    if (own->released_state != NULL) {
        (void)PyEval_SaveThread(); /* nio_gil_retake() attaches again */
        return;
    }
    while ((*link)->interpreter != interpreter) {
        link = &(*link)->next;
    }
    nio_thread_state *thread_state = *link;
    thread_state->depth--;
    if (interpreter->is_main || thread_state->depth > 0) {
        (void)PyEval_SaveThread();
        return;
    }
    *link = thread_state->next;
    nio_delete_current_state(thread_state->state);
    nio_interpreter_leave(interpreter);
    nio_thread_state_free(thread_state);
}

/* ---- the end of a thread */

void
nio_thread_states_delete(nio_thread_states *own)
{
    nio_thread_state *thread_state;

    while ((thread_state = own->first) != NULL) {
        own->first = thread_state->next;
        if (thread_state->generation == nio_process_generation() &&
            nio_interpreter_enter(thread_state->interpreter)) {
            PyEval_RestoreThread(thread_state->state);
            nio_delete_current_state(thread_state->state);
            nio_interpreter_leave(thread_state->interpreter);
        }
        nio_thread_state_free(thread_state);
    }
}

void
nio_thread_states_orphan(nio_thread_states *own)
{
    nio_thread_state *thread_state;

    while ((thread_state = own->first) != NULL) {
        own->first = thread_state->next;
        nio_interpreter_orphan(thread_state);
    }
}

/* Why PyThreadState_Delete() alone does not suffice: the GILState API finds
 * the state of a thread in a thread-local variable, and CPython marks the
 * state that is in one (bound_gilstate). An orphan still has its mark. When
 * CPython 3.12 or later deletes a marked state, it clears the variable of the
 * calling thread, although that holds the thread's own state; and since that
 * state keeps its mark, attaching does not set the variable again. An
 * extension that calls Ensure() in a callback would then get a
 * second state, and wait for the GIL that its own thread holds. So the thread
 * attaches to a spare state before, which takes the mark from its own state:
 * attaching to its own state afterwards then sets the variable again. */
void
nio_interpreter_free_orphans(nio_interpreter *interpreter,
                             const nio_thread_states *own)
{
    PyThreadState *current = NULL, *spare = NULL;

    if (own->released_state != NULL) {
        return; /* a Python thread: it must keep its state attached */
    }
    nio_thread_state *orphan = nio_interpreter_take_orphans(interpreter);
    if (orphan == NULL) {
        return;
    }
    for (nio_thread_state *at = orphan; at != NULL; at = at->next) {
        PyThreadState_Clear(at->state); /* runs destructors */
    }
    spare = PyThreadState_New(interpreter->state);
    current = PyEval_SaveThread();
    if (spare != NULL) { /* else the orphans stay, cleared, until the exit */
        PyEval_RestoreThread(spare);
        PyThreadState_Clear(spare);
        (void)PyEval_SaveThread();
    }
    while (orphan != NULL) {
        nio_thread_state *next = orphan->next;
        if (spare != NULL) {
            PyThreadState_Delete(orphan->state);
        }
        nio_thread_state_free(orphan);
        orphan = next;
    }
    if (spare != NULL) {
        PyThreadState_Delete(spare);
    }
    PyEval_RestoreThread(current);
}

/* ---- a call of the system by a Python thread */

PyThreadState *
nio_gil_release(nio_thread_states *own)
{
    PyThreadState *outer = own->released_state;

    own->released_state = PyEval_SaveThread();
    return outer; /* not NULL: within a callback within such a call */
}

void
nio_gil_retake(nio_thread_states *own, PyThreadState *outer)
{
    PyThreadState *state = own->released_state;

    own->released_state = outer;
    PyEval_RestoreThread(state);
}

/* SPDX-License-Identifier: MIT */
/* The threads that the system calls back on, and what we keep for each: the
 * callbacks it is in, and a Python thread state for every interpreter that it
 * has served. Making one costs 9 us and attaching 0.2, so a thread of the
 * system keeps the main interpreter's until it ends: of Linux' own threads the
 * tower says so (nio_thread_forget), of a pool's the system (at_end). There no
 * GIL may be waited for: the system may hold a lock of its own that whoever
 * has the GIL waits for, and a process that exits asks there too. So the
 * states of such a thread are left to the next one that calls back (sweep). */
#include "binding/callbacks/threads.h"

#include <stdlib.h>

/* ---- what a thread keeps */
/* With the GIL, as the thread's current state. Runs destructors of
 * thread-locals. */
static void
delete_attached(PyThreadState *state)
{
    PyThreadState_Clear(state);
#ifdef Py_GIL_DISABLED
    /* At once: a fork in between would find it cleared, and the child would
     * clear it again, which crashes there. (Not in the limited API.) */
    PyThreadState_DeleteCurrent();
#else
    (void)PyEval_SaveThread();
    PyThreadState_Delete(state);
#endif
}

/* Detached. */
static void
forget_all(nio_thread_context *here)
{
    nio_thread_state *kept;

    while ((kept = here->kept) != NULL) {
        here->kept = kept->next;
        if (kept->generation == nio_process_generation() &&
            nio_interpreter_enter(kept->home)) {
            PyEval_RestoreThread(kept->state);
            delete_attached(kept->state);
            nio_interpreter_leave(kept->home);
        }
        nio_thread_state_free(kept);
    }
}

static void
at_end(void *own)
{
    nio_thread_context *here = own;
    nio_thread_state *kept;

    /* Inside a callback only the whole process ends so: os._exit(). */
    if (here->frames != NULL) {
        return;
    }
    while ((kept = here->kept) != NULL) {
        here->kept = kept->next;
        nio_interpreter_orphan(kept);
    }
    free(here);
}

/* Delete the thread states of threads that have ended, while the state of
 * this one is attached. CPython 3.12 and later take the deletion for that of
 * the deleter's own state, and forget which one this thread has: whoever asks
 * for it then waits for himself. So it is done under a state that was made
 * for that, and attaching the own one after it puts all in order. */
static void
sweep(nio_thread_context *here, PyThreadState *own,
      nio_callback_context *bridge)
{
    nio_thread_state *kept = nio_interpreter_take_orphans(bridge->home);
    PyThreadState *spare;

    if (kept == NULL) {
        return;
    }
    nio_frame frame = {here->frames, bridge};
    here->frames = &frame; /* destructors must not wait for this thread */
    for (nio_thread_state *at = kept; at != NULL; at = at->next) {
        PyThreadState_Clear(at->state); /* runs them */
    }
    here->frames = frame.up;
    spare = PyThreadState_New(bridge->home->interpreter);
    (void)PyEval_SaveThread();
    if (spare != NULL) { /* else they stay, cleared, until the exit */
        PyEval_RestoreThread(spare);
        PyThreadState_Clear(spare);
        (void)PyEval_SaveThread();
    }
    while (kept != NULL) {
        nio_thread_state *next = kept->next;
        if (spare != NULL) {
            PyThreadState_Delete(kept->state);
        }
        nio_thread_state_free(kept);
        kept = next;
    }
    if (spare != NULL) {
        PyThreadState_Delete(spare);
    }
    PyEval_RestoreThread(own);
}

bool
nio_threads_init(void)
{
    return nio_thread_local_init(at_end);
}

nio_thread_context *
nio_thread_context_get(void)
{
    nio_thread_context *here = nio_thread_local_get();

    if (here == NULL) {
        here = calloc(1, sizeof(*here));
        if (here != NULL && !nio_thread_local_set(here)) {
            free(here);
            here = NULL;
        }
    }
    return here;
}

const nio_frame *
nio_frames(void)
{
    const nio_thread_context *here = nio_thread_local_get();
    return here != NULL ? here->frames : NULL;
}

static nio_thread_state *
kept_of(nio_thread_context *here, nio_interpreter *home)
{
    nio_thread_state *kept = here->kept;

    while (kept != NULL && kept->home != home) {
        kept = kept->next;
    }
    if (kept != NULL) {
        return kept;
    }
    if (!home->is_main && !nio_interpreter_enter(home)) {
        return NULL;
    }
    kept = calloc(1, sizeof(*kept));
    if (kept != NULL) {
        kept->state = PyThreadState_New(home->interpreter);
    }
    if (kept == NULL || kept->state == NULL) {
        free(kept);
        if (!home->is_main) {
            nio_interpreter_leave(home);
        }
        return NULL;
    }
    kept->home = nio_interpreter_keep(home);
    kept->generation = nio_process_generation();
    kept->next = here->kept;
    here->kept = kept;
    return kept;
}

/* ---- the GIL */
bool
nio_attach(nio_callback_context *bridge)
{
    nio_thread_context *here = NULL;
    PyThreadState *state = NULL;
    bool kept_one = false;

    if (nio_atomic_load(&bridge->disabled)) {
        return false;
    }
    here = nio_thread_context_get();
    if (here != NULL && here->lent != NULL) {
        state = here->lent;
    } else if (here != NULL) {
        nio_thread_state *kept = kept_of(here, bridge->home);
        if (kept != NULL) {
            state = kept->state;
            kept_one = true;
        }
    }
    if (state == NULL) {
        return false;
    }
    here->lent = NULL; /* in use until nio_detach() */
    PyEval_RestoreThread(state);
    if (kept_one) {
        sweep(here, state, bridge);
    }
    nio_atomic_add(&bridge->batches, 1);
    return true;
}

void
nio_detach(nio_callback_context *bridge)
{
    nio_thread_context *here = nio_thread_local_get();
    PyThreadState *state = PyThreadState_Get();
    nio_thread_state **link = &here->kept, *kept;

    while (*link != NULL && (*link)->state != state) {
        link = &(*link)->next;
    }
    kept = *link;
    if (kept == NULL) {
        here->lent = PyEval_SaveThread();
    } else if (kept->home->is_main || here->frames != NULL) {
        (void)PyEval_SaveThread(); /* a callback within one goes on with it */
    } else {
        nio_frame frame = {NULL, bridge};
        *link = kept->next;
        here->frames = &frame; /* destructors must not wait for this thread */
        delete_attached(state);
        here->frames = NULL;
        nio_interpreter_leave(kept->home);
        nio_thread_state_free(kept);
    }
}

PyThreadState *
nio_gil_release(void)
{
    nio_thread_context *here =
        nio_thread_local_get(); /* nio_thread_context_get() was before */

    here->lent = PyEval_SaveThread();
    return here->lent;
}

void
nio_gil_retake(PyThreadState *thread)
{
    nio_thread_context *here = nio_thread_local_get();

    here->lent = NULL;
    PyEval_RestoreThread(thread);
}

void
nio_thread_forget(nio_callback_context *bridge)
{
    nio_thread_context *here = nio_thread_local_get();

    if (here != NULL) {
        nio_frame frame = {here->frames, bridge};
        here->frames = &frame; /* destructors must not wait for this thread */
        forget_all(here);
        here->frames = frame.up;
    }
}

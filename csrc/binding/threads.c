/* SPDX-License-Identifier: MIT */
/* The threads that the system calls back on, and what we keep for each: the
 * callbacks it is in, and a Python thread state for every interpreter that it
 * has served. Making one costs 9 us and attaching 0.2, so a thread of the
 * system keeps them until it ends: of Linux' own threads the tower says so
 * (nio_thread_forget), and of a pool's threads the system (at_end).
 *
 * A thread may outlive an interpreter. So each interpreter has a home, which
 * outlives it in turn: who ends after the home was closed leaves its thread
 * state to the interpreter's own finalization, and whoever is just giving one
 * back is waited for. Beside the main interpreter none may be left over: there
 * a pool's thread keeps nothing. */
#include "binding/call.h"

#include <stdlib.h>

struct nio_home {
    nio_atomic references;
    PyInterpreterState *interpreter;
    bool is_main;
    /* guarded by the lock of cancel.c, which is held over forks */
    bool closed;
    unsigned leaving;    /* threads that give their state back */
    uint64_t generation; /* of the process that counted them */
    nio_event *left;     /* set when leaving gets to 0; NULL: nobody waits */
};

typedef struct nio_kept {
    struct nio_kept *next;
    nio_home *home; /* a reference */
    PyThreadState *state;
    uint64_t generation; /* in a forked child it is the main thread's */
    bool stays;          /* beyond this detach */
} nio_kept;

/* ---- homes */
nio_home *
nio_home_new(void)
{
    nio_home *home = calloc(1, sizeof(*home));

    if (home == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    nio_atomic_store(&home->references, 1);
    home->interpreter = PyInterpreterState_Get();
    home->is_main = PyInterpreterState_GetID(home->interpreter) == 0;
    home->generation = nio_cancel_generation();
    return home;
}

nio_home *
nio_home_keep(nio_home *home)
{
    (void)nio_atomic_add(&home->references, 1);
    return home;
}

nio_home *
nio_home_drop(nio_home *home)
{
    if (home != NULL && nio_atomic_add(&home->references, UINT64_MAX) == 1) {
        free(home);
    }
    return NULL;
}

/* Those who were leaving when the process forked are not in the child. */
static void
recount_locked(nio_home *home)
{
    if (home->generation != nio_cancel_generation()) {
        home->generation = nio_cancel_generation();
        home->leaving = 0;
        home->left = NULL;
    }
}

/* True: the interpreter stays until end_leave(). */
static bool
begin_leave(const nio_kept *kept)
{
    nio_cancel_lock();
    recount_locked(kept->home);
    bool open =
        !kept->home->closed && kept->generation == nio_cancel_generation();
    kept->home->leaving += open;
    nio_cancel_unlock();
    return open;
}

static void
end_leave(nio_home *home)
{
    nio_cancel_lock();
    recount_locked(home);
    if (home->leaving > 0 && --home->leaving == 0 && home->left != NULL) {
        nio_event_set(home->left);
    }
    nio_cancel_unlock();
}

void
nio_home_close(nio_home *home, uint64_t timeout_ns)
{
    uint64_t start = nio_monotonic_ns(), spent = 0;
    nio_event left = {0};
    bool made = nio_event_init(&left);

    nio_cancel_lock();
    recount_locked(home);
    home->closed = true;
    bool wait = made && home->leaving > 0;
    home->left = wait ? &left : NULL;
    nio_cancel_unlock();
    while (wait && spent < timeout_ns) {
        nio_wait woken = NIO_WAIT_SET;
        Py_BEGIN_ALLOW_THREADS
        woken = nio_event_wait(&left, timeout_ns - spent);
        Py_END_ALLOW_THREADS
        wait = woken == NIO_WAIT_INTERRUPTED; /* a signal: they still leave */
        spent = nio_monotonic_ns() - start;
    }
    nio_cancel_lock();
    home->left = NULL;
    nio_cancel_unlock();
    if (made) {
        nio_event_done(&left);
    }
}

/* ---- what a thread keeps */
/* With the GIL, as the thread's current state. Runs destructors of
 * thread-locals. */
static void
delete_attached(PyThreadState *state)
{
    PyThreadState_Clear(state);
    (void)PyEval_SaveThread();
    PyThreadState_Delete(state);
}

static void
kept_free(nio_kept *kept)
{
    nio_home_drop(kept->home);
    free(kept);
}

/* Detached. */
static void
forget_all(nio_here *here)
{
    nio_kept *kept;

    while ((kept = here->kept) != NULL) {
        here->kept = kept->next;
        if (begin_leave(kept)) {
            PyEval_RestoreThread(kept->state);
            delete_attached(kept->state);
            end_leave(kept->home);
        }
        kept_free(kept);
    }
}

static void
at_end(void *own)
{
    nio_here *here = own;

    /* Inside a callback only the whole process ends so: os._exit(). */
    if (here->frames == NULL) {
        forget_all(here);
        free(here);
    }
}

bool
nio_threads_init(void)
{
    return nio_thread_own_init(at_end);
}

nio_here *
nio_here_of_thread(void)
{
    nio_here *here = nio_thread_own();

    if (here == NULL) {
        here = calloc(1, sizeof(*here));
        if (here != NULL && !nio_thread_set_own(here)) {
            free(here);
            here = NULL;
        }
    }
    return here;
}

const nio_frame *
nio_frames(void)
{
    const nio_here *here = nio_thread_own();
    return here != NULL ? here->frames : NULL;
}

static nio_kept *
kept_of(nio_here *here, nio_home *home)
{
    nio_kept *kept = here->kept;

    while (kept != NULL && kept->home != home) {
        kept = kept->next;
    }
    if (kept != NULL) {
        return kept;
    }
    kept = calloc(1, sizeof(*kept));
    if (kept == NULL) {
        return NULL;
    }
    kept->state = PyThreadState_New(home->interpreter);
    if (kept->state == NULL) {
        free(kept);
        return NULL;
    }
    kept->home = nio_home_keep(home);
    kept->generation = nio_cancel_generation();
    kept->next = here->kept;
    here->kept = kept;
    return kept;
}

/* ---- the GIL */
bool
nio_attach(nio_bridge *bridge, bool own_thread)
{
    nio_here *here = NULL;
    PyThreadState *state = NULL;

    if (nio_atomic_load(&bridge->disabled)) {
        return false;
    }
    here = nio_here_of_thread();
    if (here != NULL && here->lent != NULL) {
        state = here->lent;
    } else if (here != NULL) {
        nio_kept *kept = kept_of(here, bridge->home);
        if (kept != NULL) {
            state = kept->state;
            kept->stays |= own_thread || bridge->home->is_main;
        }
    }
    if (state == NULL) {
        return false;
    }
    here->lent = NULL; /* in use until nio_detach() */
    PyEval_RestoreThread(state);
    nio_atomic_add(&bridge->batches, 1);
    return true;
}

void
nio_detach(void)
{
    nio_here *here = nio_thread_own();
    PyThreadState *state = PyThreadState_Get();
    nio_kept **link = &here->kept, *kept;

    while (*link != NULL && (*link)->state != state) {
        link = &(*link)->next;
    }
    kept = *link;
    if (kept == NULL) {
        here->lent = PyEval_SaveThread();
    } else if (kept->stays || here->frames != NULL) {
        (void)PyEval_SaveThread(); /* a callback within one goes on with it */
    } else { /* the cancel that its interpreter's exit waits for awaits us */
        *link = kept->next;
        delete_attached(state);
        kept_free(kept);
    }
}

PyThreadState *
nio_gil_release(void)
{
    nio_here *here = nio_thread_own(); /* nio_here_of_thread() was before */

    here->lent = PyEval_SaveThread();
    return here->lent;
}

void
nio_gil_retake(PyThreadState *thread)
{
    nio_here *here = nio_thread_own();

    here->lent = NULL;
    PyEval_RestoreThread(thread);
}

void
nio_thread_forget(nio_bridge *bridge)
{
    nio_here *here = nio_thread_own();

    if (here != NULL) {
        nio_frame frame = {here->frames, bridge};
        here->frames = &frame; /* destructors must not wait for this thread */
        forget_all(here);
        here->frames = frame.up;
    }
}

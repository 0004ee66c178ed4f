/* SPDX-License-Identifier: MIT */
/* What outlives an interpreter, for the threads that may: see threads.h. */
#include "binding/callbacks/threads.h"

#include <stdlib.h>

/* Counts for all interpreters, and is closed with the main one: from then on
 * CPython ends every thread that asks for any GIL, and aborts where an
 * interpreter that was left over still has such a thread's state. */
static nio_home everywhere;

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
    nio_cancel_lock();
    home->generation = nio_cancel_generation();
    if (home->is_main) { /* perhaps not the first of this process */
        everywhere.closed = false;
    }
    nio_cancel_unlock();
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

/* Those who were inside when the process forked are not in the child. */
static void
recount_locked(nio_home *home) NIO_REQUIRES(nio_cancel_own_lock)
{
    if (home->generation != nio_cancel_generation()) {
        home->generation = nio_cancel_generation();
        home->inside = 0;
        home->left = NULL;
        home->placeholder = NULL; /* CPython deleted it */
        home->next = NULL;
    }
}

/* A state that no thread is in, from one that is in its own. */
static void
delete_detached(PyThreadState *state)
{
    PyThreadState *own = PyEval_SaveThread();

    PyEval_RestoreThread(state);
    PyThreadState_Clear(state);
    (void)PyEval_SaveThread();
    PyThreadState_Delete(state);
    PyEval_RestoreThread(own);
}

/* CPython up to 3.13 has room for one thread state in an interpreter itself,
 * gives it to whoever comes while there is no other, and cleans it after it is
 * out of the list: who comes meanwhile aborts the process. So an interpreter
 * beside the main one, which always has a state, gets one more, for nobody,
 * until it ends; or until the main one does, which ends what is left over and
 * deletes the state that it finds there. */
int
nio_home_furnish(nio_home *home)
{
    PyThreadState *state = NULL;

    if (home->is_main) {
        return 0;
    }
    state = PyThreadState_New(home->interpreter);
    if (state == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    nio_cancel_lock();
    recount_locked(&everywhere);
    if (!everywhere.closed) {
        home->placeholder = state;
        home->next = everywhere.next;
        everywhere.next = nio_home_keep(home);
        state = NULL;
    }
    nio_cancel_unlock();
    if (state != NULL) {
        delete_detached(state);
    }
    return 0;
}

static void
delete_placeholder(nio_home *home)
{
    nio_home *at = &everywhere;

    nio_cancel_lock();
    recount_locked(home);
    recount_locked(&everywhere);
    PyThreadState *state = home->placeholder;
    home->placeholder = NULL;
    while (state != NULL && at->next != home) {
        at = at->next;
    }
    if (state != NULL) {
        at->next = home->next;
    }
    nio_cancel_unlock();
    if (state != NULL) {
        delete_detached(state);
        nio_home_drop(home);
    }
}

/* Of any interpreter, with a reference; NULL: there is none left. */
static nio_home *
furnished(void)
{
    nio_cancel_lock();
    recount_locked(&everywhere);
    nio_home *home = everywhere.next;
    if (home != NULL) {
        nio_home_keep(home);
    }
    nio_cancel_unlock();
    return home;
}

static void
leave_locked(nio_home *home) NIO_REQUIRES(nio_cancel_own_lock)
{
    recount_locked(home);
    if (home->inside > 0 && --home->inside == 0 && home->left != NULL) {
        nio_event_set(home->left);
    }
}

bool
nio_home_enter(nio_home *home)
{
    nio_cancel_lock();
    recount_locked(home);
    recount_locked(&everywhere);
    bool open = !home->closed && !everywhere.closed;
    home->inside += open;
    everywhere.inside += open;
    nio_cancel_unlock();
    return open;
}

void
nio_home_leave(nio_home *home)
{
    nio_cancel_lock();
    leave_locked(home);
    leave_locked(&everywhere);
    nio_cancel_unlock();
}

void
nio_kept_free(nio_kept *kept)
{
    nio_home_drop(kept->home);
    free(kept);
}

/* Without a lock: when the process exits, who had it may be gone. Only ever
 * all are taken from this list, so that a state that is met again is the
 * same one. */
void
nio_home_abandon(nio_kept *kept)
{
    nio_atomic *list = &kept->home->abandoned;
    uint64_t first;

    do {
        first = nio_atomic_load(list);
        kept->next = (nio_kept *)(uintptr_t)first;
    } while (!nio_atomic_replace(list, first, (uint64_t)(uintptr_t)kept));
}

nio_kept *
nio_home_abandoned(nio_home *home)
{
    if (nio_atomic_load(&home->abandoned) == 0) {
        return NULL;
    }
    return (nio_kept *)(uintptr_t)nio_atomic_exchange(&home->abandoned, 0);
}

/* Nobody comes in any more. Waits, with the GIL released, for who is inside.
 */
static void
close_and_wait(nio_home *home, uint64_t timeout_ns)
{
    uint64_t start = nio_monotonic_ns(), spent = 0;
    nio_event left = {0};
    bool made = nio_event_init(&left);

    nio_cancel_lock();
    recount_locked(home);
    home->closed = true;
    bool wait = made && home->inside > 0;
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

void
nio_home_close(nio_home *home, uint64_t timeout_ns)
{
    nio_home *other;
    nio_kept *kept;

    close_and_wait(home, timeout_ns);
    delete_placeholder(home);
    if (home->is_main) {
        close_and_wait(&everywhere, timeout_ns);
        while ((other = furnished()) != NULL) {
            delete_placeholder(other);
            nio_home_drop(other);
        }
    }
    kept = nio_home_abandoned(home);
    while (kept != NULL) { /* the states are the interpreter's */
        nio_kept *next = kept->next;
        nio_kept_free(kept);
        kept = next;
    }
}

/* SPDX-License-Identifier: MIT */
/* What outlives an interpreter, for the threads that may: see interpreter.h.
 */
#include "binding/callbacks/interpreter.h"

#include <stdlib.h>

/* Counts for all interpreters, and is closed with the main one: from then on
 * CPython ends every thread that asks for any GIL, and aborts where an
 * interpreter that was left over still has such a thread's state. */
static nio_interpreter all_interpreters;

nio_interpreter *
nio_interpreter_new(void)
{
    nio_interpreter *home = calloc(1, sizeof(*home));

    if (home == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    nio_atomic_store(&home->references, 1);
    home->interpreter = PyInterpreterState_Get();
    home->is_main = PyInterpreterState_GetID(home->interpreter) == 0;
    nio_lock_take(&nio_process_lock);
    home->generation = nio_process_generation();
    if (home->is_main) { /* perhaps not the first of this process */
        all_interpreters.closed = false;
    }
    nio_lock_drop(&nio_process_lock);
    return home;
}

nio_interpreter *
nio_interpreter_keep(nio_interpreter *home)
{
    (void)nio_atomic_add(&home->references, 1);
    return home;
}

nio_interpreter *
nio_interpreter_drop(nio_interpreter *home)
{
    if (home != NULL && nio_atomic_add(&home->references, UINT64_MAX) == 1) {
        free(home);
    }
    return NULL;
}

/* Those who were inside when the process forked are not in the child. */
static void
recount_locked(nio_interpreter *home) NIO_REQUIRES(nio_process_lock)
{
    if (home->generation != nio_process_generation()) {
        home->generation = nio_process_generation();
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
nio_interpreter_pin(nio_interpreter *home)
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
    nio_lock_take(&nio_process_lock);
    recount_locked(&all_interpreters);
    if (!all_interpreters.closed) {
        home->placeholder = state;
        home->next = all_interpreters.next;
        all_interpreters.next = nio_interpreter_keep(home);
        state = NULL;
    }
    nio_lock_drop(&nio_process_lock);
    if (state != NULL) {
        delete_detached(state);
    }
    return 0;
}

static void
delete_placeholder(nio_interpreter *home)
{
    nio_interpreter *at = &all_interpreters;

    nio_lock_take(&nio_process_lock);
    recount_locked(home);
    recount_locked(&all_interpreters);
    PyThreadState *state = home->placeholder;
    home->placeholder = NULL;
    while (state != NULL && at->next != home) {
        at = at->next;
    }
    if (state != NULL) {
        at->next = home->next;
    }
    nio_lock_drop(&nio_process_lock);
    if (state != NULL) {
        delete_detached(state);
        nio_interpreter_drop(home);
    }
}

/* Of any interpreter, with a reference; NULL: there is none left. */
static nio_interpreter *
pinned(void)
{
    nio_lock_take(&nio_process_lock);
    recount_locked(&all_interpreters);
    nio_interpreter *home = all_interpreters.next;
    if (home != NULL) {
        nio_interpreter_keep(home);
    }
    nio_lock_drop(&nio_process_lock);
    return home;
}

static void
leave_locked(nio_interpreter *home) NIO_REQUIRES(nio_process_lock)
{
    recount_locked(home);
    if (home->inside > 0 && --home->inside == 0 && home->left != NULL) {
        nio_event_set(home->left);
    }
}

bool
nio_interpreter_enter(nio_interpreter *home)
{
    nio_lock_take(&nio_process_lock);
    recount_locked(home);
    recount_locked(&all_interpreters);
    bool open = !home->closed && !all_interpreters.closed;
    home->inside += open;
    all_interpreters.inside += open;
    nio_lock_drop(&nio_process_lock);
    return open;
}

void
nio_interpreter_leave(nio_interpreter *home)
{
    nio_lock_take(&nio_process_lock);
    leave_locked(home);
    leave_locked(&all_interpreters);
    nio_lock_drop(&nio_process_lock);
}

void
nio_thread_state_free(nio_thread_state *kept)
{
    nio_interpreter_drop(kept->home);
    free(kept);
}

/* Without a lock: when the process exits, who had it may be gone. Only ever
 * all are taken from this list, so that a state that is met again is the
 * same one. */
void
nio_interpreter_orphan(nio_thread_state *kept)
{
    nio_atomic *list = &kept->home->abandoned;
    uint64_t first;

    do {
        first = nio_atomic_load(list);
        kept->next = (nio_thread_state *)(uintptr_t)first;
    } while (!nio_atomic_replace(list, first, (uint64_t)(uintptr_t)kept));
}

nio_thread_state *
nio_interpreter_take_orphans(nio_interpreter *home)
{
    if (nio_atomic_load(&home->abandoned) == 0) {
        return NULL;
    }
    return (nio_thread_state *)(uintptr_t)nio_atomic_exchange(&home->abandoned,
                                                              0);
}

/* Nobody comes in any more. Waits, with the GIL released, for who is inside.
 */
static void
close_and_wait(nio_interpreter *home, uint64_t timeout_ns)
{
    uint64_t start = nio_monotonic_ns(), spent = 0;
    nio_event left = {0};
    bool made = nio_event_init(&left);

    nio_lock_take(&nio_process_lock);
    recount_locked(home);
    home->closed = true;
    bool wait = made && home->inside > 0;
    home->left = wait ? &left : NULL;
    nio_lock_drop(&nio_process_lock);
    while (wait && spent < timeout_ns) {
        nio_wait woken = NIO_WAIT_SET;
        Py_BEGIN_ALLOW_THREADS
        woken = nio_event_wait(&left, timeout_ns - spent);
        Py_END_ALLOW_THREADS
        wait = woken == NIO_WAIT_INTERRUPTED; /* a signal: they still leave */
        spent = nio_monotonic_ns() - start;
    }
    nio_lock_take(&nio_process_lock);
    home->left = NULL;
    nio_lock_drop(&nio_process_lock);
    if (made) {
        nio_event_done(&left);
    }
}

void
nio_interpreter_close(nio_interpreter *home, uint64_t timeout_ns)
{
    nio_interpreter *other;
    nio_thread_state *kept;

    close_and_wait(home, timeout_ns);
    delete_placeholder(home);
    if (home->is_main) {
        close_and_wait(&all_interpreters, timeout_ns);
        while ((other = pinned()) != NULL) {
            delete_placeholder(other);
            nio_interpreter_drop(other);
        }
    }
    kept = nio_interpreter_take_orphans(home);
    while (kept != NULL) { /* the states are the interpreter's */
        nio_thread_state *next = kept->next;
        nio_thread_state_free(kept);
        kept = next;
    }
}

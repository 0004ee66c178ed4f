/* SPDX-License-Identifier: MIT */
/* The module's atexit hook: closes every Watch and cancels every registration
 * before the interpreter is finalized, while callbacks can still run. */
#include "binding/shutdown.h"

#include "binding/callbacks/cancel.h"
#include "binding/callbacks/interpreter.h"
#include "binding/callbacks/live_registrations.h"
#include "binding/interrupt.h"
#include "binding/watch/source.h"

/* The longest wait for callbacks that are still running: 5 s. */
#define CALLBACKS_NS 5000000000u
/* The longest wait, after that, for threads that delete their Python thread
 * state: 2 s. */
#define LEAVING_NS 2000000000u

/* Until the next attempt to wait, where the system has no event left: 10 ms.
 */
#define RETRY_NS 10000000u

/* NIO_OUTCOME_NO_MEMORY: the caller is to try again. */
static nio_outcome
wait_once(nio_registration *self, uint64_t left)
{
    nio_outcome outcome = nio_cancel_wait(self->context, left, false);

    if (outcome == NIO_OUTCOME_NO_MEMORY) {
        Py_BEGIN_ALLOW_THREADS
        nio_thread_pause(left < RETRY_NS ? left : RETRY_NS);
        Py_END_ALLOW_THREADS
        outcome = left == 0                  ? NIO_OUTCOME_TIMEOUT
                  : PyErr_CheckSignals() < 0 ? NIO_OUTCOME_RAISED
                                             : NIO_OUTCOME_NO_MEMORY;
    }
    return outcome;
}

static void
wait_until_cancelled(nio_registration *self, uint64_t *deadline)
{
    nio_outcome outcome;

    do {
        uint64_t now = nio_monotonic_ns();
        outcome = wait_once(self, now < *deadline ? *deadline - now : 0);
        if (outcome == NIO_OUTCOME_RAISED) { /* Ctrl-C ends the waiting */
            PyErr_WriteUnraisable((PyObject *)self);
            *deadline = 0;
        }
    } while (outcome == NIO_OUTCOME_RAISED ||
             outcome == NIO_OUTCOME_NO_MEMORY);
}

/* A callback that does not return in time is given up: its context stays
 * allocated and disabled, and the finalization of the interpreter treats its
 * thread as a daemon thread. (CPython aborts when a sub-interpreter ends while
 * it has a thread state of another thread.) */
static void
cancel_registrations(nio_state *state)
{
    uint64_t deadline = nio_monotonic_ns() + CALLBACKS_NS;
    nio_registration *self;

    nio_lock_take(&nio_process_lock);
    for (self = state->registrations; self != NULL; self = self->next) {
        nio_cancel_begin_locked(self->context);
    }
    nio_lock_drop(&nio_process_lock);

    while ((self = nio_registrations_first(state)) != NULL) {
        wait_until_cancelled(self, &deadline);
        nio_registration_retire(self);
        Py_DECREF(self);
    }
}

static PyObject *
at_exit(PyObject *module, PyObject *Py_UNUSED(unused))
{
    nio_state *state = nio_state_of_module(module);

    nio_lock_take(&nio_process_lock);
    state->closing = true;
    nio_lock_drop(&nio_process_lock);
    nio_watch_sources_shutdown(state);
    cancel_registrations(state);
    if (state->interpreter != NULL) { /* else the import failed */
        nio_interpreter_close(state->interpreter, LEAVING_NS);
    }
    nio_interrupt_done();
    Py_RETURN_NONE;
}

int
nio_shutdown_init(PyObject *module)
{
    static PyMethodDef definition = {"_netioapi_shutdown", at_exit,
                                     METH_NOARGS, NULL};
    PyObject *hook = PyCFunction_New(&definition, module);
    PyObject *atexit = PyImport_ImportModule("atexit"), *result = NULL;

    if (hook != NULL && atexit != NULL) {
        result = PyObject_CallMethod(atexit, "register", "O", hook);
    }
    Py_XDECREF(atexit);
    Py_XDECREF(hook);
    Py_XDECREF(result);
    return result != NULL ? 0 : -1;
}

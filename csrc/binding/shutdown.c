/* SPDX-License-Identifier: MIT */
/* The exit of the interpreter: closes every Watch and cancels every
 * registration, while Python still runs. */
#include "binding/shutdown.h"

#include "binding/callbacks/cancel.h"
#include "binding/callbacks/live_registrations.h"
#include "binding/interrupt.h"
#include "binding/watch/source.h"

/* What the exit of the interpreter grants callbacks that are still running. */
#define SHUTDOWN_NS 5000000000u
/* And threads that are just giving their Python thread state back. */
#define LEAVING_NS 2000000000u

/* Interpreter exit. What a callback never returns from is given up after a
 * while: its context stays, disabled, and the thread that is in it meets the
 * end of the interpreter as a daemon thread does. (CPython aborts where an
 * interpreter beside the main one ends with a thread left.) */
static void
cancel_registrations(nio_state *state)
{
    uint64_t deadline = nio_monotonic_ns() + SHUTDOWN_NS;
    nio_registration *self;

    nio_lock_take(&nio_process_lock);
    for (self = state->registrations; self != NULL; self = self->next) {
        nio_cancel_begin_locked(self->bridge);
    }
    nio_lock_drop(&nio_process_lock);

    while ((self = nio_registrations_first(state)) != NULL) {
        nio_outcome outcome;
        do {
            uint64_t now = nio_monotonic_ns();
            outcome = nio_cancel_wait(
                self->bridge, now < deadline ? deadline - now : 0, false);
            if (outcome == NIO_OUTCOME_RAISED) {
                PyErr_WriteUnraisable((PyObject *)self);
                deadline = 0; /* the user has waited enough */
            }
        } while (outcome == NIO_OUTCOME_RAISED);
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
    nio_interpreter_close(state->interpreter, LEAVING_NS);
    nio_interrupt_done();
    Py_RETURN_NONE;
}

int
nio_shutdown_init(PyObject *module, nio_state *state)
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
    return result == NULL ? -1 : nio_interpreter_pin(state->interpreter);
}

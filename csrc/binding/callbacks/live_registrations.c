/* SPDX-License-Identifier: MIT */
/* The list that keeps live registrations alive, as a running thread is kept:
 * from the request until a Python thread sees that the cancellation is over.
 * Only Python threads enter, so that no Python object ends on a native thread.
 * The list itself is guarded by the lock of cancel.c. */
#include "binding/callbacks/context.h"

/* What the exit of the interpreter grants callbacks that are still running. */
#define SHUTDOWN_NS 5000000000u
/* And threads that are just giving their Python thread state back. */
#define LEAVING_NS 2000000000u

static void
unlist_locked(nio_state *state, nio_registration *self)
    NIO_REQUIRES(nio_cancel_own_lock)
{
    if (self->previous != NULL) {
        self->previous->next = self->next;
    } else {
        state->registrations = self->next;
    }
    if (self->next != NULL) {
        self->next->previous = self->previous;
    }
    self->next = self->previous = NULL;
    self->listed = false;
}

bool
nio_registration_enlist(nio_state *state, nio_registration *self)
{
    nio_cancel_lock();
    bool open = !state->closing;
    if (open) {
        self->next = state->registrations;
        if (self->next != NULL) {
            self->next->previous = self;
        }
        Py_INCREF((PyObject *)self);
        state->registrations = self;
        self->listed = true;
    }
    nio_cancel_unlock();
    if (open) {
        PyObject_GC_Track((PyObject *)self);
    } else {
        PyErr_Format(PyExc_RuntimeError, "%s: the interpreter is exiting",
                     self->bridge->function);
    }
    return open;
}

void
nio_registration_retire(nio_registration *self)
{
    nio_callback_context *bridge = self->bridge;

    nio_cancel_lock();
    bool listed = self->listed;
    if (listed) {
        unlist_locked(bridge->state, self);
    }
    nio_cancel_unlock();
    if (!listed || nio_cancel_look(bridge) != NIO_OUTCOME_DONE) {
        return; /* given up: the system may still use the bridge */
    }
    Py_BEGIN_ALLOW_THREADS
    nio_cancel_join(bridge);
    Py_END_ALLOW_THREADS
    if (nio_cancel_stage(bridge) == NIO_CANCELLED) {
        Py_DECREF(self); /* FAILED: leaked, as the bridge is */
    }
}

/* A new reference to a listed registration that is over, or to the first of
 * all; NULL when there is none. */
static nio_registration *
find(nio_state *state, bool over)
{
    nio_cancel_lock();
    nio_registration *at = state->registrations;
    while (at != NULL && over && !nio_cancel_over_locked(at->bridge)) {
        at = at->next;
    }
    Py_XINCREF((PyObject *)at);
    nio_cancel_unlock();
    return at;
}

void
nio_registrations_reap(nio_state *state)
{
    nio_registration *self;

    while ((self = find(state, true)) != NULL) {
        nio_registration_retire(self);
        Py_DECREF(self);
    }
}

/* Interpreter exit. What a callback never returns from is given up after a
 * while: its context stays, disabled, and the thread that is in it meets the
 * end of the interpreter as a daemon thread does. (CPython aborts where an
 * interpreter beside the main one ends with a thread left.) */
void
nio_registrations_shutdown(nio_state *state)
{
    uint64_t deadline = nio_monotonic_ns() + SHUTDOWN_NS;
    nio_registration *self;

    nio_cancel_lock();
    for (self = state->registrations; self != NULL; self = self->next) {
        nio_cancel_begin_locked(self->bridge);
    }
    nio_cancel_unlock();

    while ((self = find(state, false)) != NULL) {
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
    nio_interpreter_close(state->home, LEAVING_NS);
}

static PyObject *
at_exit(PyObject *module, PyObject *Py_UNUSED(unused))
{
    nio_state *state = nio_state_of_module(module);

    nio_cancel_lock();
    state->closing = true;
    nio_cancel_unlock();
    nio_watches_shutdown(state);
    nio_registrations_shutdown(state);
    nio_interrupt_done();
    Py_RETURN_NONE;
}

int
nio_live_init(PyObject *module)
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

/* SPDX-License-Identifier: MIT */
/* The list that keeps live registrations alive, as a running thread is kept
 * alive: from the call of the notify function until a thread that runs Python
 * code finds the cancellation finished. Only such threads use the list, so
 * that no Python object is deallocated on a thread that is not attached. */
#include "binding/callbacks/live_registrations.h"

#include "binding/callbacks/cancel.h"

static void
unlist_locked(nio_state *state, nio_registration *self)
    NIO_REQUIRES(nio_process_lock)
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
    nio_lock_take(&nio_process_lock);
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
    nio_lock_drop(&nio_process_lock);
    if (open) {
        PyObject_GC_Track((PyObject *)self);
    } else {
        PyErr_Format(PyExc_RuntimeError, "%s: the interpreter is exiting",
                     self->context->function);
    }
    return open;
}

void
nio_registration_retire(nio_registration *self)
{
    nio_callback_context *context = self->context;

    nio_lock_take(&nio_process_lock);
    bool listed = self->listed;
    if (listed) {
        unlist_locked(context->state, self);
    }
    nio_lock_drop(&nio_process_lock);
    if (!listed || !nio_cancel_is_finished(context)) {
        return; /* given up: the system may still use the context */
    }
    Py_BEGIN_ALLOW_THREADS
    nio_cancel_join(context);
    Py_END_ALLOW_THREADS
    if (nio_cancel_stage(context) == NIO_CANCELLED) {
        Py_DECREF(self); /* in stage FAILED it is leaked, as its context is */
    }
}

nio_registration *
nio_registrations_first(nio_state *state)
{
    nio_lock_take(&nio_process_lock);
    nio_registration *first = state->registrations;
    Py_XINCREF((PyObject *)first);
    nio_lock_drop(&nio_process_lock);
    return first;
}

/* A new reference to a finished one; NULL: there is none. */
static nio_registration *
any_finished(nio_state *state)
{
    nio_lock_take(&nio_process_lock);
    nio_registration *at = state->registrations;
    while (at != NULL && !nio_cancel_is_finished_locked(at->context)) {
        nio_cancel_retry_locked(at->context);
        at = at->next;
    }
    Py_XINCREF((PyObject *)at);
    nio_lock_drop(&nio_process_lock);
    return at;
}

void
nio_registrations_reap(nio_state *state)
{
    nio_registration *self;

    while ((self = any_finished(state)) != NULL) {
        nio_registration_retire(self);
        Py_DECREF(self);
    }
}

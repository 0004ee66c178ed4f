/* SPDX-License-Identifier: MIT */
/* The Registration type: what a program holds of a registration. Its methods
 * run on Python threads, with the GIL; the waiting is cancel.c's, the keeping
 * alive live.c's. */
#include "binding/callbacks/registration.h"

#include "binding/callbacks/cancel.h"
#include "binding/callbacks/delivery.h"
#include "binding/callbacks/live_registrations.h"
#include "binding/callbacks/threads.h"
#include "binding/errors.h"
#include "binding/interrupt.h"
#include "binding/values/from_python.h"

#include <stddef.h>
#include <structmember.h>

nio_registration *
nio_registration_new(nio_state *state, PyObject *callback, PyObject *on_error,
                     int family)
{
    nio_callback_context *bridge = nio_callback_context_new(state);
    nio_registration *self = NULL;

    if (bridge != NULL) {
        self = PyObject_GC_New(nio_registration, state->Registration);
    }
    if (self == NULL) {
        nio_callback_context_free(bridge);
        return NULL;
    }
    self->bridge = bridge;
    self->callback = bridge->callback = Py_NewRef(callback);
    self->on_error = bridge->on_error = Py_XNewRef(on_error);
    self->family = family;
    self->weak_references = NULL;
    nio_lock_take(&nio_process_lock);
    self->listed = false;
    self->next = self->previous = NULL;
    nio_lock_drop(&nio_process_lock);
    return self;
}

static PyObject *
raise_deadlock(nio_registration *self)
{
    const char *format =
        "cancel() of %s waits for its callback, which waits for this one to "
        "return; use cancel(wait=False)";

    for (const nio_frame *at = nio_frames(); at != NULL; at = at->up) {
        if (at->bridge == self->bridge) {
            format = "cancel() of %s would wait for the callback that it is "
                     "called from; use cancel(wait=False)";
        }
    }
    PyErr_Format(self->bridge->state->DeadlockError, format,
                 self->bridge->function);
    return NULL;
}

/* cancel() that waits: true when it is over, false with an exception. */
static bool
cancel_and_wait(nio_registration *self, uint64_t timeout_ns)
{
    nio_callback_context *bridge = self->bridge;

    switch (nio_cancel_wait(bridge, timeout_ns, true)) {
    case NIO_OUTCOME_DONE:
        return true;
    case NIO_OUTCOME_RAISED:
        break; /* the cancellation goes on */
    case NIO_OUTCOME_TIMEOUT:
        PyErr_Format(PyExc_TimeoutError,
                     "a callback of %s is still running; the "
                     "cancellation goes on",
                     bridge->function);
        break;
    case NIO_OUTCOME_DEADLOCK:
        raise_deadlock(self);
        break;
    case NIO_OUTCOME_NO_MEMORY:
        nio_raise(bridge->state, ERROR_NOT_ENOUGH_MEMORY,
                  "CancelMibChangeNotify2");
        break;
    }
    return false;
}

PyObject *
nio_registration_cancel(nio_registration *self, uint64_t timeout_ns, bool wait)
{
    nio_callback_context *bridge = self->bridge;

    if (!wait) {
        nio_cancel_begin(bridge);
    } else if (!cancel_and_wait(self, timeout_ns)) {
        return NULL;
    }
    nio_registrations_reap(bridge->state);
    if (wait && nio_cancel_stage(bridge) == NIO_FAILED) {
        return nio_raise(bridge->state, bridge->status,
                         "CancelMibChangeNotify2");
    }
    Py_RETURN_NONE;
}

static PyObject *
registration_cancel(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"timeout", "wait", NULL};
    PyObject *timeout = Py_None;
    int wait = 1;
    uint64_t timeout_ns;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O$p:cancel", names,
                                     &timeout, &wait) ||
        !nio_timeout_from(timeout, &timeout_ns)) {
        return NULL;
    }
    return nio_registration_cancel((nio_registration *)self, timeout_ns,
                                   wait != 0);
}

static PyObject *
registration_enter(PyObject *self, PyObject *Py_UNUSED(unused))
{
    return Py_NewRef(self);
}

static PyObject *
registration_exit(PyObject *self, PyObject *Py_UNUSED(args))
{
    return nio_registration_cancel((nio_registration *)self, NIO_FOREVER,
                                   true);
}

static bool
is_active(nio_registration *self)
{
    nio_stage stage = nio_cancel_stage(self->bridge);
    return stage == NIO_STARTING || stage == NIO_ACTIVE;
}

static PyObject *
get_active(PyObject *self, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(is_active((nio_registration *)self));
}

static PyObject *
get_function(PyObject *self, void *Py_UNUSED(closure))
{
    return PyUnicode_FromString(((nio_registration *)self)->bridge->function);
}

static PyObject *
get_family(PyObject *self, void *Py_UNUSED(closure))
{
    int family = ((nio_registration *)self)->family;
    return family < 0 ? Py_NewRef(Py_None) : PyLong_FromLong(family);
}

/* `closure`: the offset of an nio_atomic in the bridge. */
static PyObject *
get_count(PyObject *self, void *closure)
{
    const char *bridge = (const char *)((nio_registration *)self)->bridge;
    const void *counter = bridge + (size_t)closure;
    return PyLong_FromUnsignedLongLong(nio_atomic_load(counter));
}

static PyObject *
registration_repr(PyObject *op)
{
    nio_registration *self = (nio_registration *)op;
    uint64_t delivered = nio_atomic_load(&self->bridge->delivered);

    return PyUnicode_FromFormat("<netioapi.Registration %s %s delivered=%llu>",
                                self->bridge->function,
                                is_active(self) ? "active" : "cancelled",
                                (unsigned long long)delivered);
}

static int
registration_traverse(PyObject *op, visitproc visit, void *arg)
{
    nio_registration *self = (nio_registration *)op;

    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->callback);
    Py_VISIT(self->on_error);
    return 0;
}

/* Only what is not listed can be garbage: nobody calls back any more. */
static int
registration_clear(PyObject *op)
{
    nio_registration *self = (nio_registration *)op;

    Py_CLEAR(self->callback);
    Py_CLEAR(self->on_error);
    return 0;
}

static void
registration_dealloc(PyObject *op)
{
    nio_registration *self = (nio_registration *)op;
    PyTypeObject *type = Py_TYPE(op);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);

    PyObject_GC_UnTrack(op);
    if (self->weak_references != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    /* A forked child may be in a callback of its parent's registration. */
    if (self->bridge != NULL && !nio_cancel_forked(self->bridge)) {
        nio_callback_context_free(self->bridge);
    }
    (void)registration_clear(op);
    release(op);
    Py_DECREF(type);
}

PyDoc_STRVAR(registration_doc,
             "A live registration, made by the notify functions.\n\n"
             "It is kept alive until it is cancelled, as a running thread is, "
             "also when\n"
             "the program holds no reference. A context manager that cancels "
             "at its end.");

PyDoc_STRVAR(
    cancel_doc,
    "cancel($self, /, timeout=None, *, wait=True)\n--\n\n"
    "End it: block until the callback in flight has returned; none runs "
    "later.\n\n"
    "No new callback begins from now on, whatever comes of the wait. "
    "Cancelling\n"
    "again is fine: it waits for the cancellation that goes on already.\n\n"
    "timeout: seconds to wait at most; None waits without a limit.\n"
    "wait: False returns at once, and a helper thread finishes the work. "
    "Legal\n"
    "    everywhere, in the registration's own callback too.\n\n"
    "Raises DeadlockError in its own callback, and where callbacks would wait "
    "for\n"
    "each other in a circle; the registration then stays as it was. "
    "TimeoutError\n"
    "when the timeout passes; the cancellation goes on. NetioError when the\n"
    "system's own cancel fails: the callback is disabled all the same.\n"
    "Ctrl-C ends the wait, and not the cancellation.\n\n"
    "Source: CancelMibChangeNotify2, called on a helper thread.");

static PyMethodDef registration_methods[] = {
    {"cancel", (PyCFunction)(void (*)(void))registration_cancel,
     METH_VARARGS | METH_KEYWORDS, cancel_doc},
    {"__enter__", registration_enter, METH_NOARGS,
     PyDoc_STR("__enter__($self, /)\n--\n\nThe registration itself.")},
    {"__exit__", registration_exit, METH_VARARGS,
     PyDoc_STR("__exit__($self, /, *args)\n--\n\ncancel() without a limit.")},
    {NULL, NULL, 0, NULL},
};

#define COUNT(member) ((void *)offsetof(nio_callback_context, member))

static PyGetSetDef registration_getset[] = {
    {"active", get_active, NULL,
     PyDoc_STR("True until a cancellation begins; False in a forked child."),
     NULL},
    {"function", get_function, NULL,
     PyDoc_STR("The header's function, for instance 'NotifyRouteChange2'."),
     NULL},
    {"family", get_family, NULL,
     PyDoc_STR("The address family, as the socket module has it; None where "
               "the function takes none."),
     NULL},
    {"delivered", get_count, NULL,
     PyDoc_STR("How many times the callback has been called."),
     COUNT(delivered)},
    {"errors", get_count, NULL,
     PyDoc_STR(
         "How many calls of the callback raised an exception, or could not be "
         "made for want of memory."),
     COUNT(errors)},
    {"batches", get_count, NULL,
     PyDoc_STR("How many acquisitions of the GIL served the callbacks so "
               "far: all changes that are queued share one."),
     COUNT(batches)},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef registration_members[] = {
    {"__weaklistoffset__", T_PYSSIZET,
     offsetof(nio_registration, weak_references), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot registration_slots[] = {
    {Py_tp_doc, (void *)registration_doc},
    {Py_tp_dealloc, (void *)registration_dealloc},
    {Py_tp_traverse, (void *)registration_traverse},
    {Py_tp_clear, (void *)registration_clear},
    {Py_tp_repr, (void *)registration_repr},
    {Py_tp_methods, registration_methods},
    {Py_tp_getset, registration_getset},
    {Py_tp_members, registration_members},
    {0, NULL},
};

static PyType_Spec registration_spec = {
    .name = "netioapi.Registration",
    .basicsize = (int)sizeof(nio_registration),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
             Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = registration_slots,
};

int
nio_registration_init(PyObject *module, nio_state *state)
{
    state->Registration = (PyTypeObject *)PyType_FromModuleAndSpec(
        module, &registration_spec, NULL);
    if (state->Registration == NULL ||
        PyModule_AddType(module, state->Registration) < 0) {
        return -1;
    }
    state->interpreter = nio_interpreter_new();
    if (state->interpreter == NULL || nio_delivery_init() < 0) {
        return -1;
    }
    if (!nio_process_init()) {
        PyErr_NoMemory();
        return -1;
    }
    return nio_interrupt_init();
}

void
nio_registration_done(nio_state *state)
{
    state->interpreter = nio_interpreter_drop(state->interpreter);
}

/* SPDX-License-Identifier: MIT */
/* The Registration type: what a program holds of a registration. Its methods
 * run on Python threads, with the GIL. */
#include "binding/callbacks/registration.h"

#include "binding/callbacks/cancel.h"
#include "binding/callbacks/live_registrations.h"
#include "binding/callbacks/thread_context.h"
#include "binding/errors.h"
#include "binding/values/from_python.h"

#include <stddef.h>
#include <structmember.h>

nio_registration *
nio_registration_new(nio_state *state, PyObject *callback, PyObject *on_error,
                     int family)
{
    nio_callback_context *context = nio_callback_context_new(state);
    nio_registration *self = NULL;

    if (context != NULL) {
        self = PyObject_GC_New(nio_registration, state->Registration);
    }
    if (self == NULL) {
        nio_callback_context_free(context);
        return NULL;
    }
    self->context = context;
    self->callback = context->callback = Py_NewRef(callback);
    self->on_error = context->on_error = Py_XNewRef(on_error);
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
        nio_thread_is_in_callback_of(self->context)
            ? "cancel() of %s would wait for the callback that it is called "
              "from; use cancel(wait=False)"
            : "cancel() of %s waits for its callback, which waits for this "
              "one to return; use cancel(wait=False)";

    return PyErr_Format(self->context->state->DeadlockError, format,
                        self->context->function);
}

/* cancel(wait=True): true when it is finished, false with an exception. */
static bool
cancel_and_wait(nio_registration *self, uint64_t timeout_ns)
{
    nio_callback_context *context = self->context;

    switch (nio_cancel_wait(context, timeout_ns, true)) {
    case NIO_OUTCOME_DONE:
        return true;
    case NIO_OUTCOME_RAISED:
        break; /* the cancellation goes on */
    case NIO_OUTCOME_TIMEOUT:
        PyErr_Format(PyExc_TimeoutError,
                     "a callback of %s is still running; the "
                     "cancellation goes on",
                     context->function);
        break;
    case NIO_OUTCOME_DEADLOCK:
        raise_deadlock(self);
        break;
    case NIO_OUTCOME_NO_MEMORY:
        nio_raise(context->state, ERROR_NOT_ENOUGH_MEMORY,
                  "CancelMibChangeNotify2");
        break;
    }
    return false;
}

PyObject *
nio_registration_cancel(nio_registration *self, uint64_t timeout_ns, bool wait)
{
    nio_callback_context *context = self->context;

    if (!wait) {
        nio_cancel_begin(context);
    } else if (!cancel_and_wait(self, timeout_ns)) {
        return NULL;
    }
    nio_registrations_reap(context->state);
    if (wait && nio_cancel_stage(context) == NIO_FAILED) {
        return nio_raise(context->state, context->status,
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
    nio_stage stage = nio_cancel_stage(self->context);
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
    return PyUnicode_FromString(((nio_registration *)self)->context->function);
}

static PyObject *
get_family(PyObject *self, void *Py_UNUSED(closure))
{
    int family = ((nio_registration *)self)->family;
    return family < 0 ? Py_NewRef(Py_None) : PyLong_FromLong(family);
}

/* `closure`: the offset of an nio_atomic in nio_callback_context. */
static PyObject *
get_count(PyObject *self, void *closure)
{
    const char *context = (const char *)((nio_registration *)self)->context;
    const void *counter = context + (size_t)closure;
    return PyLong_FromUnsignedLongLong(nio_atomic_load(counter));
}

static PyObject *
registration_repr(PyObject *op)
{
    nio_registration *self = (nio_registration *)op;
    uint64_t delivered = nio_atomic_load(&self->context->delivered);

    return PyUnicode_FromFormat("<netioapi.Registration %s %s delivered=%llu>",
                                self->context->function,
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

/* The list keeps a live registration, so this one is garbage only because the
 * system calls back for it no more. */
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
    /* In a forked child the context is leaked: the thread that forked may have
     * been in a callback of this registration, and still use it. */
    if (self->context != NULL &&
        !nio_callback_context_is_forked(self->context)) {
        nio_callback_context_free(self->context);
    }
    (void)registration_clear(op);
    release(op);
    Py_DECREF(type);
}

PyDoc_STRVAR(registration_doc,
             "A live registration, made by the notify functions.\n\n"
             "It stays alive until it is cancelled, as a running thread does, "
             "also when\n"
             "the program holds no reference to it. A context manager that "
             "cancels it\n"
             "at the end of the block.");

PyDoc_STRVAR(
    cancel_doc,
    "cancel($self, /, timeout=None, *, wait=True)\n--\n\n"
    "End the registration: wait until a running callback has returned; none "
    "runs later.\n\n"
    "No new callback begins from now on, whatever the outcome of the wait.\n"
    "Another cancel() may be called at any time: it waits for the\n"
    "cancellation that has begun.\n\n"
    "timeout: seconds to wait at most; None (the default): no limit.\n"
    "wait: False returns at once, and a helper thread finishes the work.\n"
    "    Allowed everywhere, in the registration's own callback too.\n\n"
    "Raises: DeadlockError in its own callback, and where callbacks would "
    "wait\n"
    "for each other in a circle; the registration then stays as it was.\n"
    "TimeoutError when the timeout passes; the cancellation goes on.\n"
    "NetioError when the system's own cancel fails: the callback is disabled\n"
    "all the same. ValueError, TypeError for an invalid timeout.\n"
    "Ctrl-C ends the wait, and not the cancellation.\n\n"
    "Source: CancelMibChangeNotify2, called on a helper thread.");

static PyMethodDef registration_methods[] = {
    {"cancel", (PyCFunction)(void (*)(void))registration_cancel,
     METH_VARARGS | METH_KEYWORDS, cancel_doc},
    {"__enter__", registration_enter, METH_NOARGS,
     PyDoc_STR("__enter__($self, /)\n--\n\nThe registration itself.")},
    {"__exit__", registration_exit, METH_VARARGS,
     PyDoc_STR(
         "__exit__($self, /, *args)\n--\n\ncancel() without a timeout.")},
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
         "How many calls of the callback raised an exception, or were not "
         "made because an allocation failed."),
     COUNT(errors)},
    {"batches", get_count, NULL,
     PyDoc_STR("How many times the GIL was acquired for callbacks: all "
               "changes that are queued share one acquisition."),
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
    return state->Registration == NULL
               ? -1
               : PyModule_AddType(module, state->Registration);
}

/* SPDX-License-Identifier: MIT */
/* The notify functions: they parse the arguments, complete and enlist the
 * registration, and only then call the system, with the GIL released: the
 * system may call back before it returns, on this thread or another. */
#include "binding/callbacks/notify.h"

#include "binding/callbacks/cancel.h"
#include "binding/callbacks/delivery.h"
#include "binding/callbacks/first_call.h"
#include "binding/callbacks/live_registrations.h"
#include "binding/callbacks/notify_doc.h"
#include "binding/callbacks/registration.h"
#include "binding/callbacks/thread_context.h"
#include "binding/errors.h"
#include "binding/functions.h"
#include "binding/rows/table.h"
#include "binding/values/from_python.h"

/* The six notify functions: name in Python, function of netioapi.h, arguments
 * of the Python callback, and kind of its row, if it has one. */
/* clang-format off */
#define NOTIFICATIONS(X)                                                      \
    X(notify_ip_interface_change, NotifyIpInterfaceChange, ROW, NIO_INTERFACE)\
    X(notify_unicast_ip_address_change, NotifyUnicastIpAddressChange, ROW,    \
      NIO_ADDRESS)                                                            \
    X(notify_route_change2, NotifyRouteChange2, ROW, NIO_ROUTE)               \
    X(notify_teredo_port_change, NotifyTeredoPortChange, PORT, NIO_KINDS)     \
    X(notify_network_connectivity_hint_change,                                \
      NotifyNetworkConnectivityHintChange, HINT, NIO_KINDS)                   \
    X(notify_stable_unicast_ip_address_table,                                 \
      NotifyStableUnicastIpAddressTable, TABLE, NIO_KINDS)
/* clang-format on */

/* Format and keywords of the Python function, by the signature of its
 * callback. */
#define FORMAT_ROW "O|O$pOp:"
#define FORMAT_PORT "O|$pO:"
#define FORMAT_HINT FORMAT_PORT
#define FORMAT_TABLE "O|O$O:"
static char *const keywords_row[] = {
    "callback", "family", "initial_notification", "on_error", "details", NULL};
static char *const keywords_plain[] = {"callback", "initial_notification",
                                       "on_error", NULL};
static char *const keywords_table[] = {"callback", "family", "on_error", NULL};
static char *const *const keywords_of[] = {
    [NIO_SIGNATURE_ROW] = keywords_row,
    [NIO_SIGNATURE_PORT] = keywords_plain,
    [NIO_SIGNATURE_HINT] = keywords_plain,
    [NIO_SIGNATURE_TABLE] = keywords_table,
};

#define INDEX(python, function, signature, kind) INDEX_##function,
typedef enum notification_index { NOTIFICATIONS(INDEX) } notification_index;

typedef struct notification {
    notification_index index;
    const char *name; /* the header's */
    const char *format;
    nio_signature signature;
    nio_kind kind;
} notification;

#define ROW(python, function, signature, kind)                                \
    {INDEX_##function, #function, FORMAT_##signature #python,                 \
     NIO_SIGNATURE_##signature, kind},
static const notification notifications[] = {NOTIFICATIONS(ROW)};
#undef ROW

typedef struct arguments {
    PyObject *callback, *on_error; /* borrowed; on_error NULL: none */
    ADDRESS_FAMILY family;
    int initial;
    int details;
} arguments;

static bool
callable_or_raise(PyObject *object, const char *name)
{
    if (PyCallable_Check(object)) {
        return true;
    }
    PyErr_Format(PyExc_TypeError, "%s must be callable, not %R", name, object);
    return false;
}

static bool
parse(nio_state *state, const notification *function, PyObject *args,
      PyObject *kwargs, arguments *ret)
{
    PyObject *family = NULL;
    char **keywords = (char **)keywords_of[function->signature];
    bool parsed = false;

    *ret = (arguments){.details = 1};
    switch (function->signature) {
    case NIO_SIGNATURE_ROW:
        parsed = PyArg_ParseTupleAndKeywords(
            args, kwargs, function->format, keywords, &ret->callback, &family,
            &ret->initial, &ret->on_error, &ret->details);
        break;
    case NIO_SIGNATURE_PORT:
    case NIO_SIGNATURE_HINT:
        parsed = PyArg_ParseTupleAndKeywords(args, kwargs, function->format,
                                             keywords, &ret->callback,
                                             &ret->initial, &ret->on_error);
        break;
    case NIO_SIGNATURE_TABLE:
        parsed = PyArg_ParseTupleAndKeywords(args, kwargs, function->format,
                                             keywords, &ret->callback, &family,
                                             &ret->on_error);
        break;
    }
    if (ret->on_error == Py_None) {
        ret->on_error = NULL;
    }
    return parsed && callable_or_raise(ret->callback, "callback") &&
           (ret->on_error == NULL ||
            callable_or_raise(ret->on_error, "on_error")) &&
           (family == NULL ||
            nio_family_from(state, family, function->name, &ret->family));
}

/* A complete and enlisted registration; NULL with an exception. */
static nio_registration *
registration_new(nio_state *state, const notification *function,
                 const arguments *given)
{
    bool takes_family = function->signature == NIO_SIGNATURE_ROW ||
                        function->signature == NIO_SIGNATURE_TABLE;
    nio_registration *self =
        nio_registration_new(state, given->callback, given->on_error,
                             takes_family ? given->family : -1);

    if (self == NULL) {
        return NULL;
    }
    self->context->function = function->name;
    self->context->signature = function->signature;
    self->context->kind = function->kind;
    self->context->details = given->details != 0;
    self->context->initial = given->initial != 0;
    if (!nio_registration_enlist(state, self)) {
        Py_CLEAR(self);
    }
    return self;
}

/* Called without the GIL. ERROR_PROC_NOT_FOUND where the system lacks the
 * function. Only NotifyStableUnicastIpAddressTable sets *ret_table. */
static NETIO_STATUS
call_system(const notification *function, nio_callback_context *context,
            const arguments *given, PMIB_UNICASTIPADDRESS_TABLE *ret_table,
            HANDLE *ret_handle)
{
    const nio_functions *system = nio_system();
    const ADDRESS_FAMILY family = given->family;
    const BOOLEAN initial =
        given->initial && nio_makes_initial_calls() ? TRUE : FALSE;

    if (!nio_is_supported(function->name)) {
        return ERROR_PROC_NOT_FOUND;
    }
    switch (function->index) {
    case INDEX_NotifyIpInterfaceChange:
        return system->NotifyIpInterfaceChange(family, nio_on_interface_change,
                                               context, initial, ret_handle);
    case INDEX_NotifyUnicastIpAddressChange:
        return system->NotifyUnicastIpAddressChange(
            family, nio_on_address_change, context, initial, ret_handle);
    case INDEX_NotifyRouteChange2:
        return system->NotifyRouteChange2(family, nio_on_route_change, context,
                                          initial, ret_handle);
    case INDEX_NotifyTeredoPortChange:
        return system->NotifyTeredoPortChange(nio_on_teredo_change, context,
                                              initial, ret_handle);
    case INDEX_NotifyNetworkConnectivityHintChange:
        return system->NotifyNetworkConnectivityHintChange(
            nio_on_hint_change, context, initial, ret_handle);
    case INDEX_NotifyStableUnicastIpAddressTable:
        return system->NotifyStableUnicastIpAddressTable(
            family, ret_table, nio_on_stable_table, context, ret_handle);
    }
    return ERROR_PROC_NOT_FOUND;
}

/* Calls the system with the GIL released; the context is complete. True when
 * the context is registered. Otherwise *ret_status is the reason, or NO_ERROR
 * for a stable table, which is in *ret_table then. */
static bool
start(const notification *function, nio_callback_context *context,
      nio_thread_context *thread, const arguments *given,
      NETIO_STATUS *ret_status, PMIB_UNICASTIPADDRESS_TABLE *ret_table)
{
    HANDLE handle = NULL;
    bool registered = false;

    PyThreadState *outer = nio_gil_release(&thread->states);
    *ret_status = ERROR_NO_SYSTEM_RESOURCES;
    if (nio_first_call_prepare(context)) {
        *ret_status =
            call_system(function, context, given, ret_table, &handle);
        registered = *ret_status == (function->signature == NIO_SIGNATURE_TABLE
                                         ? ERROR_IO_PENDING
                                         : NO_ERROR);
        /* Without a handle the system calls back never. */
        nio_first_call_decide(context, registered && handle != NULL);
    }
    /* Published before the GIL is taken again: a thread that asks for the GIL
     * while the interpreter exits may never get it, and the exit waits until
     * every registration is published. */
    nio_cancel_publish(context, registered, handle);
    nio_gil_retake(&thread->states, outer);
    return registered;
}

/* Returns (Table, None). Frees `table`, which may be NULL if there are no
 * rows.
 */
static PyObject *
stable_now(nio_state *state, PMIB_UNICASTIPADDRESS_TABLE table)
{
    PyObject *rows =
        nio_table_new(state, NIO_ADDRESS, table != NULL ? table->Table : NULL,
                      table != NULL ? table->NumEntries : 0);

    if (table != NULL) {
        nio_system()->FreeMibTable(table);
    }
    return rows == NULL ? NULL : Py_BuildValue("(NO)", rows, Py_None);
}

/* Returns (None, registration), and takes over the reference. Without the pair
 * no caller could end the registration, so it is cancelled. */
static PyObject *
pending_table(nio_registration *self)
{
    PyObject *pair = PyTuple_Pack(2, Py_None, (PyObject *)self);

    if (pair == NULL) {
        nio_cancel_begin(self->context);
    }
    Py_DECREF(self);
    return pair;
}

/* NULL: an allocation failed. Releases the GIL meanwhile: Windows takes a lock
 * here that it also holds while it calls the destructor of the thread-local
 * slot of a thread that ends. */
static nio_thread_context *
thread_context(void)
{
    nio_thread_context *thread;
    Py_BEGIN_ALLOW_THREADS
    thread = nio_thread_context_get();
    Py_END_ALLOW_THREADS
    return thread;
}

/* Returns a Registration; for the stable table the pair (table, registration).
 */
static PyObject *
notify(PyObject *module, PyObject *args, PyObject *kwargs,
       const notification *function)
{
    nio_state *state = nio_state_of_module(module);
    PMIB_UNICASTIPADDRESS_TABLE table = NULL;
    NETIO_STATUS status;
    arguments given;

    nio_registrations_reap(state);
    if (!parse(state, function, args, kwargs, &given)) {
        return NULL;
    }
    if (!nio_is_supported("CancelMibChangeNotify2")) { /* it could not end */
        return nio_raise_missing(state, "CancelMibChangeNotify2");
    }
    nio_thread_context *thread = thread_context();
    if (thread == NULL) {
        return PyErr_NoMemory();
    }
    nio_registration *self = registration_new(state, function, &given);
    if (self == NULL) {
        return NULL;
    }
    if (start(function, self->context, thread, &given, &status, &table)) {
        return function->signature == NIO_SIGNATURE_TABLE ? pending_table(self)
                                                          : (PyObject *)self;
    }
    nio_registration_retire(self);
    Py_DECREF(self);
    if (function->signature == NIO_SIGNATURE_TABLE && status == NO_ERROR) {
        return stable_now(state, table);
    }
    return status == ERROR_PROC_NOT_FOUND
               ? nio_raise_missing(state, function->name)
               : nio_raise(state, status, function->name);
}

#define FUNCTION(python, function, signature, kind)                           \
    static PyObject *python(PyObject *module, PyObject *args,                 \
                            PyObject *kwargs)                                 \
    {                                                                         \
        return notify(module, args, kwargs,                                   \
                      &notifications[INDEX_##function]);                      \
    }
NOTIFICATIONS(FUNCTION)

static PyObject *
cancel_mib_change_notify2(PyObject *module, PyObject *registration)
{
    nio_state *state = nio_state_of_module(module);

    nio_registrations_reap(state);
    if (registration == Py_None) {
        return nio_raise_invalid(state, "CancelMibChangeNotify2",
                                 "registration must not be None");
    }
    if (Py_TYPE(registration) != state->Registration) {
        PyErr_Format(PyExc_TypeError,
                     "registration must be a Registration, not %R",
                     registration);
        return NULL;
    }
    return nio_registration_cancel((nio_registration *)registration,
                                   NIO_FOREVER, true);
}

#define METHOD(python, function, signature, kind)                             \
    {#python, (PyCFunction)(void (*)(void))python,                            \
     METH_VARARGS | METH_KEYWORDS, python##_doc},

int
nio_notify_init(PyObject *module)
{
    static PyMethodDef methods[] = {
        /* clang-format off */
        NOTIFICATIONS(METHOD)
        /* clang-format on */
        {"cancel_mib_change_notify2", cancel_mib_change_notify2, METH_O,
         cancel_doc},
        {NULL, NULL, 0, NULL},
    };
    return PyModule_AddFunctions(module, methods);
}

/* SPDX-License-Identifier: MIT */
/* The notify functions: parse the arguments, build the whole context, then
 * ask the system with the GIL released, since it may call back, on this
 * thread or another, before it returns. */
#include "binding/callbacks/notify.h"

#include "binding/callbacks/cancel.h"
#include "binding/callbacks/delivery.h"
#include "binding/callbacks/live_registrations.h"
#include "binding/callbacks/notify_doc.h"
#include "binding/callbacks/registration.h"
#include "binding/callbacks/threads.h"
#include "binding/errors.h"
#include "binding/rows/table.h"
#include "binding/values/from_python.h"

/* One of the six. `start` asks the system; ERROR_PROC_NOT_FOUND where it
 * lacks the function. Only the stable table may fill ret_table. */
typedef struct notify_function {
    const char *name; /* the header's */
    const char *format;
    char *const *keywords;
    nio_signature shape;
    nio_kind kind;
    bool has_family;
    NETIO_STATUS (*start)(nio_callback_context *bridge, ADDRESS_FAMILY family,
                          BOOLEAN initial,
                          PMIB_UNICASTIPADDRESS_TABLE *ret_table,
                          HANDLE *ret_handle);
} notify_function;

/* Calls a function of the system, if it has it. */
#define SYSTEM(function, ...)                                                 \
    (nio_system()->function == NULL ? ERROR_PROC_NOT_FOUND                    \
                                    : nio_system()->function(__VA_ARGS__))

static NETIO_STATUS
start_interface(nio_callback_context *bridge, ADDRESS_FAMILY family,
                BOOLEAN initial,
                PMIB_UNICASTIPADDRESS_TABLE *Py_UNUSED(ret_table),
                HANDLE *ret_handle)
{
    return SYSTEM(NotifyIpInterfaceChange, family, nio_on_interface_change,
                  bridge, initial, ret_handle);
}

static NETIO_STATUS
start_address(nio_callback_context *bridge, ADDRESS_FAMILY family,
              BOOLEAN initial,
              PMIB_UNICASTIPADDRESS_TABLE *Py_UNUSED(ret_table),
              HANDLE *ret_handle)
{
    return SYSTEM(NotifyUnicastIpAddressChange, family, nio_on_address_change,
                  bridge, initial, ret_handle);
}

static NETIO_STATUS
start_route(nio_callback_context *bridge, ADDRESS_FAMILY family,
            BOOLEAN initial, PMIB_UNICASTIPADDRESS_TABLE *Py_UNUSED(ret_table),
            HANDLE *ret_handle)
{
    return SYSTEM(NotifyRouteChange2, family, nio_on_route_change, bridge,
                  initial, ret_handle);
}

static NETIO_STATUS
start_teredo(nio_callback_context *bridge, ADDRESS_FAMILY Py_UNUSED(family),
             BOOLEAN initial, PMIB_UNICASTIPADDRESS_TABLE *Py_UNUSED(table),
             HANDLE *ret_handle)
{
    return SYSTEM(NotifyTeredoPortChange, nio_on_teredo_change, bridge,
                  initial, ret_handle);
}

static NETIO_STATUS
start_hint(nio_callback_context *bridge, ADDRESS_FAMILY Py_UNUSED(family),
           BOOLEAN initial, PMIB_UNICASTIPADDRESS_TABLE *Py_UNUSED(table),
           HANDLE *ret_handle)
{
    return SYSTEM(NotifyNetworkConnectivityHintChange, nio_on_hint_change,
                  bridge, initial, ret_handle);
}

static NETIO_STATUS
start_stable(nio_callback_context *bridge, ADDRESS_FAMILY family,
             BOOLEAN Py_UNUSED(initial),
             PMIB_UNICASTIPADDRESS_TABLE *ret_table, HANDLE *ret_handle)
{
    return SYSTEM(NotifyStableUnicastIpAddressTable, family, ret_table,
                  nio_on_stable_table, bridge, ret_handle);
}

static char *const row_keywords[] = {
    "callback", "family", "initial_notification", "on_error", "details", NULL};
static char *const plain_keywords[] = {"callback", "initial_notification",
                                       "on_error", NULL};
static char *const stable_keywords[] = {"callback", "family", "on_error",
                                        NULL};

/* A table of six rows. */
/* clang-format off */
static const notify_function interface_function = {
    "NotifyIpInterfaceChange", "O|O$pOp:notify_ip_interface_change",
    row_keywords, NIO_SIGNATURE_ROW, NIO_INTERFACE, true, start_interface};
static const notify_function address_function = {
    "NotifyUnicastIpAddressChange", "O|O$pOp:notify_unicast_ip_address_change",
    row_keywords, NIO_SIGNATURE_ROW, NIO_ADDRESS, true, start_address};
static const notify_function route_function = {
    "NotifyRouteChange2", "O|O$pOp:notify_route_change2",
    row_keywords, NIO_SIGNATURE_ROW, NIO_ROUTE, true, start_route};
static const notify_function teredo_function = {
    "NotifyTeredoPortChange", "O|$pO:notify_teredo_port_change",
    plain_keywords, NIO_SIGNATURE_PORT, NIO_ADDRESS, false, start_teredo};
static const notify_function hint_function = {
    "NotifyNetworkConnectivityHintChange",
    "O|$pO:notify_network_connectivity_hint_change",
    plain_keywords, NIO_SIGNATURE_HINT, NIO_ADDRESS, false, start_hint};
static const notify_function stable_function = {
    "NotifyStableUnicastIpAddressTable",
    "O|O$O:notify_stable_unicast_ip_address_table",
    stable_keywords, NIO_SIGNATURE_TABLE, NIO_ADDRESS, true, start_stable};
/* clang-format on */

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
parse(nio_state *state, const notify_function *function, PyObject *args,
      PyObject *kwargs, arguments *ret)
{
    PyObject *family = NULL;
    char **keywords = (char **)function->keywords;
    bool parsed = false;

    *ret = (arguments){.details = 1};
    switch (function->shape) {
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

/* Complete and enlisted; NULL with an exception. */
static nio_registration *
registration_new(nio_state *state, const notify_function *function,
                 const arguments *given)
{
    nio_registration *self =
        nio_registration_new(state, given->callback, given->on_error,
                             function->has_family ? given->family : -1);

    if (self == NULL) {
        return NULL;
    }
    self->bridge->function = function->name;
    self->bridge->shape = function->shape;
    self->bridge->kind = function->kind;
    self->bridge->details = given->details != 0;
    self->bridge->initial = given->initial != 0;
    if (!nio_registration_enlist(state, self)) {
        Py_CLEAR(self);
    }
    return self;
}

/* Ask the system, with the GIL released and the context complete. True when
 * the bridge is registered now; else ret_status says why it is not. */
static bool
start(const notify_function *function, nio_callback_context *bridge,
      const arguments *given, NETIO_STATUS *ret_status,
      PMIB_UNICASTIPADDRESS_TABLE *ret_table)
{
    HANDLE handle = NULL;

    PyThreadState *thread = nio_gil_release();
    *ret_status =
        function->start(bridge, given->family, given->initial ? TRUE : FALSE,
                        ret_table, &handle);
    bool registered =
        *ret_status ==
        (function->shape == NIO_SIGNATURE_TABLE ? ERROR_IO_PENDING : NO_ERROR);
    /* Before the GIL is back: a thread that is late at the interpreter's exit
     * never gets it, and the exit waits for what is published. */
    nio_cancel_publish(bridge, registered, handle);
    nio_gil_retake(thread);
    return registered;
}

/* (table, None); frees the table. Some systems give none for no rows. */
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

/* Without the GIL: a thread that ends may hold a lock that this takes. */
static bool
thread_is_known(void)
{
    bool known;
    Py_BEGIN_ALLOW_THREADS
    known = nio_thread_context_get() != NULL;
    Py_END_ALLOW_THREADS
    return known;
}

/* A Registration; of the stable table, the pair that its function returns. */
static PyObject *
notify(PyObject *module, PyObject *args, PyObject *kwargs,
       const notify_function *function)
{
    nio_state *state = nio_state_of_module(module);
    PMIB_UNICASTIPADDRESS_TABLE table = NULL;
    NETIO_STATUS status;
    arguments given;

    nio_registrations_reap(state);
    if (!parse(state, function, args, kwargs, &given)) {
        return NULL;
    }
    if (nio_system()->CancelMibChangeNotify2 == NULL) { /* never to be ended */
        return nio_raise_missing(state, "CancelMibChangeNotify2");
    }
    if (!thread_is_known()) {
        return PyErr_NoMemory();
    }
    nio_registration *self = registration_new(state, function, &given);
    if (self == NULL) {
        return NULL;
    }
    if (start(function, self->bridge, &given, &status, &table)) {
        return function->shape == NIO_SIGNATURE_TABLE
                   ? Py_BuildValue("(ON)", Py_None, self)
                   : (PyObject *)self;
    }
    nio_registration_retire(self);
    Py_DECREF(self);
    if (function->shape == NIO_SIGNATURE_TABLE && status == NO_ERROR) {
        return stable_now(state, table);
    }
    return status == ERROR_PROC_NOT_FOUND
               ? nio_raise_missing(state, function->name)
               : nio_raise(state, status, function->name);
}

#define FUNCTION(which)                                                       \
    static PyObject *which##_notify(PyObject *module, PyObject *args,         \
                                    PyObject *kwargs)                         \
    {                                                                         \
        return notify(module, args, kwargs, &which##_function);               \
    }
FUNCTION(interface)
FUNCTION(address)
FUNCTION(route)
FUNCTION(teredo)
FUNCTION(hint)
FUNCTION(stable)

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

#define METHOD(name, which)                                                   \
    {name, (PyCFunction)(void (*)(void))which##_notify,                       \
     METH_VARARGS | METH_KEYWORDS, which##_doc}

int
nio_notify_init(PyObject *module)
{
    static PyMethodDef methods[] = {
        METHOD("notify_ip_interface_change", interface),
        METHOD("notify_unicast_ip_address_change", address),
        METHOD("notify_route_change2", route),
        METHOD("notify_teredo_port_change", teredo),
        METHOD("notify_network_connectivity_hint_change", hint),
        METHOD("notify_stable_unicast_ip_address_table", stable),
        {"cancel_mib_change_notify2", cancel_mib_change_notify2, METH_O,
         cancel_doc},
        {NULL, NULL, 0, NULL},
    };
    return PyModule_AddFunctions(module, methods);
}

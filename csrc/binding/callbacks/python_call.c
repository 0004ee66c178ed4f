/* SPDX-License-Identifier: MIT */
/* One Python call for one native callback: make the arguments, call, report
 * what was raised. bridge.c sees to it that calls of one registration never
 * overlap, threads.c attached this thread to the interpreter that registered.
 * None of our locks is held while Python runs. */
#include "binding/callbacks/python_call.h"

#include "binding/callbacks/threads.h"
#include "binding/rows/row.h"
#include "binding/rows/table.h"
#include "binding/values/enums.h"
#include "binding/values/to_python.h"

/* The exception that is set goes to on_error, or to sys.unraisablehook. */
static void
report(nio_callback_context *bridge)
{
    PyObject *type, *value, *traceback, *result = NULL;

    nio_atomic_add(&bridge->errors, 1);
    if (bridge->on_error == NULL) {
        PyErr_WriteUnraisable(bridge->callback);
        return;
    }
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    if (traceback != NULL) {
        (void)PyException_SetTraceback(value, traceback);
    }
    result = PyObject_CallFunctionObjArgs(bridge->on_error, value, NULL);
    if (result == NULL) {
        PyErr_WriteUnraisable(bridge->on_error);
    }
    Py_XDECREF(result);
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
}

/* New references; *ret_second stays NULL where there is only one argument. */
static bool
arguments(nio_callback_context *bridge, const nio_call *call,
          PyObject **ret_first, PyObject **ret_second)
{
    switch (bridge->shape) {
    case NIO_SIGNATURE_ROW:
        *ret_first = call->row != NULL
                         ? nio_row_new(bridge->state, bridge->kind, call->row,
                                       bridge->details && call->details)
                         : Py_NewRef(Py_None);
        break;
    case NIO_SIGNATURE_PORT:
        *ret_first = PyLong_FromLong(call->port);
        break;
    case NIO_SIGNATURE_HINT:
        *ret_first = nio_hint_new(bridge->state, &call->hint);
        return *ret_first != NULL;
    case NIO_SIGNATURE_TABLE:
        *ret_first =
            nio_table_new(bridge->state, NIO_ADDRESS,
                          call->table != NULL ? call->table->Table : NULL,
                          call->table != NULL ? call->table->NumEntries : 0);
        return *ret_first != NULL;
    }
    if (*ret_first == NULL) {
        return false;
    }
    *ret_second = nio_enum_new(bridge->state, NIO_ENUM_NotificationType,
                               (long)call->type);
    return *ret_second != NULL;
}

/* With the GIL, as the bridge's deliverer. */
static void
run(nio_callback_context *bridge, const nio_call *call)
{
    PyObject *first = NULL, *second = NULL, *result = NULL;
    nio_thread_context *here =
        nio_thread_local_get(); /* attached: it is there */
    nio_frame frame = {here->frames, bridge};

    /* Some systems send one INITIAL for each family, and ours is told apart
     * by its type alone: a hint and a table have none. */
    if (call->type == MibInitialNotification) {
        if (!bridge->initial) {
            return;
        }
        bridge->initial = false;
    }
    here->frames = &frame;
    if (arguments(bridge, call, &first, &second)) {
        nio_atomic_add(&bridge->delivered, 1);
        result = PyObject_CallFunctionObjArgs(bridge->callback, first, second,
                                              NULL);
    }
    if (result == NULL) {
        report(bridge);
    }
    Py_XDECREF(result);
    Py_XDECREF(second); /* in the frame: destructors may cancel, too */
    Py_XDECREF(first);
    here->frames = frame.up;
}

void
nio_call_python(nio_callback_context *bridge, const nio_call *call)
{
    /* A forked child may let go of the registration in its callback. */
    PyObject *callback = Py_NewRef(bridge->callback);
    PyObject *on_error = Py_XNewRef(bridge->on_error);

    run(bridge, call);
    Py_DECREF(callback);
    Py_XDECREF(on_error);
}

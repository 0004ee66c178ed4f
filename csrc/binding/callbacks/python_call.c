/* SPDX-License-Identifier: MIT */
/* One Python call for one native callback: make the arguments, call, report
 * the exception. delivery.c has attached this thread to the interpreter of the
 * registration, and lets no two calls of one registration overlap. No lock of
 * ours is held while Python runs. */
#include "binding/callbacks/python_call.h"

#include "binding/callbacks/thread_context.h"
#include "binding/rows/row.h"
#include "binding/rows/table.h"
#include "binding/values/enums.h"
#include "binding/values/to_python.h"

/* Passes the current exception to on_error, or to sys.unraisablehook. */
static void
report(nio_callback_context *context)
{
    PyObject *type, *value, *traceback, *result = NULL;

    nio_atomic_add(&context->errors, 1);
    if (context->on_error == NULL) {
        PyErr_WriteUnraisable(context->callback);
        return;
    }
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    if (traceback != NULL) {
        (void)PyException_SetTraceback(value, traceback);
    }
    result = PyObject_CallFunctionObjArgs(context->on_error, value, NULL);
    if (result == NULL) {
        PyErr_WriteUnraisable(context->on_error);
    }
    Py_XDECREF(result);
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
}

/* Makes the arguments, as new references; *ret_second stays NULL where there
 * is only one argument. False with an exception. */
static bool
arguments(nio_callback_context *context, const nio_call *call,
          PyObject **ret_first, PyObject **ret_second)
{
    switch (context->signature) {
    case NIO_SIGNATURE_ROW:
        *ret_first =
            call->row != NULL
                ? nio_row_new(context->state, context->kind, call->row,
                              context->details && call->details ? NIO_ROW_WHOLE
                                                                : NIO_ROW_KEY)
                : Py_NewRef(Py_None);
        break;
    case NIO_SIGNATURE_PORT:
        *ret_first = PyLong_FromLong(call->port);
        break;
    case NIO_SIGNATURE_HINT:
        *ret_first = nio_hint_new(context->state, &call->hint);
        return *ret_first != NULL;
    case NIO_SIGNATURE_TABLE:
        *ret_first =
            nio_table_new(context->state, NIO_ADDRESS,
                          call->table != NULL ? call->table->Table : NULL,
                          call->table != NULL ? call->table->NumEntries : 0);
        return *ret_first != NULL;
    }
    if (*ret_first == NULL) {
        return false;
    }
    *ret_second = nio_enum_new(context->state, NIO_ENUM_NotificationType,
                               (long)call->type);
    return *ret_second != NULL;
}

static void
run(nio_callback_context *context, const nio_call *call)
{
    PyObject *first = NULL, *second = NULL, *result = NULL;
    nio_thread_context *thread = nio_thread_context_find(); /* attached */
    nio_frame frame;

    /* Windows can send one INITIAL per family; a program gets one. In the call
     * of a hint or a table `type` is 0, which is not INITIAL. */
    if (call->type == MibInitialNotification) {
        if (!context->initial) {
            return;
        }
        context->initial = false;
    }
    nio_frame_push(thread, &frame, context);
    if (arguments(context, call, &first, &second)) {
        nio_atomic_add(&context->delivered, 1);
        result = PyObject_CallFunctionObjArgs(context->callback, first, second,
                                              NULL);
    }
    if (result == NULL) {
        report(context);
    }
    Py_XDECREF(result);
    Py_XDECREF(second);
    Py_XDECREF(first);
    nio_frame_pop(thread);
}

void
nio_call_python(nio_callback_context *context, const nio_call *call)
{
    /* Elsewhere the list of live registrations keeps the Registration, which
     * owns these. But if the callback forks, it may drop the last reference
     * to the Registration in the child. */
    PyObject *callback = Py_NewRef(context->callback);
    PyObject *on_error = Py_XNewRef(context->on_error);

    run(context, call);
    Py_DECREF(callback);
    Py_XDECREF(on_error);
}

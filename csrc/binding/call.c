/* SPDX-License-Identifier: MIT */
/* One Python call for one native callback: attach this thread to the
 * interpreter that registered, make the arguments, call, report what was
 * raised. bridge.c sees to it that calls of one registration never overlap.
 *
 * Threads: the system's own (on Linux one a registration), or the registering
 * thread itself while its GIL is lent. Each keeps its Python thread state
 * from its first callback to its end: making one costs 9 us, attaching 0.2.
 * None of our locks is held while the GIL is waited for or Python runs. */
#include "binding/call.h"

/* What this thread is doing for us. */
static NIO_THREAD_LOCAL struct {
    const nio_frame *frames;
    /* Made by us, for the interpreter it serves: on Linux a thread serves one
     * registration. A system's pool of threads would need one for each. */
    PyThreadState *kept;
    PyThreadState *lent; /* of a Python thread that now calls the system */
} here;

const nio_frame *
nio_frames(void)
{
    return here.frames;
}

bool
nio_attach(nio_bridge *bridge)
{
    if (nio_atomic_load(&bridge->disabled)) {
        return false;
    }
    if (here.lent == NULL && here.kept == NULL) {
        here.kept = PyThreadState_New(bridge->interpreter);
        if (here.kept == NULL) {
            nio_atomic_add(&bridge->errors, 1);
            return false;
        }
    }
    PyThreadState *thread = here.lent != NULL ? here.lent : here.kept;
    here.lent = NULL; /* in use until nio_detach() */
    PyEval_RestoreThread(thread);
    nio_atomic_add(&bridge->batches, 1);
    return true;
}

void
nio_detach(void)
{
    PyThreadState *thread = PyEval_SaveThread();

    if (thread != here.kept) {
        here.lent = thread;
    }
}

PyThreadState *
nio_gil_release(void)
{
    here.lent = PyEval_SaveThread();
    return here.lent;
}

void
nio_gil_retake(PyThreadState *thread)
{
    here.lent = NULL;
    PyEval_RestoreThread(thread);
}

/* The exception that is set goes to on_error, or to sys.unraisablehook. */
static void
report(nio_bridge *bridge)
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
arguments(nio_bridge *bridge, const nio_call *call, PyObject **ret_first,
          PyObject **ret_second)
{
    switch (bridge->shape) {
    case NIO_SHAPE_ROW:
        *ret_first = call->row != NULL
                         ? nio_row_new(bridge->state, bridge->kind, call->row,
                                       bridge->details)
                         : Py_NewRef(Py_None);
        break;
    case NIO_SHAPE_PORT:
        *ret_first = PyLong_FromLong(call->port);
        break;
    case NIO_SHAPE_HINT:
        *ret_first = nio_hint_new(bridge->state, &call->hint);
        return *ret_first != NULL;
    case NIO_SHAPE_TABLE:
        *ret_first =
            nio_table_new(bridge->state, NIO_ADDRESS, call->table->Table,
                          call->table->NumEntries);
        return *ret_first != NULL;
    }
    if (*ret_first == NULL) {
        return false;
    }
    *ret_second =
        nio_enum_new(bridge->state, "NotificationType", (long)call->type);
    return *ret_second != NULL;
}

/* With the GIL, as the bridge's deliverer. */
static void
run(nio_bridge *bridge, const nio_call *call)
{
    PyObject *first = NULL, *second = NULL, *result = NULL;
    nio_frame frame = {here.frames, bridge};

    /* Some systems send one INITIAL for each family, and ours is told apart
     * by its type alone: a hint and a table have none. */
    if (call->type == MibInitialNotification) {
        if (!bridge->initial) {
            return;
        }
        bridge->initial = false;
    }
    here.frames = &frame;
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
    here.frames = frame.up;
}

void
nio_thread_forget(nio_bridge *bridge)
{
    nio_frame frame = {here.frames, bridge};

    /* In a forked child this is the main thread's state by now. */
    if (here.kept == NULL || nio_atomic_load(&bridge->abandoned) ||
        nio_cancel_forked(bridge)) {
        return;
    }
    here.frames = &frame; /* clearing runs destructors of thread-locals */
    PyEval_RestoreThread(here.kept);
    PyThreadState_Clear(here.kept);
    (void)PyEval_SaveThread();
    PyThreadState_Delete(here.kept);
    here.kept = NULL;
    here.frames = frame.up;
}

void
nio_call_python(nio_bridge *bridge, const nio_call *call)
{
    /* A forked child may let go of the registration in its callback. */
    PyObject *callback = Py_NewRef(bridge->callback);
    PyObject *on_error = Py_XNewRef(bridge->on_error);

    run(bridge, call);
    Py_DECREF(callback);
    Py_XDECREF(on_error);
}

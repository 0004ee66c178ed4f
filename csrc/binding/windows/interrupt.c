/* SPDX-License-Identifier: MIT */
/* Lets Ctrl-C end the waits of this module. CPython records the signal and
 * then sets an event object. CPython's own waits in the main thread, such as
 * time.sleep(), also wait for this object, and so do the waits of this module.
 * The function that returns it is not in the limited API, so it is looked up
 * by name in the DLL of this Python. With a Python that lacks the function, a
 * Ctrl-C is noticed only when the wait ends for another reason. */
#include "binding/interrupt.h"

#include "base/event.h"

#include <string.h>

static DWORD main_thread;

static bool
is_main_thread(void)
{
    return GetCurrentThreadId() == main_thread;
}

/* Stores the function that the DLL of this Python exports under this name into
 * a function pointer; NULL: it exports none. */
static void
find(const char *name, void *ret_function)
{
    HMODULE python = NULL;
    FARPROC found = NULL;
    LPCWSTR inside = NULL;
    int (*known)(void) = PyErr_CheckSignals;

    memcpy(&inside, &known, sizeof(inside));
    if (GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS |
                               GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                           inside, &python)) {
        found = GetProcAddress(python, name);
    }
    memcpy(ret_function, &found, sizeof(found));
}

/* The id of the main thread; 0 with an exception. */
static unsigned long
main_thread_of_python(void)
{
    unsigned long id = 0;
    PyObject *threading = PyImport_ImportModule("threading");
    PyObject *thread = NULL, *number = NULL;

    if (threading != NULL) {
        thread = PyObject_CallMethod(threading, "main_thread", NULL);
    }
    if (thread != NULL) {
        number = PyObject_GetAttrString(thread, "native_id");
    }
    if (number != NULL) {
        id = PyLong_AsUnsignedLong(number);
    }
    Py_XDECREF(number);
    Py_XDECREF(thread);
    Py_XDECREF(threading);
    return PyErr_Occurred() == NULL ? id : 0;
}

int
nio_interrupt_init(void)
{
    int (*is_main)(void) = NULL;
    void *(*event)(void) = NULL;

    /* Only the main interpreter handles signals. When an embedding program
     * ends it and starts another one, that one has a new event object, and
     * its import of this module calls this function again. */
    if (PyInterpreterState_GetID(PyInterpreterState_Get()) != 0) {
        return 0;
    }
    find("_PyOS_IsMainThread", &is_main);
    find("_PyOS_SigintEvent", &event);
    if (is_main == NULL || event == NULL || event() == NULL) {
        return 0;
    }
    main_thread = is_main() ? GetCurrentThreadId() : main_thread_of_python();
    if (main_thread == 0) {
        return -1;
    }
    nio_event_interrupt_by(event(), is_main_thread);
    return 0;
}

void
nio_interrupt_done(void)
{
    if (PyInterpreterState_GetID(PyInterpreterState_Get()) == 0) {
        nio_event_interrupt_by(NULL, NULL); /* CPython closes the event next */
    }
}

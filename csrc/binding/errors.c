/* SPDX-License-Identifier: MIT */
/* The one place where a Win32 code becomes a Python exception: NetioError,
 * InvalidParameterError, DeadlockError. The message names the function, the
 * system's text, the code and what to do about it. Called with the GIL. */
#include "binding/errors.h"

#include "binding/functions.h"

#include <stdarg.h>
#include <string.h>

/* Windows' notifications come from a service, by remote procedure calls. */
#define NO_SERVICE                                                            \
    "this process cannot reach the system's Network Store Interface service " \
    "(nsi): a sandbox or AppContainer forbids it, or it does not run"

/* A remedy for a code, and its errno. The errno is given by name, since on
 * Windows the errno module numbers the errors of sockets differently from the
 * C library. */
static const struct {
    DWORD code;
    const char *name;
    const char *remedy;
} remedies[] = {
    {ERROR_FILE_NOT_FOUND, "ENOENT",
     "get_ip_interface_table() lists the interfaces that there are"},
    {ERROR_ACCESS_DENIED, "EACCES",
     "the system denies it to this process: more privileges are needed, or a "
     "container or sandbox forbids it"},
    {ERROR_INVALID_HANDLE, "EBADF",
     "the registration is not live any more; register again"},
    {ERROR_NOT_ENOUGH_MEMORY, "ENOMEM",
     "the system has no memory, threads or file descriptors left; cancel "
     "registrations that are not needed, or raise the limit (ulimit -n, "
     "ulimit -u)"},
    {ERROR_NOT_READY, "EAGAIN", "try again in a moment"},
    {ERROR_GEN_FAILURE, "EIO",
     "try again; if the error persists, please report it"},
    {ERROR_NOT_SUPPORTED, "ENOSYS",
     "this system lacks IPv4 or IPv6, or it is turned off; ask for the other "
     "family"},
    {ERROR_INVALID_PARAMETER, "EINVAL",
     "check the arguments: a family is AF_UNSPEC, AF_INET or AF_INET6, and a "
     "row names its interface by index or LUID"},
    {ERROR_INVALID_NAME, "EINVAL", "no interface can have this name"},
    {ERROR_PROC_NOT_FOUND, "ENOSYS",
     "supported() answers that before the call"},
    {ERROR_POSSIBLE_DEADLOCK, "EDEADLK",
     "cancel from outside of the callback, or with wait=False"},
    {ERROR_NOT_FOUND, "ENOENT",
     "nothing has this key now; take the row from the table again"},
    {ERROR_NETWORK_UNREACHABLE, "ENETUNREACH",
     "no route leads there; get_ip_forward_table2() shows the routes"},
    {ERROR_HOST_UNREACHABLE, "EHOSTUNREACH",
     "a route forbids this destination; get_ip_forward_table2() shows them"},
    {ERROR_TIMEOUT, "ETIMEDOUT",
     "they change faster than they can be read; allow more time (timeout=), "
     "or "
     "follow them with a Watcher, whose state is exact"},
    {RPC_S_SERVER_UNAVAILABLE, "ECONNREFUSED", NO_SERVICE},
    {EPT_S_NOT_REGISTERED, "ECONNREFUSED", NO_SERVICE},
    {ERROR_INVALID_STATE, "EAGAIN",
     "the system's service for it is not ready, as early in its start; try "
     "again in a moment"},
};

static const char *
remedy_of(DWORD code, const char **ret_name)
{
    for (size_t i = 0; i < sizeof(remedies) / sizeof(remedies[0]); i++) {
        if (remedies[i].code == code) {
            *ret_name = remedies[i].name;
            return remedies[i].remedy;
        }
    }
    *ret_name = "EIO";
    return NULL;
}

/* A new reference to the errno of that name. */
static PyObject *
errno_new(const char *name)
{
    PyObject *module = PyImport_ImportModule("errno");
    PyObject *number =
        module == NULL ? NULL : PyObject_GetAttrString(module, name);

    Py_XDECREF(module);
    return number;
}

static PyObject *
message_new(const char *function, DWORD code, PyObject *detail,
            const char *remedy)
{
    char buffer[512] = "";
    if (detail != Py_None) {
        return PyUnicode_FromFormat("%s: %S (error %lu)", function, detail,
                                    (unsigned long)code);
    }
    const char *text = nio_status_text(code, buffer, sizeof(buffer));
    if (text[0] == 0) {
        text = "unknown";
    }
    size_t length = strlen(text);
    if (length > 0 && text[length - 1] == '.') {
        length--;
    }
    PyObject *decoded =
        PyUnicode_DecodeUTF8(text, (Py_ssize_t)length, "replace");
    if (decoded == NULL) {
        return NULL;
    }
    PyObject *message = PyUnicode_FromFormat(
        "%s: %U (error %lu)%s%s", function, decoded, (unsigned long)code,
        remedy != NULL ? ": " : "", remedy != NULL ? remedy : "");
    Py_DECREF(decoded);
    return message;
}

/* Calls OSError.__init__ with errno and the message. Then replaces `args`,
 * which OSError has set to these two, by the arguments of NetioError: pickle
 * and copy call the class with `args`. */
static int
error_set(PyObject *self, PyObject *args, PyObject *message,
          const char *errno_name)
{
    initproc init =
        (initproc)PyType_GetSlot((PyTypeObject *)PyExc_OSError, Py_tp_init);
    PyObject *os_args = Py_BuildValue("(NO)", errno_new(errno_name), message);
    if (os_args == NULL) {
        return -1;
    }
    int result = init(self, os_args, NULL);
    Py_DECREF(os_args);
    if (result < 0) {
        return -1;
    }
    return PyObject_SetAttrString(self, "args", args);
}

static PyObject *
args_new(unsigned long code, const char *function, PyObject *detail)
{
    return detail == Py_None ? Py_BuildValue("(ks)", code, function)
                             : Py_BuildValue("(ksO)", code, function, detail);
}

static int
error_init(PyObject *self, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"code", "function", "detail", NULL};
    unsigned long code = 0;
    const char *function = NULL;
    PyObject *detail = Py_None, *number = NULL, *name = NULL, *message = NULL;
    PyObject *given = NULL;
    PyObject *init_args = NULL;
    const char *errno_name = NULL;
    int result = -1;

    if (!PyArg_ParseTupleAndKeywords(args, keywords, "Os|O:NetioError", names,
                                     &given, &function, &detail)) {
        return -1;
    }
    /* The format for it warns of a number out of range, from 3.15 on. */
    code = PyLong_AsUnsignedLongMask(given);
    if (code == (unsigned long)-1 && PyErr_Occurred()) {
        return -1;
    }
    const char *remedy = remedy_of((DWORD)code, &errno_name);
    if ((message = message_new(function, (DWORD)code, detail, remedy)) ==
            NULL ||
        (init_args = args_new(code, function, detail)) == NULL ||
        (number = PyLong_FromUnsignedLong(code)) == NULL ||
        (name = PyUnicode_FromString(function)) == NULL) {
        goto done;
    }
    if (error_set(self, init_args, message, errno_name) < 0 ||
        PyObject_SetAttrString(self, "code", number) < 0 ||
        PyObject_SetAttrString(self, "function", name) < 0) {
        goto done;
    }
    result = 0;
done:
    Py_XDECREF(message);
    Py_XDECREF(init_args);
    Py_XDECREF(number);
    Py_XDECREF(name);
    return result;
}

static PyObject *
error_str(PyObject *self)
{
    PyObject *message = PyObject_GetAttrString(self, "strerror");
    if (message != NULL && !PyUnicode_Check(message)) {
        nio_replace(&message, PyObject_Str(message));
    }
    return message;
}

static int
error_traverse(PyObject *self, visitproc visit, void *arg)
{
    traverseproc traverse = (traverseproc)PyType_GetSlot(
        (PyTypeObject *)PyExc_OSError, Py_tp_traverse);
    Py_VISIT(Py_TYPE(self));
    return traverse(self, visit, arg);
}

static int
error_clear(PyObject *self)
{
    inquiry clear =
        (inquiry)PyType_GetSlot((PyTypeObject *)PyExc_OSError, Py_tp_clear);
    return clear(self);
}

PyDoc_STRVAR(
    error_doc,
    "NetioError(code, function, detail=None)\n--\n\n"
    "A function of the system failed.\n\n"
    "code: the Win32 error number, on every system (8: not enough memory).\n"
    "function: the name of the function that failed, as in netioapi.h.\n"
    "detail: the text of the message, or None (the default) for the\n"
    "system's text.\n"
    "errno is the nearest number of the errno module; strerror and str() are\n"
    "the message, which names a remedy.\n"
    "Source: NETIO_STATUS; the kernel's errno, translated.");

PyDoc_STRVAR(
    invalid_doc,
    "InvalidParameterError(code, function, detail=None)\n--\n\n"
    "An argument is invalid: code 87, ERROR_INVALID_PARAMETER. Also a\n"
    "ValueError.\n\n"
    "Source: ERROR_INVALID_PARAMETER; EINVAL.");

PyDoc_STRVAR(
    deadlock_doc,
    "A cancellation would wait for the callback that it is called from, or "
    "for\n"
    "a callback that waits for that one. Cancel with wait=False, or outside "
    "of\n"
    "callbacks.\n\n"
    "Source: the remarks on CancelMibChangeNotify2;\n"
    "ERROR_POSSIBLE_DEADLOCK (1131).");

static PyType_Slot error_slots[] = {
    {Py_tp_doc, (void *)error_doc}, {Py_tp_init, error_init},
    {Py_tp_str, error_str},         {Py_tp_traverse, error_traverse},
    {Py_tp_clear, error_clear},     {0, NULL},
};

static PyType_Spec error_spec = {
    .name = "netioapi.NetioError",
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = error_slots,
};

static PyType_Slot invalid_slots[] = {
    {Py_tp_doc, (void *)invalid_doc},
    {0, NULL},
};

static PyType_Spec invalid_spec = {
    .name = "netioapi.InvalidParameterError",
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = invalid_slots,
};

int
nio_errors_init(PyObject *module, nio_state *state)
{
    state->NetioError =
        PyType_FromModuleAndSpec(module, &error_spec, PyExc_OSError);
    if (state->NetioError == NULL) {
        return -1;
    }
    PyObject *bases = PyTuple_Pack(2, state->NetioError, PyExc_ValueError);
    if (bases == NULL) {
        return -1;
    }
    state->InvalidParameterError =
        PyType_FromModuleAndSpec(module, &invalid_spec, bases);
    Py_DECREF(bases);
    if (state->InvalidParameterError == NULL) {
        return -1;
    }
    state->DeadlockError = PyErr_NewExceptionWithDoc(
        "netioapi.DeadlockError", deadlock_doc, PyExc_RuntimeError, NULL);
    if (state->DeadlockError == NULL) {
        return -1;
    }
    if (PyModule_AddObjectRef(module, "NetioError", state->NetioError) < 0 ||
        PyModule_AddObjectRef(module, "InvalidParameterError",
                              state->InvalidParameterError) < 0) {
        return -1;
    }
    return PyModule_AddObjectRef(module, "DeadlockError",
                                 state->DeadlockError);
}

static PyObject *
raise_with(PyObject *type, DWORD code, const char *function, PyObject *detail)
{
    PyObject *error = PyObject_CallFunction(type, "ksO", (unsigned long)code,
                                            function, detail);
    if (error != NULL) {
        PyErr_SetObject(type, error);
        Py_DECREF(error);
    }
    return NULL;
}

PyObject *
nio_raise(nio_state *state, DWORD code, const char *function)
{
    if (code == ERROR_POSSIBLE_DEADLOCK) {
        const char *unused;
        PyErr_Format(state->DeadlockError, "%s: %s (error %lu)", function,
                     remedy_of(code, &unused), (unsigned long)code);
        return NULL;
    }
    PyObject *type = code == ERROR_INVALID_PARAMETER
                         ? state->InvalidParameterError
                         : state->NetioError;
    return raise_with(type, code, function, Py_None);
}

PyObject *
nio_raise_detail(nio_state *state, DWORD code, const char *function,
                 const char *text)
{
    PyObject *detail = PyUnicode_FromString(text);
    if (detail != NULL) {
        raise_with(state->NetioError, code, function, detail);
        Py_DECREF(detail);
    }
    return NULL;
}

PyObject *
nio_raise_invalid(nio_state *state, const char *function, const char *format,
                  ...)
{
    va_list arguments;
    va_start(arguments, format);
    PyObject *detail = PyUnicode_FromFormatV(format, arguments);
    va_end(arguments);
    if (detail == NULL) {
        return NULL;
    }
    raise_with(state->InvalidParameterError, ERROR_INVALID_PARAMETER, function,
               detail);
    Py_DECREF(detail);
    return NULL;
}

PyObject *
nio_raise_overflow_as_value(void)
{
    PyObject *type = NULL, *value = NULL, *traceback = NULL;
    if (PyErr_Occurred() != NULL &&
        PyErr_ExceptionMatches(PyExc_OverflowError)) {
        PyErr_Fetch(&type, &value, &traceback);
        PyErr_NormalizeException(&type, &value, &traceback);
        PyObject *text = value != NULL ? PyObject_Str(value) : NULL;
        if (text != NULL) {
            PyErr_SetObject(PyExc_ValueError, text);
        }
        Py_XDECREF(text);
        Py_XDECREF(type);
        Py_XDECREF(value);
        Py_XDECREF(traceback);
    }
    return NULL;
}

PyObject *
nio_raise_missing(nio_state *state, const char *function)
{
    PyObject *detail = PyUnicode_FromFormat(
        "this system lacks the function, which needs %s; supported(\"%s\") "
        "answers that before the call",
        nio_function_since(function), function);
    if (detail == NULL) {
        return NULL;
    }
    raise_with(state->NetioError, ERROR_PROC_NOT_FOUND, function, detail);
    Py_DECREF(detail);
    return NULL;
}

/* SPDX-License-Identifier: MIT */
/* The one table of the functions of netioapi.h, and supported(). */
#include "binding/functions.h"

#include <stddef.h>
#include <string.h>

#define ROW(name, parameters, since)                                          \
    {#name, since, offsetof(nio_functions, name)},
static const struct {
    const char *name;
    const char *since;
    size_t offset;
} table[] = {NIO_FUNCTIONS(ROW){"FreeMibTable", "Windows Vista",
                                offsetof(nio_functions, FreeMibTable)}};
#undef ROW

enum { COUNT = sizeof(table) / sizeof(table[0]) };

const nio_kind_functions nio_functions_of_kind[NIO_KINDS] = {
    [NIO_INTERFACE] = {"NotifyIpInterfaceChange", "GetIpInterfaceTable",
                       "GetIpInterfaceEntry"},
    [NIO_ADDRESS] = {"NotifyUnicastIpAddressChange",
                     "GetUnicastIpAddressTable", "GetUnicastIpAddressEntry"},
    [NIO_ROUTE] = {"NotifyRouteChange2", "GetIpForwardTable2",
                   "GetIpForwardEntry2"},
};

/* True also when `asked` is the header's name in snake_case. */
static bool
is_same_name(const char *header, const char *asked)
{
    if (strcmp(header, asked) == 0) {
        return true;
    }
    for (bool first = true; *header != 0; header++, first = false) {
        bool upper = *header >= 'A' && *header <= 'Z';
        if (upper && !first && *asked++ != '_') {
            return false;
        }
        if (*asked++ != (upper ? *header - 'A' + 'a' : *header)) {
            return false;
        }
    }
    return *asked == 0;
}

bool
nio_is_supported(const char *asked)
{
    for (size_t i = 0; i < COUNT; i++) {
        if (is_same_name(table[i].name, asked)) {
            VOID(NETIOAPI_API_ * function)(PVOID);
            memcpy(&function, (const char *)nio_system() + table[i].offset,
                   sizeof(function));
            return function != NULL;
        }
    }
    return false;
}

const char *
nio_function_since(const char *name)
{
    for (size_t i = 0; i < COUNT; i++) {
        if (strcmp(table[i].name, name) == 0) {
            return table[i].since;
        }
    }
    return "a newer system";
}

PyDoc_STRVAR(
    supported_doc,
    "supported($module, function_name, /)\n--\n\n"
    "Does this system have this function?\n\n"
    "function_name: the name in netioapi.h or in Python:\n"
    "\"GetBestRoute2\" or \"get_best_route2\".\n"
    "Returns: a bool. False for a name that netioapi does not know, "
    "so that a\n"
    "program may ask for a function of a later release.\n"
    "Raises: TypeError when the name is not a str.\n"
    "Source: the functions of netioapi.h. A Windows that lacks one is older "
    "than\n"
    "the function.");

static PyObject *
supported(PyObject *Py_UNUSED(module), PyObject *name)
{
    if (!PyUnicode_Check(name)) {
        PyErr_Format(PyExc_TypeError, "supported() takes a str, not %R",
                     (PyObject *)Py_TYPE(name));
        return NULL;
    }
    PyObject *ascii = PyUnicode_AsEncodedString(name, "ascii", "replace");
    if (ascii == NULL) {
        return NULL;
    }
    bool known = nio_is_supported(PyBytes_AsString(ascii));
    Py_DECREF(ascii);
    return PyBool_FromLong(known);
}

static PyMethodDef methods[] = {
    {"supported", supported, METH_O, supported_doc},
    {NULL, NULL, 0, NULL},
};

int
nio_functions_init(PyObject *module)
{
    return PyModule_AddFunctions(module, methods);
}

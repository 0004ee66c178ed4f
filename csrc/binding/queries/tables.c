/* SPDX-License-Identifier: MIT */
/* The functions that read whole rows once: tables and entries. The GIL is
 * released around each call of the system, which can take long; nothing of
 * Python is touched meanwhile. */
#include "binding/queries/tables.h"

#include "base/system_rows.h"
#include "binding/errors.h"
#include "binding/functions.h"
#include "binding/rows/row.h"
#include "binding/rows/table.h"
#include "binding/values/from_python.h"

#include <string.h>

/* ---- tables */

/* `format` ends in the name of the Python function, as for PyArg_Parse. */
static PyObject *
get_table(PyObject *module, PyObject *args, PyObject *keywords,
          const char *format, nio_kind kind)
{
    static char *names[] = {"family", NULL};
    nio_state *state = nio_state_of_module(module);
    PyObject *object = NULL;
    ADDRESS_FAMILY family = AF_UNSPEC;
    PVOID memory;
    const void *rows;
    size_t count;
    NETIO_STATUS status;

    if (!PyArg_ParseTupleAndKeywords(args, keywords, format, names, &object)) {
        return NULL;
    }
    if (object != NULL &&
        !nio_family_from(state, object, nio_functions_of_kind[kind].get_table,
                         &family)) {
        return NULL;
    }
    if (!nio_is_supported(nio_functions_of_kind[kind].get_table)) {
        return nio_raise_missing(state, nio_functions_of_kind[kind].get_table);
    }
    Py_BEGIN_ALLOW_THREADS
    status =
        nio_read_table(nio_system(), kind, family, &memory, &rows, &count);
    Py_END_ALLOW_THREADS
    if (status != NO_ERROR) {
        return nio_raise(state, status, nio_functions_of_kind[kind].get_table);
    }
    return memory == NULL ? nio_table_new(state, kind, NULL, 0)
                          : nio_table_adopt(state, kind, memory, rows, count);
}

#define TABLE_DOC(name, rows, header, netlink)                                \
    name "($module, /, family=0)\n--\n\n"                                     \
         "The " rows " of this machine now, as a Table.\n\n"                  \
         "family: socket.AF_INET, AF_INET6, or AF_UNSPEC (0, the default) "   \
         "for\n"                                                              \
         "both. On Linux the tables are those of the calling thread's "       \
         "network\n"                                                          \
         "namespace.\n"                                                       \
         "Returns: a Table, which is empty where there is none.\n"            \
         "Raises: InvalidParameterError for another family, TypeError,\n"     \
         "NetioError.\n"                                                      \
         "Source: " header "; " netlink "."

PyDoc_STRVAR(get_ip_forward_table2_doc,
             TABLE_DOC("get_ip_forward_table2", "routes (IpForwardRow)",
                       "GetIpForwardTable2", "RTM_GETROUTE"));
PyDoc_STRVAR(get_unicast_ip_address_table_doc,
             TABLE_DOC("get_unicast_ip_address_table",
                       "addresses (UnicastIpAddressRow)",
                       "GetUnicastIpAddressTable", "RTM_GETADDR"));
PyDoc_STRVAR(get_ip_interface_table_doc,
             TABLE_DOC("get_ip_interface_table", "interfaces (IpInterfaceRow)",
                       "GetIpInterfaceTable", "RTM_GETLINK"));

static PyObject *
get_ip_forward_table2(PyObject *module, PyObject *args, PyObject *keywords)
{
    return get_table(module, args, keywords, "|O:get_ip_forward_table2",
                     NIO_ROUTE);
}

static PyObject *
get_unicast_ip_address_table(PyObject *module, PyObject *args,
                             PyObject *keywords)
{
    return get_table(module, args, keywords, "|O:get_unicast_ip_address_table",
                     NIO_ADDRESS);
}

static PyObject *
get_ip_interface_table(PyObject *module, PyObject *args, PyObject *keywords)
{
    return get_table(module, args, keywords, "|O:get_ip_interface_table",
                     NIO_INTERFACE);
}

/* ---- entries */

static PyObject *
get_entry(PyObject *module, PyObject *object, nio_kind kind,
          const char *function)
{
    nio_state *state = nio_state_of_module(module);
    nio_any_row row;
    NETIO_STATUS status;

    const void *key = nio_row_data(state, kind, object, function);
    if (key == NULL) {
        return NULL;
    }
    if (!nio_is_supported(nio_functions_of_kind[kind].get_entry)) {
        return nio_raise_missing(state, nio_functions_of_kind[kind].get_entry);
    }
    memcpy(&row, key, nio_row_size(kind));
    Py_BEGIN_ALLOW_THREADS
    status = nio_read_entry(nio_system(), kind, &row);
    Py_END_ALLOW_THREADS
    if (status != NO_ERROR) {
        return nio_raise(state, status, nio_functions_of_kind[kind].get_entry);
    }
    return nio_row_new(state, kind, &row, true);
}

#define ENTRY_DOC(name, what, type, header, netlink)                          \
    name "($module, row, /)\n--\n\n"                                          \
         "The present state of " what ".\n\n"                                 \
         "row: an " type " from anywhere, or one made by hand of the\n"       \
         "key members.\n"                                                     \
         "Returns: a new, full row.\n"                                        \
         "Raises: NetioError with code 1168 (ERROR_NOT_FOUND) when it is "    \
         "not\n"                                                              \
         "there, code 2 (ERROR_FILE_NOT_FOUND) for an unknown interface;\n"   \
         "InvalidParameterError, TypeError.\n"                                \
         "Source: " header "; " netlink "."

PyDoc_STRVAR(get_ip_forward_entry2_doc,
             ENTRY_DOC("get_ip_forward_entry2", "one route", "IpForwardRow",
                       "GetIpForwardEntry2", "RTM_GETROUTE"));
PyDoc_STRVAR(get_unicast_ip_address_entry_doc,
             ENTRY_DOC("get_unicast_ip_address_entry", "one address",
                       "UnicastIpAddressRow", "GetUnicastIpAddressEntry",
                       "RTM_GETADDR"));
PyDoc_STRVAR(get_ip_interface_entry_doc,
             ENTRY_DOC("get_ip_interface_entry", "one interface in one family",
                       "IpInterfaceRow", "GetIpInterfaceEntry",
                       "RTM_GETLINK"));

static PyObject *
get_ip_forward_entry2(PyObject *module, PyObject *row)
{
    return get_entry(module, row, NIO_ROUTE, "get_ip_forward_entry2");
}

static PyObject *
get_unicast_ip_address_entry(PyObject *module, PyObject *row)
{
    return get_entry(module, row, NIO_ADDRESS, "get_unicast_ip_address_entry");
}

static PyObject *
get_ip_interface_entry(PyObject *module, PyObject *row)
{
    return get_entry(module, row, NIO_INTERFACE, "get_ip_interface_entry");
}

#define WITH_KEYWORDS(name)                                                   \
    {#name, (PyCFunction)(void (*)(void))name, METH_VARARGS | METH_KEYWORDS,  \
     name##_doc}
#define WITH_ONE(name) {#name, name, METH_O, name##_doc}

static PyMethodDef functions[] = {
    WITH_KEYWORDS(get_ip_forward_table2),
    WITH_KEYWORDS(get_unicast_ip_address_table),
    WITH_KEYWORDS(get_ip_interface_table),
    WITH_ONE(get_ip_forward_entry2),
    WITH_ONE(get_unicast_ip_address_entry),
    WITH_ONE(get_ip_interface_entry),
    {NULL, NULL, 0, NULL},
};

int
nio_tables_init(PyObject *module)
{
    return PyModule_AddFunctions(module, functions);
}

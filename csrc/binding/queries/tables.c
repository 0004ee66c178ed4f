/* SPDX-License-Identifier: MIT */
/* The functions that read whole rows once: a table, or one entry. The GIL is
 * released around each call of the system, which can take long. */
#include "binding/queries/tables.h"

#include "base/extra.h"
#include "base/system_rows.h"
#include "binding/errors.h"
#include "binding/functions.h"
#include "binding/rows/row.h"
#include "binding/rows/table.h"
#include "binding/values/from_python.h"

#include <string.h>

/* The functions for each kind of rows. Their names in netioapi.h are in
 * nio_functions_of_kind. */
#define KINDS(X)                                                              \
    X(NIO_ROUTE, get_ip_forward_table2, get_ip_forward_entry2)                \
    X(NIO_ADDRESS, get_unicast_ip_address_table,                              \
      get_unicast_ip_address_entry)                                           \
    X(NIO_INTERFACE, get_ip_interface_table, get_ip_interface_entry)

/* ---- tables */

/* `format` is that of PyArg_ParseTupleAndKeywords, with the Python name. */
static PyObject *
get_table(PyObject *module, PyObject *args, PyObject *keywords,
          const char *format, nio_kind kind)
{
    static char *names[] = {"family", NULL};
    const char *const function = nio_functions_of_kind[kind].get_table;
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
    if (object != NULL && !nio_family_from(state, object, function, &family)) {
        return NULL;
    }
    if (!nio_is_supported(function)) {
        return nio_raise_missing(state, function);
    }
    Py_BEGIN_ALLOW_THREADS
    status =
        nio_read_table(nio_system(), kind, family, &memory, &rows, &count);
    Py_END_ALLOW_THREADS
    if (status != NO_ERROR) {
        return nio_raise(state, status, function);
    }
    return memory == NULL ? nio_table_new(state, kind, NULL, 0)
                          : nio_table_adopt(state, kind, memory, rows, count);
}

#define TABLE_DOC(name, rows, header, netlink)                                \
    name "($module, /, family=0)\n--\n\n"                                     \
         "The " rows " of this machine now, as a Table.\n\n"                  \
         "family: socket.AF_INET, AF_INET6, or AF_UNSPEC (0, the default)\n"  \
         "for both. On Linux the tables are those of the calling thread's\n"  \
         "network namespace.\n"                                               \
         "Returns: a Table; it is empty where there are no such rows.\n"      \
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

/* ---- entries */

static PyObject *
get_entry(PyObject *module, PyObject *object, nio_kind kind,
          const char *python_name)
{
    const char *const function = nio_functions_of_kind[kind].get_entry;
    nio_state *state = nio_state_of_module(module);
    nio_any_row row;
    NETIO_STATUS status;

    const void *key = nio_row_data(state, kind, object, python_name);
    if (key == NULL) {
        return NULL;
    }
    if (!nio_is_supported(function)) {
        return nio_raise_missing(state, function);
    }
    memcpy(&row, key, nio_row_size(kind));
    Py_BEGIN_ALLOW_THREADS
    status = nio_read_entry(nio_system(), kind, &row);
    Py_END_ALLOW_THREADS
    if (status != NO_ERROR) {
        return nio_raise(state, status, function);
    }
    PyObject *result = nio_row_new(state, kind, &row, NIO_ROW_WHOLE);
    nio_extra_drop(nio_extra_of(kind, &row)); /* the result has its own */
    return result;
}

#define ENTRY_DOC(name, what, type, header, netlink)                          \
    name "($module, row, /)\n--\n\n"                                          \
         "The present state of " what ".\n\n"                                 \
         "row: of type " type                                                 \
         ", from a table or a callback, or made of its\n"                     \
         "key members.\n"                                                     \
         "Returns: a new, full row.\n"                                        \
         "Raises: NetioError with code 1168 (ERROR_NOT_FOUND) where no row\n" \
         "has this key, code 2 (ERROR_FILE_NOT_FOUND) for an unknown\n"       \
         "interface; InvalidParameterError, TypeError.\n"                     \
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

/* ---- the methods */
#define DEFINE(kind, get_table_name, get_entry_name)                          \
    static PyObject *get_table_name(PyObject *module, PyObject *args,         \
                                    PyObject *keywords)                       \
    {                                                                         \
        return get_table(module, args, keywords, "|O:" #get_table_name,       \
                         kind);                                               \
    }                                                                         \
    static PyObject *get_entry_name(PyObject *module, PyObject *row)          \
    {                                                                         \
        return get_entry(module, row, kind, #get_entry_name);                 \
    }
KINDS(DEFINE)

#define METHODS(kind, get_table_name, get_entry_name)                         \
    {#get_table_name, (PyCFunction)(void (*)(void))get_table_name,            \
     METH_VARARGS | METH_KEYWORDS, get_table_name##_doc},                     \
        {#get_entry_name, get_entry_name, METH_O, get_entry_name##_doc},

static PyMethodDef methods[] = {KINDS(METHODS){NULL, NULL, 0, NULL}};

int
nio_tables_init(PyObject *module)
{
    return PyModule_AddFunctions(module, methods);
}

/* SPDX-License-Identifier: MIT */
/* The functions that read whole rows once: a table, or one entry. The GIL is
 * released around each call of the system, which can take long. */
#include "binding/queries/tables.h"

#include "base/extra.h"
#include "base/system_rows.h"
#include "binding/errors.h"
#include "binding/functions.h"
#include "binding/queries/limited.h"
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

/* As nio_read_table, within the limit. */
static NETIO_STATUS
read_table(nio_kind kind, ADDRESS_FAMILY family, const nio_read_limit *limit,
           PVOID *ret_memory, const void **ret_rows, size_t *ret_count)
{
    PMIB_IPFORWARD_TABLE2 routes = NULL;
    if (kind != NIO_ROUTE) {
        return nio_read_table(nio_system(), kind, family, ret_memory, ret_rows,
                              ret_count);
    }
    NETIO_STATUS status = nio_get_route_table(family, limit, &routes);
    if (status == ERROR_NOT_FOUND) {
        return NO_ERROR; /* an empty table is no failure */
    }
    if (status == NO_ERROR && routes != NULL) {
        *ret_memory = routes;
        *ret_rows = routes->Table;
        *ret_count = routes->NumEntries;
    }
    return status;
}

static PyObject *
get_table(nio_state *state, PyObject *object, uint64_t timeout_ns,
          nio_kind kind)
{
    const char *const function = nio_functions_of_kind[kind].get_table;
    ADDRESS_FAMILY family = AF_UNSPEC;
    nio_limited limited;
    PVOID memory = NULL;
    const void *rows = NULL;
    size_t count = 0;
    NETIO_STATUS status;

    if (object != NULL && !nio_family_from(state, object, function, &family)) {
        return NULL;
    }
    if (!nio_is_supported(function)) {
        return nio_raise_missing(state, function);
    }
    nio_limited_begin(&limited, timeout_ns);
    status = read_table(kind, family, &limited.limit, &memory, &rows, &count);
    nio_limited_end(&limited);
    if (status != NO_ERROR) {
        return nio_limited_raise(state, status, function);
    }
    return memory == NULL ? nio_table_new(state, kind, NULL, 0)
                          : nio_table_adopt(state, kind, memory, rows, count);
}

/* `format` is that of PyArg_ParseTupleAndKeywords, with the Python name. */
static PyObject *
get_small_table(PyObject *module, PyObject *args, PyObject *keywords,
                const char *format, nio_kind kind)
{
    static char *names[] = {"family", NULL};
    PyObject *family = NULL;

    if (!PyArg_ParseTupleAndKeywords(args, keywords, format, names, &family)) {
        return NULL;
    }
    return get_table(nio_state_of_module(module), family, NIO_READ_TIMEOUT_NS,
                     kind);
}

static PyObject *
get_ip_forward_table2(PyObject *module, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"family", "timeout", NULL};
    PyObject *family = NULL, *timeout = NULL;
    uint64_t timeout_ns = NIO_READ_TIMEOUT_NS;

    if (!PyArg_ParseTupleAndKeywords(args, keywords,
                                     "|O$O:get_ip_forward_table2", names,
                                     &family, &timeout)) {
        return NULL;
    }
    if (timeout != NULL && !nio_timeout_from(timeout, &timeout_ns)) {
        return NULL;
    }
    return get_table(nio_state_of_module(module), family, timeout_ns,
                     NIO_ROUTE);
}

#define FAMILY_DOC                                                            \
    "family: socket.AF_INET, AF_INET6, or AF_UNSPEC (0, the default)\n"       \
    "for both. On Linux the tables are those of the calling thread's\n"       \
    "network namespace.\n"
#define TABLE_DOC(name, rows, header, netlink)                                \
    name "($module, /, family=0)\n--\n\n"                                     \
         "The " rows " of this machine now, as a Table.\n\n" FAMILY_DOC       \
         "Returns: a Table; it is empty where there are no such rows.\n"      \
         "Raises: InvalidParameterError for another family, TypeError,\n"     \
         "NetioError.\n"                                                      \
         "Source: " header "; " netlink "."

PyDoc_STRVAR(
    get_ip_forward_table2_doc,
    "get_ip_forward_table2($module, /, family=0, *, timeout=10.0)\n--\n\n"
    "The routes (IpForwardRow) of this machine now, as a Table.\n\n" FAMILY_DOC
    "timeout: seconds that the call may take, or None for any time. Linux\n"
    "must read a large table again, in part or as a whole, where routes\n"
    "change meanwhile. On Windows the system takes the time that it needs.\n"
    "Returns: a Table; it is empty where there are no routes. Every route\n"
    "that was there during the whole call is in it; one that was added or\n"
    "deleted during the call may be. Linux ends a table, without an error,\n"
    "at a route of more than 1,150 (IPv6) or 2,000 (IPv4) legs: that route\n"
    "and those behind it are missing. A Watcher that knew them keeps them.\n"
    "Raises: NetioError with code 1460 (ERROR_TIMEOUT) where the time has\n"
    "passed: a Watcher follows such a table, and its state is exact.\n"
    "InvalidParameterError for another family; TypeError, ValueError. What\n"
    "a signal handler raises (Ctrl-C) ends the call.\n"
    "Source: GetIpForwardTable2; RTM_GETROUTE.");
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
    nio_limited limited;
    NETIO_STATUS status;

    const void *key = nio_row_data(state, kind, object, python_name);
    if (key == NULL) {
        return NULL;
    }
    if (!nio_is_supported(function)) {
        return nio_raise_missing(state, function);
    }
    memcpy(&row, key, nio_row_size(kind));
    nio_limited_begin(&limited, NIO_READ_TIMEOUT_NS);
    status = kind == NIO_ROUTE
                 ? nio_get_route_entry(&row.route, &limited.limit)
                 : nio_read_entry(nio_system(), kind, &row);
    nio_limited_end(&limited);
    if (status != NO_ERROR) {
        return nio_limited_raise(state, status, function);
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
         "interface; InvalidParameterError, TypeError. On Linux code 1460\n"  \
         "(ERROR_TIMEOUT) after 10 seconds, where the table changes faster\n" \
         "than it can be read.\n"                                             \
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
#define DEFINE_TABLE(kind, name)                                              \
    static PyObject *name(PyObject *module, PyObject *args,                   \
                          PyObject *keywords)                                 \
    {                                                                         \
        return get_small_table(module, args, keywords, "|O:" #name, kind);    \
    }
DEFINE_TABLE(NIO_ADDRESS, get_unicast_ip_address_table)
DEFINE_TABLE(NIO_INTERFACE, get_ip_interface_table)

#define DEFINE_ENTRY(kind, get_table_name, name)                              \
    static PyObject *name(PyObject *module, PyObject *row)                    \
    {                                                                         \
        return get_entry(module, row, kind, #name);                           \
    }
KINDS(DEFINE_ENTRY)

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

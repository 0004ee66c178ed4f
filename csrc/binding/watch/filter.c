/* SPDX-License-Identifier: MIT */
/* Turns the filter parameters of a Watcher into a nio_filter. The package
 * (netioapi/watcher/parameters.py) has checked and normalised what the program
 * passed. This file checks families and interfaces, which only the system
 * knows, and the bounds of the native types. Names of interfaces are looked up
 * by the tower, again and again. */
#include "binding/watch/filter.h"

#include "binding/values/from_python.h"
#include "binding/values/interface_from.h"

#include <stdlib.h>
#include <string.h>

/* Converts one element of a sequence to a number of the system. */
typedef bool (*number_from)(nio_state *state, PyObject *object,
                            ULONG *ret_number);

static bool
ulong_from(nio_state *state, PyObject *object, ULONG *ret_number)
{
    (void)state;
    unsigned long number = PyLong_AsUnsignedLong(object);
    if (PyErr_Occurred() != NULL) {
        return false;
    }
    if (number > 0xffffffffu) {
        PyErr_Format(PyExc_ValueError, "%lu is more than 4294967295", number);
        return false;
    }
    *ret_number = (ULONG)number;
    return true;
}

/* None leaves both results as they are. The caller owns the array, even after
 * a failure. */
static bool
numbers_from(nio_state *state, PyObject *sequence, number_from convert,
             ULONG **ret_numbers, size_t *ret_count)
{
    if (sequence == Py_None) {
        return true;
    }
    Py_ssize_t count = PySequence_Size(sequence);
    if (count < 0) {
        return false;
    }
    *ret_numbers = calloc((size_t)count + 1, sizeof(**ret_numbers));
    if (*ret_numbers == NULL) {
        PyErr_NoMemory();
        return false;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = PySequence_GetItem(sequence, i);
        bool good = item != NULL && convert(state, item, *ret_numbers + i);
        Py_XDECREF(item);
        if (!good) {
            return false;
        }
    }
    *ret_count = (size_t)count;
    return true;
}

/* ---- interfaces */

/* Appends a name with its NUL. */
static bool
append_name(nio_state *state, PyObject *object, nio_watch_filter *ret)
{
    nio_filter *filter = &ret->filter;
    Py_ssize_t length = 0;
    wchar_t *name = PyUnicode_AsWideCharString(object, &length);
    if (name == NULL) {
        return false;
    }
    const size_t size = (size_t)length + 1;
    WCHAR *names = NULL;
    if (nio_name_is_possible(state, object, name, (size_t)length, "Watcher")) {
        names =
            realloc(ret->names, (filter->name_size + size) * sizeof(*names));
        if (names == NULL) {
            PyErr_NoMemory();
        }
    }
    if (names != NULL) {
        memcpy(names + filter->name_size, name, size * sizeof(*names));
        ret->names = names;
        filter->name_size += size;
        filter->name_count++;
    }
    PyMem_Free(name);
    return names != NULL;
}

/* An index or a LUID is of an interface that exists; a name need not be. */
static bool
interfaces_from(nio_state *state, PyObject *sequence, nio_watch_filter *ret)
{
    nio_filter *filter = &ret->filter;
    bool good = true;
    if (sequence == Py_None) {
        return true;
    }
    Py_ssize_t count = PySequence_Size(sequence);
    if (count < 0) {
        return false;
    }
    ret->interfaces = calloc((size_t)count + 1, sizeof(*ret->interfaces));
    if (ret->interfaces == NULL) {
        PyErr_NoMemory();
        return false;
    }
    for (Py_ssize_t i = 0; good && i < count; i++) {
        PyObject *item = PySequence_GetItem(sequence, i);
        NET_IFINDEX index = 0;
        if (item == NULL) {
            return false;
        }
        if (PyUnicode_Check(item)) {
            good = append_name(state, item, ret);
        } else {
            good = nio_interface_from(state, item, "Watcher", &index);
            ret->interfaces[filter->interface_count] = index;
            filter->interface_count += good;
        }
        Py_DECREF(item);
    }
    return good;
}

/* ---- prefixes */

static bool
prefix_from(PyObject *tuple, nio_prefix *ret_prefix)
{
    int version = 0;
    unsigned char length = 0;
    PyObject *packed = NULL; /* borrowed from the tuple */
    if (!PyTuple_Check(tuple)) {
        PyErr_Format(PyExc_TypeError,
                     "%R is not (version, length, packed address)", tuple);
        return false;
    }
    if (!PyArg_ParseTuple(tuple, "ibS", &version, &length, &packed)) {
        return false;
    }
    Py_ssize_t size = PyBytes_Size(packed);
    Py_ssize_t expected = version == 4 ? 4 : version == 6 ? 16 : -1;
    if (size != expected || length > size * 8) {
        PyErr_SetString(PyExc_ValueError, "a prefix is (4 or 6, length, "
                                          "packed address)");
        return false;
    }
    ret_prefix->family = version == 4 ? AF_INET : AF_INET6;
    ret_prefix->length = length;
    memcpy(ret_prefix->address, PyBytes_AsString(packed), (size_t)size);
    return true;
}

static bool
prefixes_from(PyObject *sequence, nio_prefix **ret_prefixes, size_t *ret_count)
{
    if (sequence == Py_None) {
        return true;
    }
    Py_ssize_t count = PySequence_Size(sequence);
    if (count < 0) {
        return false;
    }
    *ret_prefixes = calloc((size_t)count + 1, sizeof(**ret_prefixes));
    if (*ret_prefixes == NULL) {
        PyErr_NoMemory();
        return false;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = PySequence_GetItem(sequence, i);
        bool good = item != NULL && prefix_from(item, *ret_prefixes + i);
        Py_XDECREF(item);
        if (!good) {
            return false;
        }
    }
    *ret_count = (size_t)count;
    return true;
}

static bool
match_from(unsigned number, nio_prefix_match *ret_match)
{
    if (number > NIO_COVERING) {
        PyErr_Format(PyExc_ValueError, "prefix_match is 0 to 2, not %u",
                     number);
        return false;
    }
    *ret_match = (nio_prefix_match)number;
    return true;
}

bool
nio_watch_filter_from(nio_state *state, const nio_filter_arguments *arguments,
                      nio_watch_filter *ret)
{
    nio_filter *filter = &ret->filter;
    bool good = nio_family_from(state, arguments->family, "Watcher",
                                &filter->family) &&
                numbers_from(state, arguments->tables, ulong_from,
                             &ret->tables, &filter->table_count) &&
                interfaces_from(state, arguments->interfaces, ret) &&
                numbers_from(state, arguments->protocols, ulong_from,
                             &ret->protocols, &filter->protocol_count) &&
                prefixes_from(arguments->prefixes, &ret->prefixes,
                              &filter->prefix_count) &&
                match_from(arguments->prefix_match, &filter->prefix_match);
    filter->has_tables = ret->tables != NULL;
    filter->tables = ret->tables;
    filter->interfaces = ret->interfaces;
    filter->names = ret->names;
    filter->protocols = ret->protocols;
    filter->prefixes = ret->prefixes;
    return good;
}

void
nio_watch_filter_done(nio_watch_filter *filter)
{
    free(filter->tables);
    free(filter->interfaces);
    free(filter->names);
    free(filter->protocols);
    free(filter->prefixes);
    memset(filter, 0, sizeof(*filter));
}

/* SPDX-License-Identifier: MIT */
/* Pickles of Tables: each block once, and for each row the number of its
 * block. */
#include "binding/rows/pickle.h"

#include "binding/errors.h"
#include "binding/rows/row.h"
#include "binding/rows/table.h"

#include <string.h>

PyDoc_STRVAR(reduce_doc, "__reduce__($self, /)\n--\n\nFor pickle and copy.");

PyDoc_STRVAR(
    table_from_bytes_doc,
    "_from_bytes($type, kind, data, layout=1, blocks=(), numbers=b'', "
    "row_size=0, /)\n"
    "--\n\n"
    "A table from the bytes of native rows, for pickle. The layout of the "
    "bytes is\n"
    "that of the system that wrote them.\n\n"
    "kind: 'interface', 'address' or 'route'.\n"
    "layout: the number of the layout; the one of this version is 2.\n"
    "blocks: what is rare in the rows: the items of each block.\n"
    "numbers: for each row the number of its block from 1 on, or 0, in 4\n"
    "bytes; empty where there are no blocks.\n"
    "row_size: the bytes of a row on the system that wrote them; 0: as "
    "here.\n\n"
    "Raises: ValueError for another layout or kind, when the number of bytes\n"
    "is no multiple of a row's, and for malformed blocks.");

static uint32_t
number_at(const char *numbers, Py_ssize_t index)
{
    uint32_t number;
    memcpy(&number, numbers + index * (Py_ssize_t)sizeof(number),
           sizeof(number));
    return number;
}

/* Gives each row of the table its block. False with an exception. */
static bool
set_extras(nio_table *table, PyObject *blocks, const char *numbers)
{
    const Py_ssize_t count = PyTuple_Size(blocks);
    nio_extra **extras =
        PyMem_Malloc(((size_t)count + 1) * sizeof(nio_extra *));
    Py_ssize_t made = 0;
    bool good = extras != NULL;
    if (!good) {
        PyErr_NoMemory();
        goto done;
    }
    for (; made < count; made++) {
        extras[made] = nio_pickled_extra(PyTuple_GetItem(blocks, made));
        if (extras[made] == NULL) {
            good = false;
            goto done;
        }
    }
    for (Py_ssize_t i = 0; i < table->count; i++) {
        uint32_t number = number_at(numbers, i);
        if (number > (size_t)count) {
            PyErr_Format(PyExc_ValueError,
                         "row %zd has the block %u, and there are %zd", i,
                         (unsigned)number, count);
            good = false;
            goto done;
        }
        if (number > 0) {
            nio_extra_set(table->kind, table->copy + i * table->size,
                          nio_extra_keep(extras[number - 1]));
            table->has_extras = true;
        }
    }
done:
    while (made > 0) {
        nio_extra_drop(extras[--made]);
    }
    PyMem_Free(extras);
    return good;
}

static PyObject *
table_from(nio_state *state, nio_kind kind, PyObject *data, PyObject *blocks,
           PyObject *numbers)
{
    const size_t size = nio_row_size(kind);
    const size_t count = (size_t)PyBytes_Size(data) / size;
    const bool has_blocks = blocks != NULL && PyTuple_Size(blocks) > 0;
    if (has_blocks && nio_extra_offset(kind) == NIO_ABSENT) {
        PyErr_SetString(PyExc_ValueError, "rows of this kind have no blocks");
        return NULL;
    }
    if (has_blocks && (numbers == NULL || (size_t)PyBytes_Size(numbers) !=
                                              count * sizeof(uint32_t))) {
        PyErr_SetString(PyExc_ValueError,
                        "each row has the number of its block in 4 bytes");
        return NULL;
    }
    PyObject *result = nio_table_blank(state, kind, count);
    nio_table *table = (nio_table *)result;
    if (result == NULL || count == 0) {
        return result;
    }
    memcpy(table->copy, PyBytes_AsString(data), count * size);
    for (size_t i = 0; i < count; i++) {
        nio_extra_set(kind, table->copy + i * size, NULL);
    }
    if (has_blocks && !set_extras(table, blocks, PyBytes_AsString(numbers))) {
        Py_CLEAR(result);
    }
    return result;
}

static PyObject *
table_from_bytes(PyObject *type, PyObject *args)
{
    const char *kind_name;
    PyObject *data = NULL, *blocks = NULL, *numbers = NULL;
    int layout = 1;
    Py_ssize_t row_size = 0;
    nio_state *state = PyType_GetModuleState((PyTypeObject *)type);
    if (state == NULL ||
        !PyArg_ParseTuple(args, "sS|iO!Sn:_from_bytes", &kind_name, &data,
                          &layout, &PyTuple_Type, &blocks, &numbers,
                          &row_size) ||
        !nio_pickle_accepts(layout)) {
        return nio_raise_overflow_as_value();
    }
    Py_ssize_t size = PyBytes_Size(data);
    for (int kind = 0; kind < NIO_KINDS; kind++) {
        const nio_schema *schema = nio_schema_of((nio_kind)kind);
        if (strcmp(schema->kind_name, kind_name) == 0 &&
            (row_size == 0 || (size_t)row_size == schema->row_size) &&
            (size_t)size % schema->row_size == 0) {
            return table_from(state, (nio_kind)kind, data, blocks, numbers);
        }
    }
    return PyErr_Format(
        PyExc_ValueError,
        "%zd bytes are no table of kind '%s' on this system: tables cannot "
        "be pickled from one system to another",
        size, kind_name);
}

/* The number of the block in `blocks`, a list to which it is added; 0 with an
 * exception. `seen`: {address of a block: its number}. */
static long
number_of(const nio_extra *extra, PyObject *blocks, PyObject *seen)
{
    PyObject *address = PyLong_FromVoidPtr((void *)(uintptr_t)extra);
    PyObject *items = NULL, *number = NULL;
    long result = 0;
    if (address == NULL) {
        return 0;
    }
    PyObject *known = PyDict_GetItemWithError(seen, address); /* borrowed */
    if (known != NULL) {
        result = PyLong_AsLong(known);
    } else if (!PyErr_Occurred() &&
               (items = nio_pickled_items(extra)) != NULL &&
               PyList_Append(blocks, items) == 0 &&
               (number = PyLong_FromSsize_t(PyList_Size(blocks))) != NULL &&
               PyDict_SetItem(seen, address, number) == 0) {
        result = PyLong_AsLong(number);
    }
    Py_DECREF(address);
    Py_XDECREF(items);
    Py_XDECREF(number);
    return result;
}

/* Writes to `rows`, a copy of the table's, the references as 0, and the number
 * of each row's block to `numbers`. False with an exception. */
static bool
take_extras(const nio_table *table, char *rows, char *numbers,
            PyObject *blocks)
{
    PyObject *seen = PyDict_New();
    bool good = seen != NULL;
    for (Py_ssize_t i = 0; good && i < table->count; i++) {
        char *row = rows + i * table->size;
        const nio_extra *extra = nio_extra_of(table->kind, row);
        if (extra != NULL) {
            uint32_t number = (uint32_t)number_of(extra, blocks, seen);
            good = number != 0;
            memcpy(numbers + i * (Py_ssize_t)sizeof(number), &number,
                   sizeof(number));
            nio_extra_set(table->kind, row, NULL);
        }
    }
    Py_XDECREF(seen);
    return good;
}

static PyObject *
table_reduce(PyObject *self, PyObject *unused)
{
    nio_table *table = (nio_table *)self;
    PyObject *list = PyList_New(0), *blocks = NULL, *numbers = NULL;
    PyObject *rows = PyBytes_FromStringAndSize(
        (const char *)table->rows,
        table->rows == NULL ? 0 : table->count * table->size);
    const Py_ssize_t number_bytes =
        table->has_extras ? table->count * (Py_ssize_t)sizeof(uint32_t) : 0;
    PyObject *result = NULL, *make = NULL;
    (void)unused;
    numbers = PyBytes_FromStringAndSize(NULL, number_bytes);
    if (list == NULL || rows == NULL || numbers == NULL) {
        goto done;
    }
    memset(PyBytes_AsString(numbers), 0, (size_t)number_bytes);
    if (table->has_extras && !take_extras(table, PyBytes_AsString(rows),
                                          PyBytes_AsString(numbers), list)) {
        goto done;
    }
    blocks = PyList_AsTuple(list);
    make = PyObject_GetAttrString((PyObject *)Py_TYPE(self), "_from_bytes");
    if (blocks != NULL && numbers != NULL && make != NULL) {
        result = Py_BuildValue(
            "O(sOiOOn)", make, nio_schema_of(table->kind)->kind_name, rows,
            nio_pickle_layout(), blocks, numbers, table->size);
    }
done:
    Py_XDECREF(list);
    Py_XDECREF(rows);
    Py_XDECREF(numbers);
    Py_XDECREF(blocks);
    Py_XDECREF(make);
    return result;
}

static PyMethodDef methods[] = {
    {"_from_bytes", table_from_bytes, METH_VARARGS | METH_CLASS,
     table_from_bytes_doc},
    {"__reduce__", table_reduce, METH_NOARGS, reduce_doc},
};

int
nio_table_pickle_init(nio_state *state)
{
    return nio_pickle_add_methods(state->Table, methods);
}

/* SPDX-License-Identifier: MIT */
/* Rows and Tables to bytes and back: see pickle.h. The bytes are those of the
 * native rows, and of the blocks that the rows refer to (base/extra.h), each
 * once. The references themselves are written as 0, and are made anew: what a
 * pickle has in their place is never read. */
#include "binding/rows/pickle.h"

#include "base/extra.h"
#include "base/system_rows.h"
#include "binding/rows/row.h"
#include "binding/rows/table.h"

#include <string.h>

PyDoc_STRVAR(reduce_doc, "__reduce__($self, /)\n--\n\nFor pickle and copy.");

PyDoc_STRVAR(
    row_from_bytes_doc,
    "_from_bytes($type, data, details, layout=1, items=b'', /)\n--\n\n"
    "A row from the bytes of a native row, for pickle. The layout of the "
    "bytes is\n"
    "that of the system that wrote them.\n\n"
    "layout: the number of the layout; the one of this version is 2.\n"
    "items: what is rare in the row.\n\n"
    "Raises: ValueError for another layout, when the number of bytes is not\n"
    "that of a row, and for malformed items.");

PyDoc_STRVAR(
    table_from_bytes_doc,
    "_from_bytes($type, kind, data, layout=1, blocks=(), numbers=b'', /)\n"
    "--\n\n"
    "A table from the bytes of native rows, for pickle. The layout of the "
    "bytes is\n"
    "that of the system that wrote them.\n\n"
    "kind: 'interface', 'address' or 'route'.\n"
    "layout: the number of the layout; the one of this version is 2.\n"
    "blocks: what is rare in the rows: the items of each block.\n"
    "numbers: for each row the number of its block from 1 on, or 0, in 4\n"
    "bytes; empty where there are no blocks.\n\n"
    "Raises: ValueError for another layout or kind, when the number of bytes\n"
    "is no multiple of a row's, and for malformed blocks.");

static bool
is_this_layout(int layout)
{
    if (layout == NIO_PICKLE_LAYOUT) {
        return true;
    }
    PyErr_Format(PyExc_ValueError,
                 "these rows were pickled with layout %d%s, and netioapi "
                 "%s reads layout %d only: unpickle them with the version "
                 "that wrote them, and pass on row._asdict()",
                 layout, layout == 1 ? " (netioapi 0.1.0)" : "", NIO_VERSION,
                 NIO_PICKLE_LAYOUT);
    return false;
}

/* The block of pickled items; NULL with an exception. */
static nio_extra *
extra_from(PyObject *items)
{
    if (!PyBytes_Check(items)) {
        PyErr_SetString(PyExc_TypeError, "items are bytes");
        return NULL;
    }
    nio_extra *extra = nio_extra_new((const uint8_t *)PyBytes_AsString(items),
                                     (size_t)PyBytes_Size(items));
    if (extra == NULL) {
        PyErr_SetString(PyExc_ValueError, "the items of the row are malformed "
                                          "(or memory is exhausted)");
    }
    return extra;
}

static PyObject *
items_of(const nio_extra *extra)
{
    return extra == NULL
               ? PyBytes_FromStringAndSize("", 0)
               : PyBytes_FromStringAndSize((const char *)extra->items,
                                           (Py_ssize_t)extra->size);
}

/* ---- rows */

/* False: no type of rows, as after the module was cleared. */
static bool
kind_of(const nio_state *state, PyObject *type, nio_kind *ret_kind)
{
    for (int kind = 0; kind < NIO_KINDS; kind++) {
        if ((PyObject *)state->row_types[kind] == type) {
            *ret_kind = (nio_kind)kind;
            return true;
        }
    }
    PyErr_SetString(PyExc_RuntimeError, "the module is being cleared");
    return false;
}

static PyObject *
row_from_bytes(PyObject *type, PyObject *args)
{
    PyObject *data = NULL, *items = NULL;
    int details, layout = 1;
    nio_kind kind;
    nio_any_row row;
    nio_extra *extra = NULL;
    nio_state *state = PyType_GetModuleState((PyTypeObject *)type);
    if (state == NULL ||
        !PyArg_ParseTuple(args, "Sp|iS:_from_bytes", &data, &details, &layout,
                          &items) ||
        !is_this_layout(layout) || !kind_of(state, type, &kind)) {
        return NULL;
    }
    const size_t size = nio_row_size(kind);
    if ((size_t)PyBytes_Size(data) != size) {
        return PyErr_Format(
            PyExc_ValueError,
            "%s has %zu bytes on this system, not %zd: rows cannot be "
            "pickled from one system to another",
            strchr(nio_schema_of(kind)->type_name, '.') + 1, size,
            PyBytes_Size(data));
    }
    if (items != NULL && PyBytes_Size(items) > 0 &&
        (extra = extra_from(items)) == NULL) {
        return NULL;
    }
    memcpy(&row, PyBytes_AsString(data), size);
    nio_extra_set(kind, &row, extra);
    PyObject *result = nio_row_new(state, kind, &row, details != 0);
    nio_extra_drop(extra); /* the result has its own reference */
    return result;
}

static PyObject *
row_reduce(PyObject *self, PyObject *unused)
{
    nio_row *row = (nio_row *)self;
    const size_t size = nio_row_size(row->kind);
    nio_any_row copy;
    (void)unused;
    PyObject *make =
        PyObject_GetAttrString((PyObject *)Py_TYPE(self), "_from_bytes");
    if (make == NULL) {
        return NULL;
    }
    memcpy(&copy, row->data, size);
    nio_extra_set(row->kind, &copy, NULL);
    return Py_BuildValue(
        "N(NOiN)", make,
        PyBytes_FromStringAndSize((const char *)&copy, (Py_ssize_t)size),
        row->details ? Py_True : Py_False, NIO_PICKLE_LAYOUT,
        items_of(nio_extra_of(row->kind, row->data)));
}

/* ---- tables */

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
        extras[made] = extra_from(PyTuple_GetItem(blocks, made));
        if (extras[made] == NULL) {
            good = false;
            goto done;
        }
    }
    for (Py_ssize_t i = 0; i < table->count; i++) {
        uint32_t number = number_at(numbers, i);
        if (number > 0 && number <= (uint32_t)count) {
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
    nio_state *state = PyType_GetModuleState((PyTypeObject *)type);
    if (state == NULL ||
        !PyArg_ParseTuple(args, "sS|iO!S:_from_bytes", &kind_name, &data,
                          &layout, &PyTuple_Type, &blocks, &numbers) ||
        !is_this_layout(layout)) {
        return NULL;
    }
    Py_ssize_t size = PyBytes_Size(data);
    for (int kind = 0; kind < NIO_KINDS; kind++) {
        const nio_schema *schema = nio_schema_of((nio_kind)kind);
        if (strcmp(schema->kind_name, kind_name) == 0 &&
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
    } else if (!PyErr_Occurred() && (items = items_of(extra)) != NULL &&
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
        table->count * (Py_ssize_t)sizeof(uint32_t);
    PyObject *result = NULL, *make = NULL;
    (void)unused;
    numbers = PyBytes_FromStringAndSize(NULL, number_bytes);
    if (list == NULL || rows == NULL || numbers == NULL) {
        goto done;
    }
    memset(PyBytes_AsString(numbers), 0, (size_t)number_bytes);
    if (!take_extras(table, PyBytes_AsString(rows), PyBytes_AsString(numbers),
                     list)) {
        goto done;
    }
    if (PyList_Size(list) == 0) {
        nio_replace(&numbers, PyBytes_FromStringAndSize("", 0));
    }
    blocks = PyList_AsTuple(list);
    make = PyObject_GetAttrString((PyObject *)Py_TYPE(self), "_from_bytes");
    if (blocks != NULL && numbers != NULL && make != NULL) {
        result = Py_BuildValue("O(sOiOO)", make,
                               nio_schema_of(table->kind)->kind_name, rows,
                               NIO_PICKLE_LAYOUT, blocks, numbers);
    }
done:
    Py_XDECREF(list);
    Py_XDECREF(rows);
    Py_XDECREF(numbers);
    Py_XDECREF(blocks);
    Py_XDECREF(make);
    return result;
}

/* ---- the methods, which are made here so that neither type has to know how
 * it is pickled */
static PyMethodDef row_methods[] = {
    {"_from_bytes", row_from_bytes, METH_VARARGS | METH_CLASS,
     row_from_bytes_doc},
    {"__reduce__", row_reduce, METH_NOARGS, reduce_doc},
};
static PyMethodDef table_methods[] = {
    {"_from_bytes", table_from_bytes, METH_VARARGS | METH_CLASS,
     table_from_bytes_doc},
    {"__reduce__", table_reduce, METH_NOARGS, reduce_doc},
};

static int
add_methods(PyTypeObject *type, PyMethodDef methods[2])
{
    for (size_t i = 0; i < 2; i++) {
        PyObject *method = methods[i].ml_flags & METH_CLASS
                               ? PyDescr_NewClassMethod(type, &methods[i])
                               : PyDescr_NewMethod(type, &methods[i]);
        if (method == NULL ||
            PyObject_SetAttrString((PyObject *)type, methods[i].ml_name,
                                   method) < 0) {
            Py_XDECREF(method);
            return -1;
        }
        Py_DECREF(method);
    }
    return 0;
}

int
nio_pickle_init(nio_state *state)
{
    for (int kind = 0; kind < NIO_KINDS; kind++) {
        if (add_methods(state->row_types[kind], row_methods) < 0) {
            return -1;
        }
    }
    return add_methods(state->Table, table_methods);
}

/* SPDX-License-Identifier: MIT */
/* Table: an immutable sequence of rows of one kind, in one block of memory
 * with the system's own layout. A row object is created when a program asks
 * for a row. With the GIL. */
#include "binding/rows/table.h"

#include "base/extra.h"
#include "binding/rows/equality.h"
#include "binding/rows/row.h"
#include "binding/rows/table_doc.h"

#include <string.h>

static const uint8_t *
row_at(const nio_table *table, Py_ssize_t index)
{
    return table->rows + index * table->size;
}

/* Takes a reference for each row of the copy. */
static void
keep_extras(nio_table *table)
{
    if (nio_extra_offset(table->kind) == NIO_ABSENT) {
        return;
    }
    for (Py_ssize_t i = 0; i < table->count; i++) {
        table->has_extras |=
            nio_extra_keep(nio_extra_of(table->kind, row_at(table, i))) !=
            NULL;
    }
}

static void
drop_extras(nio_table *table)
{
    const bool owned = table->copy != NULL && table->has_extras;
    for (Py_ssize_t i = 0; owned && i < table->count; i++) {
        nio_extra_drop(nio_extra_of(table->kind, row_at(table, i)));
    }
}

PyObject *
nio_table_blank(nio_state *state, nio_kind kind, size_t count)
{
    size_t size = nio_row_size(kind);
    nio_table *table = PyObject_New(nio_table, state->Table);
    if (table == NULL) {
        return NULL;
    }
    table->kind = kind;
    table->count = (Py_ssize_t)count;
    table->size = (Py_ssize_t)size;
    table->memory = NULL;
    table->copy = NULL;
    table->has_extras = false;
    if (count != 0 && count <= (size_t)PY_SSIZE_T_MAX / size) {
        table->copy = PyMem_Malloc(count * size);
    }
    table->rows = table->copy;
    if (count != 0 && table->copy == NULL) {
        Py_DECREF(table);
        return PyErr_NoMemory();
    }
    return (PyObject *)table;
}

PyObject *
nio_table_new(nio_state *state, nio_kind kind, const void *rows, size_t count)
{
    PyObject *table = nio_table_blank(state, kind, count);
    if (table != NULL && count != 0) {
        memcpy(((nio_table *)table)->copy, rows, count * nio_row_size(kind));
        keep_extras((nio_table *)table);
    }
    return table;
}

PyObject *
nio_table_adopt(nio_state *state, nio_kind kind, PVOID memory,
                const void *rows, size_t count)
{
    nio_table *table = (nio_table *)nio_table_blank(state, kind, 0);
    if (table == NULL) {
        nio_system()->FreeMibTable(memory);
        return NULL;
    }
    table->memory = memory;
    table->rows = rows;
    table->count = (Py_ssize_t)count;
    table->has_extras = nio_table_has_extras(kind, memory);
    return (PyObject *)table;
}

static void
table_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    nio_table *table = (nio_table *)self;
    if (table->memory != NULL) {
        nio_system()->FreeMibTable(table->memory);
    }
    drop_extras(table);
    PyMem_Free(table->copy);
    PyObject_Free(self);
    Py_DECREF(type);
}

static Py_ssize_t
table_length(PyObject *self)
{
    return ((nio_table *)self)->count;
}

static PyObject *
table_item(PyObject *self, Py_ssize_t index)
{
    nio_table *table = (nio_table *)self;
    if (index < 0 || index >= table->count) {
        PyErr_SetString(PyExc_IndexError, "table index out of range");
        return NULL;
    }
    return nio_row_new(nio_state_of(self), table->kind, row_at(table, index),
                       NIO_ROW_WHOLE);
}

static PyObject *
table_slice(PyObject *self, PyObject *slice)
{
    nio_table *table = (nio_table *)self;
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(slice, &start, &stop, &step) < 0) {
        return NULL;
    }
    Py_ssize_t count =
        PySlice_AdjustIndices(table->count, &start, &stop, step);
    PyObject *result =
        nio_table_blank(nio_state_of(self), table->kind, (size_t)count);
    if (result == NULL || count == 0) {
        return result;
    }
    uint8_t *copy = ((nio_table *)result)->copy;
    if (step == 1) {
        memcpy(copy, row_at(table, start), (size_t)(count * table->size));
    } else {
        for (Py_ssize_t i = 0; i < count; i++) {
            memcpy(copy + i * table->size, row_at(table, start + i * step),
                   (size_t)table->size);
        }
    }
    if (table->has_extras) {
        keep_extras((nio_table *)result);
    }
    return result;
}

static PyObject *
table_subscript(PyObject *self, PyObject *index)
{
    if (PySlice_Check(index)) {
        return table_slice(self, index);
    }
    Py_ssize_t number = PyNumber_AsSsize_t(index, PyExc_IndexError);
    if (number == -1 && PyErr_Occurred()) {
        return NULL;
    }
    return table_item(self, number < 0 ? number + table_length(self) : number);
}

/* The first index from `start` up to, but not including, `stop` at which the
 * row is; -1: none. */
static Py_ssize_t
find(nio_table *table, PyObject *object, Py_ssize_t start, Py_ssize_t stop)
{
    nio_state *state = nio_state_of((PyObject *)table);
    if (Py_TYPE(object) != state->row_types[table->kind] ||
        ((nio_row *)object)->known != NIO_ROW_WHOLE) {
        return -1;
    }
    const void *row = ((nio_row *)object)->data;
    for (Py_ssize_t i = start; i < stop; i++) {
        if (nio_row_equal(table->kind, row_at(table, i), row, true)) {
            return i;
        }
    }
    return -1;
}

static int
table_contains(PyObject *self, PyObject *row)
{
    nio_table *table = (nio_table *)self;
    return find(table, row, 0, table->count) >= 0;
}

PyDoc_STRVAR(index_doc,
             "index($self, row, start=0, stop=sys.maxsize, /)\n--\n\n"
             "The index of the first row that equals `row`.\n\n"
             "start, stop: search between these indices only.\n\n"
             "Raises: ValueError when there is none.");

/* A bound of a search, like that of a slice: any int, clipped. NULL leaves the
 * result as it is. */
static bool
bound_from(PyObject *object, Py_ssize_t *ret_bound)
{
    if (object != NULL) {
        *ret_bound = PyNumber_AsSsize_t(object, NULL);
    }
    return *ret_bound != -1 || PyErr_Occurred() == NULL;
}

static PyObject *
table_index(PyObject *self, PyObject *args)
{
    nio_table *table = (nio_table *)self;
    PyObject *row, *first = NULL, *last = NULL;
    Py_ssize_t start = 0, stop = PY_SSIZE_T_MAX;
    if (!PyArg_ParseTuple(args, "O|OO:index", &row, &first, &last) ||
        !bound_from(first, &start) || !bound_from(last, &stop)) {
        return NULL;
    }
    (void)PySlice_AdjustIndices(table->count, &start, &stop, 1);
    Py_ssize_t index = find(table, row, start, stop);
    if (index < 0) {
        PyErr_SetString(PyExc_ValueError, "the row is not in the table");
        return NULL;
    }
    return PyLong_FromSsize_t(index);
}

PyDoc_STRVAR(count_doc, "count($self, row, /)\n--\n\n"
                        "The number of rows that equal `row`.");

static PyObject *
table_count(PyObject *self, PyObject *row)
{
    nio_table *table = (nio_table *)self;
    Py_ssize_t count = 0, index = -1;
    while ((index = find(table, row, index + 1, table->count)) >= 0) {
        count++;
    }
    return PyLong_FromSsize_t(count);
}

static PyObject *
table_compare(PyObject *a, PyObject *b, int operation)
{
    if ((operation != Py_EQ && operation != Py_NE) ||
        Py_TYPE(a) != Py_TYPE(b)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    nio_table *x = (nio_table *)a, *y = (nio_table *)b;
    bool equal = x->kind == y->kind && x->count == y->count;
    for (Py_ssize_t i = 0; equal && i < x->count; i++) {
        equal = nio_row_equal(x->kind, row_at(x, i), row_at(y, i), true);
    }
    return PyBool_FromLong(equal == (operation == Py_EQ));
}

static PyObject *
table_repr(PyObject *self)
{
    nio_table *table = (nio_table *)self;
    const char *name = nio_schema_of(table->kind)->type_name;
    return PyUnicode_FromFormat("<netioapi.Table of %zd %s>", table->count,
                                strchr(name, '.') + 1);
}

static PyObject *
table_kind(PyObject *self, void *Py_UNUSED(closure))
{
    return PyUnicode_FromString(
        nio_schema_of(((nio_table *)self)->kind)->kind_name);
}

static PyObject *
table_row_type(PyObject *self, void *Py_UNUSED(closure))
{
    nio_kind kind = ((nio_table *)self)->kind;
    return Py_NewRef((PyObject *)nio_state_of(self)->row_types[kind]);
}

/* Exposes the block itself: read-only, one item per row. A view allocates
 * nothing, so the type needs no bf_releasebuffer. */
static int
table_buffer(PyObject *self, Py_buffer *view, int flags)
{
    nio_table *table = (nio_table *)self;
    const char *format = NULL;
    view->obj = NULL;
    if ((flags & PyBUF_WRITABLE) == PyBUF_WRITABLE) {
        PyErr_SetString(PyExc_BufferError, "a table is read-only");
        return -1;
    }
    if ((flags & PyBUF_FORMAT) == PyBUF_FORMAT) {
        format = nio_state_of(self)->formats[table->kind];
    }
    view->obj = Py_NewRef(self);
    view->buf = table->rows != NULL ? (void *)table->rows : (void *)"";
    view->len = table->count * table->size;
    view->itemsize = table->size;
    view->readonly = 1;
    view->ndim = 1;
    view->format = (char *)format; /* Python does not write to it */
    view->shape = (flags & PyBUF_ND) == PyBUF_ND ? &table->count : NULL;
    view->strides =
        (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? &table->size : NULL;
    view->suboffsets = NULL;
    view->internal = NULL;
    return 0;
}

static PyGetSetDef table_getters[] = {
    {"kind", table_kind, NULL,
     "The kind of the rows: 'interface', 'address' or 'route'.", NULL},
    {"row_type", table_row_type, NULL, "The class of the rows.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMethodDef table_methods[] = {
    {"index", table_index, METH_VARARGS, index_doc},
    {"count", table_count, METH_O, count_doc},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS,
     "Table[IpForwardRow], for annotations."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot table_slots[] = {
    {Py_tp_doc, (void *)table_doc},
    {Py_tp_dealloc, table_dealloc},
    {Py_tp_repr, table_repr},
    {Py_tp_hash, PyObject_HashNotImplemented},
    {Py_tp_richcompare, table_compare},
    {Py_tp_iter, PySeqIter_New},
    {Py_tp_methods, table_methods},
    {Py_tp_getset, table_getters},
    {Py_sq_length, table_length},
    {Py_sq_item, table_item},
    {Py_sq_contains, table_contains},
    {Py_mp_length, table_length},
    {Py_mp_subscript, table_subscript},
    {Py_bf_getbuffer, table_buffer},
    {0, NULL},
};

static PyType_Spec table_spec = {
    .name = "netioapi.Table",
    .basicsize = sizeof(nio_table),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = table_slots,
};

int
nio_table_init(PyObject *module, nio_state *state)
{
    state->Table =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &table_spec, NULL);
    if (state->Table == NULL) {
        return -1;
    }
    PyObject *abc = PyImport_ImportModule("collections.abc");
    PyObject *sequence =
        abc == NULL ? NULL : PyObject_GetAttrString(abc, "Sequence");
    Py_XDECREF(abc);
    PyObject *registered = sequence == NULL
                               ? NULL
                               : PyObject_CallMethod(sequence, "register", "O",
                                                     (PyObject *)state->Table);
    Py_XDECREF(sequence);
    if (registered == NULL) {
        return -1;
    }
    Py_DECREF(registered);
    return PyModule_AddType(module, state->Table);
}

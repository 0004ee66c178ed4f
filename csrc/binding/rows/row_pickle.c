/* SPDX-License-Identifier: MIT */
/* Pickles of rows. */
#include "binding/rows/pickle.h"

#include "base/system_rows.h"
#include "binding/errors.h"
#include "binding/rows/row.h"

#include <string.h>

PyDoc_STRVAR(reduce_doc, "__reduce__($self, /)\n--\n\nFor pickle and copy.");

PyDoc_STRVAR(
    row_from_bytes_doc,
    "_from_bytes($type, data, details, layout=1, items=b'', /)\n--\n\n"
    "A row from the bytes of a native row, for pickle. The layout of the "
    "bytes is\n"
    "that of the system that wrote them.\n\n"
    "details: whether all fields are known, or 2 for a row that a program "
    "made.\n"
    "layout: the number of the layout; the one of this version is 2.\n"
    "items: what is rare in the row.\n\n"
    "Raises: ValueError for another layout, when the number of bytes is not\n"
    "that of a row, and for malformed items.");

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
    int known, layout = 1;
    nio_kind kind;
    nio_any_row row;
    nio_extra *extra = NULL;
    nio_state *state = PyType_GetModuleState((PyTypeObject *)type);
    if (state == NULL ||
        !PyArg_ParseTuple(args, "Si|iS:_from_bytes", &data, &known, &layout,
                          &items) ||
        !nio_pickle_accepts(layout) || !kind_of(state, type, &kind)) {
        return nio_raise_overflow_as_value();
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
    if (known < NIO_ROW_KEY || known > NIO_ROW_MADE) {
        PyErr_SetString(PyExc_ValueError, "details are 0, 1 or 2");
        return NULL;
    }
    if (items != NULL && PyBytes_Size(items) > 0 &&
        (extra = nio_pickled_extra(items)) == NULL) {
        return NULL;
    }
    memcpy(&row, PyBytes_AsString(data), size);
    nio_extra_set(kind, &row, extra);
    PyObject *result = nio_row_new(state, kind, &row, (nio_knowledge)known);
    nio_extra_drop(extra); /* the result has its own reference */
    return result;
}

/* A row that a program made is neither with details nor without. */
static PyObject *
details_of(const nio_row *row)
{
    return row->known == NIO_ROW_MADE
               ? PyLong_FromLong((long)row->known)
               : PyBool_FromLong(row->known == NIO_ROW_WHOLE);
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
        "N(NNiN)", make,
        PyBytes_FromStringAndSize((const char *)&copy, (Py_ssize_t)size),
        details_of(row), nio_pickle_layout(),
        nio_pickled_items(nio_extra_of(row->kind, row->data)));
}

static PyMethodDef methods[] = {
    {"_from_bytes", row_from_bytes, METH_VARARGS | METH_CLASS,
     row_from_bytes_doc},
    {"__reduce__", row_reduce, METH_NOARGS, reduce_doc},
};

int
nio_row_pickle_init(nio_state *state)
{
    for (int kind = 0; kind < NIO_KINDS; kind++) {
        if (nio_pickle_add_methods(state->row_types[kind], methods) < 0) {
            return -1;
        }
    }
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* The Changes type: what one read of a Watch has taken, as an immutable
 * sequence of Change. The records stay as the queue had them: a Change is
 * made when it is asked for, each time anew, and a Table copies the rows
 * without making any. So memory is bounded by the rows, whatever is done with
 * them, and who wants columns pays for no objects. Refers to no object. */
#include "binding/watch/changes.h"

#include "binding/rows/row.h"
#include "binding/rows/table.h"
#include "binding/watch/change.h"

#include <stdlib.h>
#include <string.h>

typedef struct changes_object {
    PyObject_HEAD
    nio_read_result haul; /* owned */
} changes_object;

/* From so many rows on they are copied without the GIL: giving it away costs
 * a switch interval when another thread wants it. */
enum { MANY_ROWS = 2048 };

/* ---- the haul: no Python, and without the GIL */

static void
note_mark(nio_read_result *haul, uint8_t flags)
{
    bool lost = (flags & NIO_FLAG_OVERFLOW) != 0;
    bool exact = (flags & NIO_FLAG_SYNCED) != 0;

    haul->overflow |= lost;
    haul->synced = exact || (haul->synced && !lost);
    haul->marked |= lost || exact;
}

/* A few records in a large chunk: whoever keeps them would keep the chunk,
 * and the queue could not fill it again. When memory is short they stay. */
static void
move_out(nio_read_result *haul, size_t bytes)
{
    uint8_t *place = malloc(bytes + 1);

    if (place == NULL) {
        return;
    }
    haul->copy = place;
    for (size_t i = 0; i < haul->count; i++) {
        size_t size = nio_change_bytes(haul->records[i]);
        memcpy(place, haul->records[i], size);
        haul->records[i] = (nio_change *)place;
        place += size;
    }
    nio_taken_free(&haul->taken);
}

bool
nio_read_result_prepare(nio_read_result *haul, size_t most)
{
    haul->records = malloc(most * sizeof(*haul->records));
    return haul->records != NULL;
}

void
nio_read_result_take(nio_read_result *haul, nio_taken *taken)
{
    nio_cursor cursor = {NULL, 0, 0};
    nio_change *change = NULL;
    size_t bytes = 0;

    haul->taken = *taken;
    while ((change = nio_taken_next(&haul->taken, &cursor)) != NULL) {
        if (nio_change_is_mark(change)) {
            note_mark(haul, change->flags);
            continue;
        }
        haul->records[haul->count++] = change;
        haul->rows[change->kind]++;
        bytes += nio_change_bytes(change);
    }
    if (bytes < nio_taken_bytes(&haul->taken) / 2) {
        move_out(haul, bytes);
    }
}

void
nio_read_result_free(nio_read_result *haul)
{
    nio_taken_free(&haul->taken);
    free(haul->copy);
    free(haul->records);
    *haul = (nio_read_result){.count = 0};
}

static void
copy_rows(const nio_read_result *haul, nio_kind kind, uint8_t *to)
{
    size_t size = nio_row_size(kind);

    for (size_t i = 0; i < haul->count; i++) {
        if (haul->records[i]->kind == kind) {
            nio_change_copy_row(haul->records[i], to, size);
            to += size;
        }
    }
}

/* ---- the type */

PyObject *
nio_changes_new(nio_state *state)
{
    changes_object *self = PyObject_New(changes_object, state->Changes);
    if (self != NULL) {
        self->haul = (nio_read_result){.count = 0};
    }
    return (PyObject *)self;
}

void
nio_changes_fill(PyObject *op, nio_read_result *haul)
{
    ((changes_object *)op)->haul = *haul;
    *haul = (nio_read_result){.count = 0};
}

static void
changes_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    nio_read_result_free(&((changes_object *)op)->haul);
    PyObject_Free(op);
    Py_DECREF(type);
}

static Py_ssize_t
changes_length(PyObject *op)
{
    return (Py_ssize_t)((changes_object *)op)->haul.count;
}

static PyObject *
changes_item(PyObject *op, Py_ssize_t index)
{
    nio_read_result *haul = &((changes_object *)op)->haul;
    if (index < 0 || (size_t)index >= haul->count) {
        PyErr_SetString(PyExc_IndexError, "batch index out of range");
        return NULL;
    }
    return nio_change_new(nio_state_of(op), haul->records[index]);
}

/* A list, as of a list. */
static PyObject *
changes_slice(PyObject *op, PyObject *slice)
{
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(slice, &start, &stop, &step) < 0) {
        return NULL;
    }
    Py_ssize_t count =
        PySlice_AdjustIndices(changes_length(op), &start, &stop, step);
    PyObject *list = PyList_New(count);
    for (Py_ssize_t i = 0; list != NULL && i < count; i++) {
        PyObject *change = changes_item(op, start + i * step);
        if (change == NULL || PyList_SetItem(list, i, change) < 0) {
            Py_CLEAR(list);
        }
    }
    return list;
}

static PyObject *
changes_subscript(PyObject *op, PyObject *index)
{
    if (PySlice_Check(index)) {
        return changes_slice(op, index);
    }
    Py_ssize_t number = PyNumber_AsSsize_t(index, PyExc_IndexError);
    if (number == -1 && PyErr_Occurred()) {
        return NULL;
    }
    return changes_item(op, number < 0 ? number + changes_length(op) : number);
}

static PyObject *
table_of(nio_state *state, PyObject *op, nio_kind kind)
{
    const nio_read_result *haul = &((changes_object *)op)->haul;
    PyObject *table = nio_table_blank(state, kind, haul->rows[kind]);
    if (table == NULL || haul->rows[kind] == 0) {
        return table;
    }
    uint8_t *rows = ((nio_table *)table)->copy;
    if (haul->rows[kind] < MANY_ROWS) {
        copy_rows(haul, kind, rows);
    } else { /* the caller has a reference, and nobody changes it */
        Py_BEGIN_ALLOW_THREADS
        copy_rows(haul, kind, rows);
        Py_END_ALLOW_THREADS
    }
    return table;
}

static PyObject *
table_of_list(nio_state *state, PyObject *list, nio_kind kind)
{
    size_t size = nio_row_size(kind), count = 0;
    Py_ssize_t all = PyList_Size(list);
    PyObject *result = NULL;
    char *rows = PyMem_Malloc(((size_t)all + 1) * size);
    if (rows == NULL) {
        return PyErr_NoMemory();
    }
    for (Py_ssize_t i = 0; i < all; i++) {
        PyObject *item = PySequence_GetItem(list, i);
        if (item == NULL) {
            goto done;
        }
        nio_kind its_kind = kind;
        const void *row = nio_change_data(state, item, &its_kind);
        if (row != NULL && its_kind == kind) {
            memcpy(rows + count++ * size, row, size);
        }
        Py_DECREF(item);
        if (row == NULL) {
            goto done;
        }
    }
    result = nio_table_new(state, kind, rows, count);
done:
    PyMem_Free(rows);
    return result;
}

/* _table_of_changes(changes, kind) -> Table */
static PyObject *
table_of_changes(PyObject *module, PyObject *args)
{
    nio_state *state = nio_state_of_module(module);
    PyObject *changes = NULL;
    const char *name = NULL;
    nio_kind kind = NIO_ROUTE;

    if (!PyArg_ParseTuple(args, "Os:_table_of_changes", &changes, &name) ||
        !nio_change_kind_from(name, &kind)) {
        return NULL;
    }
    if (Py_TYPE(changes) == state->Changes) {
        return table_of(state, changes, kind);
    }
    if (!PyList_Check(changes)) {
        return PyErr_Format(PyExc_TypeError,
                            "_table_of_changes() takes Changes or a list, "
                            "not %R",
                            (PyObject *)Py_TYPE(changes));
    }
    return table_of_list(state, changes, kind);
}

PyDoc_STRVAR(changes_doc,
             "The changes of one read: an immutable sequence of Change.\n\n"
             "They are made when they are asked for, each time anew: equal, "
             "not the same.");

static PyType_Slot changes_slots[] = {
    {Py_tp_doc, (void *)changes_doc},     {Py_tp_dealloc, changes_dealloc},
    {Py_tp_iter, PySeqIter_New},          {Py_sq_length, changes_length},
    {Py_sq_item, changes_item},           {Py_mp_length, changes_length},
    {Py_mp_subscript, changes_subscript}, {0, NULL},
};

static PyType_Spec changes_spec = {
    .name = "netioapi._native.Changes",
    .basicsize = sizeof(changes_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION |
             Py_TPFLAGS_IMMUTABLETYPE,
    .slots = changes_slots,
};

static PyMethodDef functions[] = {
    {"_table_of_changes", table_of_changes, METH_VARARGS,
     PyDoc_STR(
         "_table_of_changes($module, changes, kind, /)\n--\n\n"
         "A Table of the rows of one kind in Changes or a list of them.")},
    {NULL, NULL, 0, NULL},
};

int
nio_changes_init(PyObject *module, nio_state *state)
{
    state->Changes =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &changes_spec, NULL);
    if (state->Changes == NULL ||
        PyModule_AddFunctions(module, functions) < 0) {
        return -1;
    }
    return PyModule_AddType(module, state->Changes);
}

/* SPDX-License-Identifier: MIT */
/* The Batch type: what one read has taken, as an immutable sequence of Change.
 * The records stay as the queue had them. A Change is made each time that a
 * program asks for one, and a Table copies the rows without making any. So the
 * memory is that of the rows, and a program that reads columns pays for no
 * objects. A Batch refers to no object, so the garbage collector does not
 * track it. */
#include "binding/watch/batch.h"

#include "binding/rows/row.h"
#include "binding/rows/table.h"
#include "binding/watch/change.h"

#include <structmember.h>

typedef struct batch_object {
    PyObject_HEAD
    nio_read_result result; /* owned */
} batch_object;

/* From this many rows on they are copied without the GIL. For fewer rows the
 * GIL is kept: if another thread wants it, to release it costs a switch
 * interval. */
enum { MANY_ROWS = 2048 };

static PyObject *
batch_alloc(PyTypeObject *type)
{
    batch_object *self = PyObject_New(batch_object, type);
    if (self != NULL) {
        self->result = (nio_read_result){.count = 0};
    }
    return (PyObject *)self;
}

PyObject *
nio_batch_new(nio_state *state)
{
    return batch_alloc(state->Batch);
}

void
nio_batch_fill(PyObject *batch, nio_read_result *result)
{
    ((batch_object *)batch)->result = *result;
    *result = (nio_read_result){.count = 0};
}

/* Copies the changes of a tuple. False with an exception. */
static bool
copy_changes(nio_state *state, PyObject *changes, nio_read_result *result)
{
    Py_ssize_t count = PyTuple_Size(changes);

    if (!nio_read_result_prepare(result, (size_t)count)) {
        PyErr_NoMemory();
        return false;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = PyTuple_GetItem(changes, i);
        if (!PyObject_TypeCheck(item, state->Change)) {
            PyErr_Format(PyExc_TypeError, "%R is not a Change", item);
            return false;
        }
        nio_read_result_add(result, nio_change_of(item));
    }
    if (!nio_read_result_own(result)) {
        PyErr_NoMemory();
        return false;
    }
    return true;
}

static PyObject *
batch_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"changes", "overflow", "synced", NULL};
    PyObject *changes = NULL;
    int overflow = 0, synced = 0;

    if (!PyArg_ParseTupleAndKeywords(args, keywords, "Opp:Batch", names,
                                     &changes, &overflow, &synced)) {
        return NULL;
    }
    PyObject *tuple = PySequence_Tuple(changes);
    if (tuple == NULL) {
        return NULL;
    }
    PyObject *op = batch_alloc(type);
    if (op != NULL) {
        nio_read_result *result = &((batch_object *)op)->result;
        result->overflow = overflow != 0;
        result->synced = synced != 0;
        if (!copy_changes(nio_state_of(op), tuple, result)) {
            Py_CLEAR(op);
        }
    }
    Py_DECREF(tuple);
    return op;
}

static void
batch_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    nio_read_result_free(&((batch_object *)op)->result);
    PyObject_Free(op);
    Py_DECREF(type);
}

/* ---- a sequence that is always true */

static Py_ssize_t
batch_length(PyObject *op)
{
    return (Py_ssize_t)((batch_object *)op)->result.count;
}

static int
batch_bool(PyObject *Py_UNUSED(op))
{
    return 1;
}

static PyObject *
batch_item(PyObject *op, Py_ssize_t index)
{
    const nio_read_result *result = &((batch_object *)op)->result;
    if (index < 0 || (size_t)index >= result->count) {
        PyErr_SetString(PyExc_IndexError, "batch index out of range");
        return NULL;
    }
    return nio_change_new(nio_state_of(op), result->records[index]);
}

/* A list, as the slice of a list is. */
static PyObject *
batch_slice(PyObject *op, PyObject *slice)
{
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(slice, &start, &stop, &step) < 0) {
        return NULL;
    }
    Py_ssize_t count =
        PySlice_AdjustIndices(batch_length(op), &start, &stop, step);
    PyObject *list = PyList_New(count);
    for (Py_ssize_t i = 0; list != NULL && i < count; i++) {
        PyObject *change = batch_item(op, start + i * step);
        if (change == NULL || PyList_SetItem(list, i, change) < 0) {
            Py_CLEAR(list);
        }
    }
    return list;
}

static PyObject *
batch_subscript(PyObject *op, PyObject *index)
{
    if (PySlice_Check(index)) {
        return batch_slice(op, index);
    }
    Py_ssize_t number = PyNumber_AsSsize_t(index, PyExc_IndexError);
    if (number == -1 && PyErr_Occurred()) {
        return NULL;
    }
    return batch_item(op, number < 0 ? number + batch_length(op) : number);
}

static PyObject *
batch_repr(PyObject *op)
{
    const nio_read_result *result = &((batch_object *)op)->result;
    return PyUnicode_FromFormat("<Batch of %zd%s%s>", batch_length(op),
                                result->overflow ? " overflow" : "",
                                result->synced ? " synced" : "");
}

/* Immutable: a copy is the Batch itself. */
static PyObject *
batch_copy(PyObject *op, PyObject *Py_UNUSED(unused))
{
    return Py_NewRef(op);
}

static PyObject *
batch_reduce(PyObject *op, PyObject *Py_UNUSED(unused))
{
    const nio_read_result *result = &((batch_object *)op)->result;
    PyObject *changes = PySequence_Tuple(op);
    return changes == NULL
               ? NULL
               : Py_BuildValue("O(NOO)", (PyObject *)Py_TYPE(op), changes,
                               result->overflow ? Py_True : Py_False,
                               result->synced ? Py_True : Py_False);
}

/* ---- the rows as tables */

static const nio_kind route = NIO_ROUTE, address = NIO_ADDRESS,
                      interface = NIO_INTERFACE;

/* `closure` is the kind. */
static PyObject *
batch_table(PyObject *op, void *closure)
{
    nio_kind kind = *(const nio_kind *)closure;
    const nio_read_result *result = &((batch_object *)op)->result;
    size_t count = result->rows[kind], size = nio_row_size(kind);
    PyObject *table = nio_table_blank(nio_state_of(op), kind, count);
    if (table == NULL || count == 0) {
        return table;
    }
    uint8_t *rows = ((nio_table *)table)->copy;
    bool has_extras;
    if (count < MANY_ROWS) {
        has_extras = nio_read_result_copy_rows(result, kind, size, rows);
    } else { /* the caller has a reference, and nothing changes the result */
        Py_BEGIN_ALLOW_THREADS
        has_extras = nio_read_result_copy_rows(result, kind, size, rows);
        Py_END_ALLOW_THREADS
    }
    ((nio_table *)table)->has_extras = has_extras;
    return table;
}

static PyGetSetDef batch_getset[] = {
    {"routes", batch_table, NULL,
     "The rows of all route changes in order, those of deleted routes "
     "included: a Table.",
     (void *)&route},
    {"addresses", batch_table, NULL,
     "The rows of all address changes in order, those of deleted ones "
     "included: a Table.",
     (void *)&address},
    {"interfaces", batch_table, NULL,
     "The rows of all interface changes in order, those of deleted ones "
     "included: a Table.",
     (void *)&interface},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef batch_members[] = {
    {"overflow", T_BOOL, offsetof(batch_object, result.overflow), READONLY,
     "Changes were lost before or within this batch."},
    {"synced", T_BOOL, offsetof(batch_object, result.synced), READONLY,
     "The snapshot, or the repair after an overflow, is complete."},
    {NULL, 0, 0, 0, NULL},
};

static PyMethodDef batch_methods[] = {
    {"__copy__", batch_copy, METH_NOARGS, NULL},
    {"__reduce__", batch_reduce, METH_NOARGS,
     PyDoc_STR("__reduce__($self, /)\n--\n\nFor pickle.")},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(
    batch_doc,
    "Batch(changes, overflow, synced)\n--\n\n"
    "Changes that were delivered together, in the system's order.\n"
    "\n"
    "Iterate over it, or take its rows as tables, which numpy, pyarrow, "
    "polars and\n"
    "others read as columns (see Table). Each access to a change creates a "
    "new\n"
    "Change object, which is equal to an earlier one but not identical. "
    "Tables\n"
    "create none, so a program that reads columns pays for no objects. "
    "Immutable.\n"
    "\n"
    "A batch may hold no change, and only have `overflow` or `synced` set. "
    "It is\n"
    "true even then, so that `while batch := watcher.read():` goes on.\n"
    "\n"
    "changes: an iterable of Change.\n"
    "overflow: changes were lost before or within this batch, by the system "
    "or by\n"
    "    an allocation failure. The tables are read again, and the "
    "difference is\n"
    "    delivered as changes that are `synthesized`; a batch with `synced` "
    "ends it.\n"
    "synced: the snapshot, or the repair after an overflow, is complete: a "
    "program\n"
    "    that has applied all changes up to the end of this batch has the "
    "exact\n"
    "    state.");

static PyType_Slot batch_slots[] = {
    {Py_tp_doc, (void *)batch_doc},     {Py_tp_new, batch_new},
    {Py_tp_dealloc, batch_dealloc},     {Py_tp_repr, batch_repr},
    {Py_tp_iter, PySeqIter_New},        {Py_sq_length, batch_length},
    {Py_sq_item, batch_item},           {Py_mp_length, batch_length},
    {Py_mp_subscript, batch_subscript}, {Py_nb_bool, batch_bool},
    {Py_tp_getset, batch_getset},       {Py_tp_members, batch_members},
    {Py_tp_methods, batch_methods},     {0, NULL},
};

static PyType_Spec batch_spec = {
    .name = "netioapi.batch.Batch",
    .basicsize = sizeof(batch_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = batch_slots,
};

int
nio_batch_init(PyObject *module, nio_state *state)
{
    state->Batch =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &batch_spec, NULL);
    return state->Batch == NULL ? -1 : PyModule_AddType(module, state->Batch);
}

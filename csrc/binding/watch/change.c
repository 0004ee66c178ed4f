/* SPDX-License-Identifier: MIT */
/* The Change type. A Change holds its native row and converts a field only
 * when a program reads it, since a program that gets many changes looks at few
 * fields of few of them. Immutable, and not tracked by the garbage collector:
 * the only object that it refers to is its row. */
#include "binding/watch/change.h"

#include "base/extra.h"
#include "binding/errors.h"
#include "binding/rows/equality.h"
#include "binding/rows/row.h"
#include "binding/values/enums.h"
#include "binding/watch/read_result.h"

#include <stddef.h>
#include <string.h>

typedef struct change_object {
    PyObject_VAR_HEAD nio_once row; /* made when it is first read */
    nio_change change;              /* as the queue had it */
    uint64_t data[];                /* its row, in full length */
} change_object;

_Static_assert(offsetof(change_object, data) ==
                   offsetof(change_object, change) + sizeof(nio_change),
               "the row follows the change in memory");

/* The caller writes the row. */
static change_object *
change_alloc(nio_state *state, const nio_change *change)
{
    size_t size = nio_row_size((nio_kind)change->kind);
    change_object *self = PyObject_NewVar(change_object, state->Change,
                                          (Py_ssize_t)((size + 7) / 8));
    if (self != NULL) {
        nio_atomic_store(&self->row.object, 0);
        self->change = *change;
        self->change.size = (uint16_t)size;
    }
    return self;
}

PyObject *
nio_change_new(nio_state *state, nio_change *change)
{
    change_object *self = change_alloc(state, change);
    if (self != NULL) {
        nio_read_result_copy_row(change, self->data, self->change.size);
        (void)nio_extra_keep(nio_change_extra(&self->change));
    }
    return (PyObject *)self;
}

nio_change *
nio_change_of(PyObject *op)
{
    return &((change_object *)op)->change;
}

static nio_kind
kind_of(const change_object *self)
{
    return (nio_kind)self->change.kind;
}

static const char *
kind_name_of(PyObject *op)
{
    return nio_schema_of(kind_of((change_object *)op))->kind_name;
}

static void
change_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    nio_once_clear(&((change_object *)op)->row);
    nio_extra_drop(nio_change_extra(&((change_object *)op)->change));
    PyObject_Free(op);
    Py_DECREF(type);
}

/* Compares the values of all attributes. */
static PyObject *
change_compare(PyObject *a, PyObject *b, int operation)
{
    if ((operation != Py_EQ && operation != Py_NE) ||
        Py_TYPE(a) != Py_TYPE(b)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    change_object *x = (change_object *)a, *y = (change_object *)b;
    bool equal = x->change.kind == y->change.kind &&
                 x->change.type == y->change.type &&
                 x->change.flags == y->change.flags &&
                 x->change.time_ns == y->change.time_ns &&
                 nio_row_equal(kind_of(x), x->data, y->data, true);
    return PyBool_FromLong(equal == (operation == Py_EQ));
}

static Py_hash_t
change_hash(PyObject *op)
{
    change_object *self = (change_object *)op;
    uint64_t mixed = (self->change.time_ns << 4 |
                      (uint64_t)self->change.kind << 2 | self->change.type) *
                     0x9e3779b97f4a7c15u;
    Py_hash_t hash = (Py_hash_t)(mixed ^ mixed >> 32);
    return hash == -1 ? -2 : hash;
}

static PyObject *
change_kind(PyObject *op, void *closure)
{
    (void)closure;
    return PyUnicode_InternFromString(kind_name_of(op));
}

static PyObject *
change_type(PyObject *op, void *closure)
{
    (void)closure;
    return nio_enum_new(nio_state_of(op), NIO_ENUM_NotificationType,
                        ((change_object *)op)->change.type);
}

static PyObject *
change_row(PyObject *op, void *closure)
{
    change_object *self = (change_object *)op;
    (void)closure;
    PyObject *row = nio_once_get(&self->row);
    if (row == NULL) {
        row = nio_once_put(&self->row,
                           nio_row_new(nio_state_of(op), self->change.kind,
                                       self->data, NIO_ROW_WHOLE));
    }
    return Py_XNewRef(row);
}

static PyObject *
change_time_ns(PyObject *op, void *closure)
{
    (void)closure;
    return PyLong_FromUnsignedLongLong(((change_object *)op)->change.time_ns);
}

/* `closure` points to the flag. */
static PyObject *
change_flag(PyObject *op, void *closure)
{
    return PyBool_FromLong(((change_object *)op)->change.flags &
                           *(const uint8_t *)closure);
}

/* The kind, followed by the key of the row. */
static PyObject *
change_identity(PyObject *op, void *closure)
{
    change_object *self = (change_object *)op;
    uint8_t key[1 + NIO_KEY_SIZE];
    (void)closure;
    key[0] = (uint8_t)self->change.kind;
    size_t length = nio_row_key(self->change.kind, self->data, key + 1);
    return PyBytes_FromStringAndSize((const char *)key,
                                     (Py_ssize_t)length + 1);
}

static PyObject *
change_repr(PyObject *op)
{
    const nio_change *change = nio_change_of(op);
    PyObject *type = NULL, *name = NULL, *row = NULL, *result = NULL;

    type = change_type(op, NULL);
    if (type == NULL) {
        goto done;
    }
    name = PyObject_GetAttrString(type, "name");
    if (name == NULL) { /* an int: the number is in no enum */
        PyErr_Clear();
        name = PyObject_Str(type);
    }
    row = change_row(op, NULL);
    if (name == NULL || row == NULL) {
        goto done;
    }
    result = PyUnicode_FromFormat(
        "<Change %s %S%s%s %R>", kind_name_of(op), name,
        change->flags & NIO_FLAG_SNAPSHOT ? " initial" : "",
        change->flags & NIO_FLAG_SYNTHESIZED ? " synthesized" : "", row);
done:
    Py_XDECREF(row);
    Py_XDECREF(name);
    Py_XDECREF(type);
    return result;
}

/* self._merge(later) -> Change or None: merges the two as a queue does. */
static PyObject *
change_merge(PyObject *op, PyObject *other)
{
    nio_state *state = nio_state_of(op);
    change_object *self = (change_object *)op, *later = NULL, *merged = NULL;
    nio_change result = self->change;

    if (!PyObject_TypeCheck(other, state->Change)) {
        return PyErr_Format(PyExc_TypeError, "%R is not a Change", other);
    }
    later = (change_object *)other;
    if (kind_of(later) != kind_of(self)) {
        PyErr_SetString(PyExc_ValueError, "changes of different kinds");
        return NULL;
    }
    nio_change_merge(&result, &later->change);
    if (result.type == NIO_CHANGE_NOTHING) {
        Py_RETURN_NONE;
    }
    merged = change_alloc(state, &result);
    if (merged != NULL) {
        memcpy(merged->data, later->data, later->change.size);
        (void)nio_extra_keep(nio_change_extra(&merged->change));
    }
    return (PyObject *)merged;
}

/* ---- pickles */
/* The kind of a row object with all its fields; -1 with TypeError. */
static int
kind_of_row(const nio_state *state, PyObject *row)
{
    for (int kind = 0; kind < NIO_KINDS; kind++) {
        if (Py_TYPE(row) == state->row_types[kind] &&
            ((nio_row *)row)->known == NIO_ROW_WHOLE) {
            return kind;
        }
    }
    PyErr_Format(PyExc_TypeError, "%R is not the row of a change", row);
    return -1;
}

PyDoc_STRVAR(from_row_doc,
             "_from_row($type, row, type, first_type, flags, time_ns, /)\n"
             "--\n\n"
             "A Change of a copy of this row, for pickle.\n\n"
             "type: the number of a NotificationType: ADD, DELETE or "
             "PARAMETER.\n"
             "first_type: that of the first change that was merged into this "
             "one.\n"
             "flags: 1 for `initial`, 2 for `synthesized`.\n\n"
             "Raises: ValueError for other numbers; TypeError for another "
             "object than a row.");

static PyObject *
change_from_row(PyObject *type, PyObject *args)
{
    nio_state *state = PyType_GetModuleState((PyTypeObject *)type);
    PyObject *row = NULL, *time_ns = NULL;
    int last = 0, first = 0, flags = 0;
    if (state == NULL ||
        !PyArg_ParseTuple(args, "OiiiO!:_from_row", &row, &last, &first,
                          &flags, &PyLong_Type, &time_ns)) {
        return nio_raise_overflow_as_value();
    }
    if (last < 0 || last > NIO_CHANGE_DELETE || first < 0 ||
        first > NIO_CHANGE_DELETE ||
        (flags & ~(NIO_FLAG_SNAPSHOT | NIO_FLAG_SYNTHESIZED)) != 0) {
        PyErr_SetString(PyExc_ValueError,
                        "no change has such a type or such flags");
        return NULL;
    }
    nio_change change = {.time_ns = PyLong_AsUnsignedLongLong(time_ns),
                         .type = (uint8_t)last,
                         .first_type = (uint8_t)first,
                         .flags = (uint8_t)flags};
    if (PyErr_Occurred() != NULL) {
        return nio_raise_overflow_as_value();
    }
    const int kind = kind_of_row(state, row);
    if (kind < 0) {
        return NULL;
    }
    const void *data = ((nio_row *)row)->data;
    change.kind = (uint8_t)kind;
    change.has_extra = nio_extra_of((nio_kind)kind, data) != NULL;
    change_object *self = change_alloc(state, &change);
    if (self != NULL) {
        memcpy(self->data, data, self->change.size);
        (void)nio_extra_keep(nio_change_extra(&self->change));
    }
    return (PyObject *)self;
}

static PyObject *
change_reduce(PyObject *op, PyObject *unused)
{
    const nio_change *change = nio_change_of(op);
    (void)unused;
    PyObject *make =
        PyObject_GetAttrString((PyObject *)Py_TYPE(op), "_from_row");
    PyObject *row = change_row(op, NULL);
    if (make == NULL || row == NULL) {
        Py_XDECREF(make);
        Py_XDECREF(row);
        return NULL;
    }
    return Py_BuildValue("N(NiiiK)", make, row, change->type,
                         change->first_type, change->flags, change->time_ns);
}

static uint8_t snapshot_flag = NIO_FLAG_SNAPSHOT;
static uint8_t synthesized_flag = NIO_FLAG_SYNTHESIZED;

static PyGetSetDef change_getset[] = {
    {"kind", change_kind, NULL, "\"route\", \"address\" or \"interface\".",
     NULL},
    {"type", change_type, NULL,
     "What happened, a NotificationType: ADD, DELETE or PARAMETER (changed).",
     NULL},
    {"row", change_row, NULL,
     "The row after the change; for DELETE its last state. An IpForwardRow,\n"
     "UnicastIpAddressRow or IpInterfaceRow.",
     NULL},
    {"time_ns", change_time_ns, NULL,
     "When the system's message was read: nanoseconds since 1970, UTC, as\n"
     "time.time_ns() counts them.",
     NULL},
    {"initial", change_flag, NULL,
     "True for a row that existed before the Watcher (snapshot=True).",
     &snapshot_flag},
    {"synthesized", change_flag, NULL,
     "True when the system sent no message for the change: a comparison of\n"
     "tables found it, or it is the other half of a replacement.",
     &synthesized_flag},
    {"_identity", change_identity, NULL,
     "Kind and row.key as bytes: equal for two states of the same thing.",
     NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMethodDef change_methods[] = {
    {"_merge", change_merge, METH_O,
     PyDoc_STR("_merge($self, later, /)\n--\n\n"
               "One Change for this one and a later one of the same thing; "
               "None for one that\ncame and went.")},
    {"_from_row", change_from_row, METH_VARARGS | METH_CLASS, from_row_doc},
    {"__reduce__", change_reduce, METH_NOARGS,
     PyDoc_STR("__reduce__($self, /)\n--\n\nFor pickle and copy.")},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(change_doc,
             "One change: kind, type, row, time_ns, initial, synthesized.\n\n"
             "Immutable. A Batch creates its changes each time that a program "
             "asks for one;\n"
             "two are equal when all their attributes are.");

static PyType_Slot change_slots[] = {
    {Py_tp_doc, (void *)change_doc}, {Py_tp_dealloc, change_dealloc},
    {Py_tp_repr, change_repr},       {Py_tp_getset, change_getset},
    {Py_tp_methods, change_methods}, {Py_tp_richcompare, change_compare},
    {Py_tp_hash, change_hash},       {0, NULL},
};

static PyType_Spec change_spec = {
    .name = "netioapi.Change",
    .basicsize = sizeof(change_object),
    .itemsize = sizeof(uint64_t),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION |
             Py_TPFLAGS_IMMUTABLETYPE,
    .slots = change_slots,
};

int
nio_change_init(PyObject *module, nio_state *state)
{
    state->Change =
        (PyTypeObject *)PyType_FromModuleAndSpec(module, &change_spec, NULL);
    return state->Change == NULL ? -1
                                 : PyModule_AddType(module, state->Change);
}

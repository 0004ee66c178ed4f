/* SPDX-License-Identifier: MIT */
/* The three row types: immutable objects with the native row inline. A field
 * is converted when it is read. The methods know no field by name, but go
 * through the field tables. With the GIL. */
#include "binding/rows/row.h"

#include "base/extra.h"
#include "binding/rows/equality.h"

#include <string.h>

/* "IpForwardRow" */
static const char *
short_name(const nio_schema *schema)
{
    return strchr(schema->type_name, '.') + 1;
}

PyObject *
nio_row_get(PyObject *self, void *closure)
{
    const nio_row *row = (nio_row *)self;
    const nio_field *field = closure;
    /* A shortcut for the fields that are read most often. */
    if (row->known == NIO_ROW_WHOLE && field->always_known &&
        field->kind <= NIO_FIELD_LAST_NUMBER) {
        return nio_number_value(field->kind,
                                (const uint8_t *)row->data + field->offset);
    }
    return nio_field_value(nio_state_of(self), nio_schema_of(row->kind), field,
                           row->data, row->known);
}

static void
row_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    nio_row *row = (nio_row *)self;
    nio_extra_drop(nio_extra_of(row->kind, row->data));
    PyObject_Free(self);
    Py_DECREF(type);
}

static bool
is_whole(const nio_row *row)
{
    return row->known == NIO_ROW_WHOLE;
}

static PyObject *
row_compare(PyObject *a, PyObject *b, int operation)
{
    if ((operation != Py_EQ && operation != Py_NE) ||
        Py_TYPE(a) != Py_TYPE(b)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    const nio_row *x = (nio_row *)a, *y = (nio_row *)b;
    bool equal = is_whole(x) == is_whole(y) &&
                 nio_row_equal(x->kind, x->data, y->data, is_whole(x));
    return PyBool_FromLong(equal == (operation == Py_EQ));
}

static Py_hash_t
row_hash(PyObject *self)
{
    const nio_row *row = (nio_row *)self;
    return nio_row_hash(row->kind, row->data, is_whole(row));
}

/* "name=value"; None for a field that is None; NULL with an exception. */
static PyObject *
repr_part(nio_state *state, const nio_row *row, const nio_field *field)
{
    PyObject *value = nio_field_plain(state, nio_schema_of(row->kind), field,
                                      row->data, row->known);
    if (value == NULL || value == Py_None) {
        return value;
    }
    bool bare = field->enum_class != NIO_ENUM_NULL && PyUnicode_Check(value);
    PyObject *part =
        PyUnicode_FromFormat(bare ? "%s=%S" : "%s=%R", field->name, value);
    Py_DECREF(value);
    return part;
}

static PyObject *
row_repr(PyObject *self)
{
    nio_row *row = (nio_row *)self;
    const nio_schema *schema = nio_schema_of(row->kind);
    PyObject *parts = PyList_New(0), *comma = NULL, *inner = NULL;
    PyObject *result = NULL;
    for (size_t i = 0; parts != NULL && i < schema->field_count; i++) {
        const nio_field *field = &schema->fields[i];
        if ((field->flags & NIO_FIELD_BRIEF) == 0) {
            continue;
        }
        PyObject *part = repr_part(nio_state_of(self), row, field);
        if (part == NULL ||
            (part != Py_None && PyList_Append(parts, part) < 0)) {
            Py_CLEAR(parts);
        }
        Py_XDECREF(part);
    }
    if (parts == NULL) {
        return NULL;
    }
    comma = PyUnicode_FromString(", ");
    if (comma != NULL) {
        inner = PyUnicode_Join(comma, parts);
    }
    if (inner != NULL) {
        result = PyUnicode_FromFormat("%s(%U)", short_name(schema), inner);
    }
    Py_DECREF(parts);
    Py_XDECREF(comma);
    Py_XDECREF(inner);
    return result;
}

PyDoc_STRVAR(
    asdict_doc,
    "_asdict($self, /, *, json=False)\n--\n\n"
    "A dict of all fields in the order of _fields: {name: value}.\n\n"
    "json: with True every value is one that json.dumps() takes: addresses\n"
    "and prefixes are text, members of an enum are their names.\n"
    "A field that is not known is None.");

static PyObject *
row_asdict(PyObject *self, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"json", NULL};
    nio_row *row = (nio_row *)self;
    const nio_schema *schema = nio_schema_of(row->kind);
    nio_state *state = nio_state_of(self);
    int json = 0;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "|$p:_asdict", names,
                                     &json)) {
        return NULL;
    }
    PyObject *dict = PyDict_New();
    for (size_t i = 0; dict != NULL && i < schema->field_count; i++) {
        const nio_field *field = &schema->fields[i];
        if ((field->flags & NIO_FIELD_HIDDEN) != 0) {
            continue;
        }
        PyObject *value = (json ? nio_field_plain : nio_field_value)(
            state, schema, field, row->data, row->known);
        if (value == NULL ||
            PyDict_SetItemString(dict, field->name, value) < 0) {
            Py_CLEAR(dict);
        }
        Py_XDECREF(value);
    }
    return dict;
}

static PyMethodDef row_methods[] = {
    {"_asdict", (PyCFunction)(void (*)(void))row_asdict,
     METH_VARARGS | METH_KEYWORDS, asdict_doc},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot row_slots[] = {
    {Py_tp_dealloc, row_dealloc}, {Py_tp_repr, row_repr},
    {Py_tp_hash, row_hash},       {Py_tp_richcompare, row_compare},
    {Py_tp_methods, row_methods}, {0, NULL},
};

PyTypeObject *
nio_row_type_new(PyObject *module, const nio_schema *schema, newfunc make)
{
    enum { COMMON = sizeof(row_slots) / sizeof(row_slots[0]) };
    PyType_Slot slots[COMMON + 3] = {
        {Py_tp_doc, (void *)schema->doc},
        {Py_tp_getset, schema->getters},
        {Py_tp_new, (void *)make},
    };
    memcpy(slots + 3, row_slots, sizeof(row_slots));
    PyType_Spec spec = {
        .name = schema->type_name,
        .basicsize = (int)(offsetof(nio_row, data) + schema->row_size),
        .flags = Py_TPFLAGS_DEFAULT,
        .slots = slots,
    };
    return (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
}

size_t
nio_row_size(nio_kind kind)
{
    return nio_schema_of(kind)->row_size;
}

PyObject *
nio_row_new(nio_state *state, nio_kind kind, const void *data,
            nio_knowledge known)
{
    nio_row *row = PyObject_New(nio_row, state->row_types[kind]);
    if (row != NULL) {
        row->kind = kind;
        row->known = known;
        memcpy(row->data, data, nio_schema_of(kind)->row_size);
        (void)nio_extra_keep(nio_extra_of(kind, row->data));
    }
    return (PyObject *)row;
}

const void *
nio_row_data(nio_state *state, nio_kind kind, PyObject *row,
             const char *function)
{
    if (Py_TYPE(row) != state->row_types[kind]) {
        PyErr_Format(PyExc_TypeError, "%s() takes an %s, not %R", function,
                     short_name(nio_schema_of(kind)),
                     (PyObject *)Py_TYPE(row));
        return NULL;
    }
    return ((nio_row *)row)->data;
}

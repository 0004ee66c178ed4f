/* SPDX-License-Identifier: MIT */
/* Creates the three row types from the field tables when the module is loaded.
 * _fields() returns the tables themselves, for the stub and for tests. */
#include "binding/rows/row_types.h"

#include "binding/rows/row.h"
#include "binding/rows/row_key.h"

#include <string.h>

/* `_fields` of a type: the names, in the order of the table. */
static PyObject *
field_names_new(const nio_schema *schema)
{
    PyObject *list = PyList_New(0), *names = NULL;
    for (size_t i = 0; list != NULL && i < schema->field_count; i++) {
        if ((schema->fields[i].flags & NIO_FIELD_HIDDEN) != 0) {
            continue;
        }
        PyObject *name = PyUnicode_InternFromString(schema->fields[i].name);
        if (name == NULL || PyList_Append(list, name) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(name);
    }
    if (list != NULL) {
        names = PyList_AsTuple(list);
        Py_DECREF(list);
    }
    return names;
}

static int
type_add(PyObject *module, nio_state *state, nio_kind kind)
{
    const nio_schema *schema = nio_schema_of(kind);
    state->row_types[kind] =
        nio_row_type_new(module, schema, nio_row_construct);
    state->formats[kind] = nio_schema_format_new(schema);
    if (state->row_types[kind] == NULL || state->formats[kind] == NULL) {
        return -1;
    }
    PyObject *names = field_names_new(schema);
    if (names == NULL) {
        return -1;
    }
    int result = PyObject_SetAttrString((PyObject *)state->row_types[kind],
                                        "_fields", names);
    Py_DECREF(names);
    return result < 0 ? -1 : PyModule_AddType(module, state->row_types[kind]);
}

/* The systems that provide a field, as a list of their names. */
static PyObject *
systems_new(const nio_field *field)
{
    const char *on_linux = "", *on_windows = "";
    if (field->available_on & NIO_ON_LINUX) {
        on_linux = "linux ";
    } else if (field->available_on & NIO_ON_LINUX_IPV6) {
        on_linux = "linux-ipv6 ";
    }
    if (field->available_on & NIO_ON_WINDOWS) {
        on_windows = "windows";
    }
    PyObject *systems = PyUnicode_FromFormat("%s%s", on_linux, on_windows);
    if (systems != NULL) {
        nio_replace(&systems, PyUnicode_Split(systems, NULL, -1));
    }
    return systems;
}

static PyObject *
field_describe(const nio_field *field)
{
    unsigned flags = field->flags;
    return Py_BuildValue(
        "{s:s,s:s,s:z,s:s,s:s,s:s,s:N,s:O,s:O,s:O,s:O}", "name", field->name,
        "type", nio_field_type(field), "enum",
        nio_enum_name(field->enum_class), "unit", field->unit, "source",
        field->source, "doc", field->doc, "systems", systems_new(field), "key",
        flags & NIO_FIELD_KEY ? Py_True : Py_False, "volatile",
        flags & NIO_FIELD_VOLATILE ? Py_True : Py_False, "optional",
        flags & NIO_FIELD_OPTIONAL ? Py_True : Py_False, "hidden",
        flags & NIO_FIELD_HIDDEN ? Py_True : Py_False);
}

static PyObject *
schema_describe(const nio_schema *schema)
{
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list != NULL && i < schema->field_count; i++) {
        PyObject *field = field_describe(&schema->fields[i]);
        if (field == NULL || PyList_Append(list, field) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(field);
    }
    return list;
}

PyDoc_STRVAR(fields_doc, "_fields($module, /)\n--\n\n"
                         "The field tables: {name of a row type: [field, "
                         "...]}, each field a dict.\n"
                         "For the generator of the stub, and for tests.");

static PyObject *
describe(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(unused))
{
    PyObject *tables = PyDict_New();
    for (int kind = 0; tables != NULL && kind < NIO_KINDS; kind++) {
        const nio_schema *schema = nio_schema_of((nio_kind)kind);
        PyObject *list = schema_describe(schema);
        const char *name = strchr(schema->type_name, '.') + 1;
        if (list == NULL || PyDict_SetItemString(tables, name, list) < 0) {
            Py_CLEAR(tables);
        }
        Py_XDECREF(list);
    }
    return tables;
}

static PyMethodDef functions[] = {
    {"_fields", describe, METH_NOARGS, fields_doc},
    {NULL, NULL, 0, NULL},
};

int
nio_row_types_init(PyObject *module, nio_state *state)
{
    for (int kind = 0; kind < NIO_KINDS; kind++) {
        if (type_add(module, state, (nio_kind)kind) < 0) {
            return -1;
        }
    }
    PyObject *infinite = PyLong_FromUnsignedLong(0xffffffffu);
    if (infinite == NULL) {
        return -1;
    }
    int result = PyModule_AddObjectRef(module, "INFINITE", infinite);
    Py_DECREF(infinite);
    return result < 0 ? -1 : PyModule_AddFunctions(module, functions);
}

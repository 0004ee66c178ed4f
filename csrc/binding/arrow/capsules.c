/* SPDX-License-Identifier: MIT */
/* Arrow's PyCapsule interface: the structs in capsules, which release what
 * nobody took out of them. Called with the GIL. */
#include "binding/arrow/arrow.h"

#include <stdlib.h>

static const char schema_name[] = "arrow_schema";
static const char array_name[] = "arrow_array";
static const char stream_name[] = "arrow_array_stream";

/* By its own name, whatever that is: a destructor has nowhere to fail to. */
static void *
pointer_of(PyObject *capsule)
{
    return PyCapsule_GetPointer(capsule, PyCapsule_GetName(capsule));
}

static void
free_schema(struct ArrowSchema *schema)
{
    if (schema->release != NULL) {
        schema->release(schema);
    }
    free(schema);
}

static void
free_array(struct ArrowArray *array)
{
    if (array->release != NULL) {
        array->release(array);
    }
    free(array);
}

static void
free_stream(struct ArrowArrayStream *stream)
{
    if (stream->release != NULL) {
        stream->release(stream);
    }
    free(stream);
}

static void
destroy_schema(PyObject *capsule)
{
    free_schema(pointer_of(capsule));
}

static void
destroy_array(PyObject *capsule)
{
    free_array(pointer_of(capsule));
}

static void
destroy_stream(PyObject *capsule)
{
    free_stream(pointer_of(capsule));
}

static PyObject *
schema_capsule(nio_schema_template *description)
{
    struct ArrowSchema *schema = calloc(1, sizeof(*schema));
    if (schema == NULL || !nio_schema_template_schema(description, schema)) {
        free(schema);
        return PyErr_NoMemory();
    }
    PyObject *capsule = PyCapsule_New(schema, schema_name, destroy_schema);
    if (capsule == NULL) {
        free_schema(schema);
    }
    return capsule;
}

static PyObject *
array_capsule(nio_state *state, const nio_schema_template *description,
              const void *rows, size_t count)
{
    struct ArrowArray *array = calloc(1, sizeof(*array));
    if (array == NULL) {
        return PyErr_NoMemory();
    }
    if (!nio_array_new(state, description, rows, count, array)) {
        free(array);
        return NULL;
    }
    PyObject *capsule = PyCapsule_New(array, array_name, destroy_array);
    if (capsule == NULL) {
        free_array(array);
    }
    return capsule;
}

/* A description that fits the wish; NULL with an exception. */
static nio_schema_template *
description_for(nio_state *state, nio_kind kind,
                const struct ArrowSchema *wish)
{
    nio_schema_template *description = nio_schema_template_new(state, kind);
    if (description != NULL && wish != NULL &&
        !nio_schema_template_fits(description, wish)) {
        size_t count;
        (void)nio_schema_template_columns(description, &count);
        PyErr_Format(PyExc_ValueError,
                     "requested_schema has not the %zu columns of kind '%s' "
                     "in their order: ask for no schema, and select of what "
                     "comes",
                     count, nio_schema_template_rows(description)->kind_name);
        nio_schema_template_drop(description);
        return NULL;
    }
    return description;
}

PyObject *
nio_arrow_schema(nio_state *state, nio_kind kind)
{
    nio_schema_template *description = nio_schema_template_new(state, kind);
    if (description == NULL) {
        return NULL;
    }
    PyObject *capsule = schema_capsule(description);
    nio_schema_template_drop(description);
    return capsule;
}

PyObject *
nio_arrow_array(nio_state *state, nio_kind kind, const void *rows,
                size_t count, const struct ArrowSchema *wish)
{
    PyObject *schema = NULL, *array = NULL, *both = NULL;
    nio_schema_template *description = description_for(state, kind, wish);
    if (description != NULL) {
        schema = schema_capsule(description);
    }
    if (schema != NULL) {
        array = array_capsule(state, description, rows, count);
    }
    if (array != NULL) {
        both = PyTuple_Pack(2, schema, array);
    }
    Py_XDECREF(schema);
    Py_XDECREF(array);
    nio_schema_template_drop(description);
    return both;
}

PyObject *
nio_arrow_stream(nio_state *state, nio_kind kind, const void *rows,
                 size_t count, const struct ArrowSchema *wish)
{
    struct ArrowArray array = {.release = NULL};
    PyObject *capsule = NULL;
    nio_schema_template *description = description_for(state, kind, wish);
    struct ArrowArrayStream *stream = calloc(1, sizeof(*stream));
    if (description == NULL || stream == NULL) {
        goto done;
    }
    if (!nio_array_new(state, description, rows, count, &array)) {
        goto done;
    }
    if (!nio_stream_new(description, &array, stream)) {
        array.release(&array);
        goto done;
    }
    description = NULL; /* taken, as the array is */
    capsule = PyCapsule_New(stream, stream_name, destroy_stream);
done:
    if (capsule == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_NoMemory();
        }
        if (stream != NULL) {
            free_stream(stream);
        }
    }
    nio_schema_template_drop(description);
    return capsule;
}

bool
nio_arrow_wish(PyObject *args, PyObject *keywords, const char *format,
               const struct ArrowSchema **ret_wish)
{
    static char *names[] = {"requested_schema", NULL};
    PyObject *wish = Py_None;
    *ret_wish = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, format, names, &wish)) {
        return false;
    }
    if (wish == Py_None) {
        return true;
    }
    if (!PyCapsule_IsValid(wish, schema_name)) {
        PyErr_Format(PyExc_TypeError,
                     "requested_schema must be None or a capsule with an "
                     "ArrowSchema, not %R",
                     (PyObject *)Py_TYPE(wish));
        return false;
    }
    *ret_wish = PyCapsule_GetPointer(wish, schema_name);
    if ((*ret_wish)->release == NULL) {
        PyErr_SetString(PyExc_ValueError,
                        "requested_schema was released or taken already");
        return false;
    }
    return true;
}

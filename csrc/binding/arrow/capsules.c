/* SPDX-License-Identifier: MIT */
/* The capsules of Arrow's PyCapsule interface. A capsule releases its struct
 * unless a consumer has taken it out. */
#include "binding/arrow/capsules.h"

#include "binding/arrow/array.h"
#include "binding/arrow/stream.h"

#include <stdlib.h>

static const char schema_name[] = "arrow_schema";
static const char array_name[] = "arrow_array";
static const char stream_name[] = "arrow_array_stream";

/* A consumer may rename a capsule, and a destructor cannot raise, so the
 * pointer is read by the current name. */
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
schema_capsule(nio_schema_template *template)
{
    struct ArrowSchema *schema = calloc(1, sizeof(*schema));
    if (schema == NULL || !nio_schema_template_schema(template, schema)) {
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
array_capsule(nio_state *state, const nio_schema_template *template,
              const void *rows, size_t count, bool has_extras)
{
    struct ArrowArray *array = calloc(1, sizeof(*array));
    if (array == NULL) {
        return PyErr_NoMemory();
    }
    if (!nio_array_new(state, template, rows, count, has_extras, array)) {
        free(array);
        return NULL;
    }
    PyObject *capsule = PyCapsule_New(array, array_name, destroy_array);
    if (capsule == NULL) {
        free_array(array);
    }
    return capsule;
}

/* The template of a kind; NULL with an exception, also where the requested
 * schema has other columns. */
static nio_schema_template *
template_for(nio_state *state, nio_kind kind,
             const struct ArrowSchema *requested)
{
    nio_schema_template *template = nio_schema_template_new(state, kind);
    if (template != NULL && requested != NULL &&
        !nio_schema_template_fits(template, requested)) {
        size_t count;
        (void)nio_schema_template_columns(template, &count);
        PyErr_Format(PyExc_ValueError,
                     "requested_schema must have the %zu columns of kind '%s' "
                     "in their order: request no schema, and select columns "
                     "of the result",
                     count, nio_schema_template_rows(template)->kind_name);
        nio_schema_template_drop(template);
        return NULL;
    }
    return template;
}

PyObject *
nio_arrow_schema(nio_state *state, nio_kind kind)
{
    nio_schema_template *template = nio_schema_template_new(state, kind);
    if (template == NULL) {
        return NULL;
    }
    PyObject *capsule = schema_capsule(template);
    nio_schema_template_drop(template);
    return capsule;
}

PyObject *
nio_arrow_array(nio_state *state, nio_kind kind, const void *rows,
                size_t count, bool has_extras,
                const struct ArrowSchema *requested)
{
    PyObject *schema = NULL, *array = NULL, *both = NULL;
    nio_schema_template *template = template_for(state, kind, requested);
    if (template != NULL) {
        schema = schema_capsule(template);
    }
    if (schema != NULL) {
        array = array_capsule(state, template, rows, count, has_extras);
    }
    if (array != NULL) {
        both = PyTuple_Pack(2, schema, array);
    }
    Py_XDECREF(schema);
    Py_XDECREF(array);
    nio_schema_template_drop(template);
    return both;
}

PyObject *
nio_arrow_stream(nio_state *state, nio_kind kind, const void *rows,
                 size_t count, bool has_extras,
                 const struct ArrowSchema *requested)
{
    struct ArrowArray array = {.release = NULL};
    PyObject *capsule = NULL;
    nio_schema_template *template = template_for(state, kind, requested);
    struct ArrowArrayStream *stream = calloc(1, sizeof(*stream));
    if (template == NULL || stream == NULL) {
        goto done;
    }
    if (!nio_array_new(state, template, rows, count, has_extras, &array)) {
        goto done;
    }
    if (!nio_stream_new(template, &array, stream)) {
        array.release(&array);
        goto done;
    }
    template = NULL; /* owned by the stream now, as the array is */
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
    nio_schema_template_drop(template);
    return capsule;
}

bool
nio_arrow_requested_schema(PyObject *args, PyObject *keywords,
                           const char *format,
                           const struct ArrowSchema **ret_requested)
{
    static char *names[] = {"requested_schema", NULL};
    PyObject *requested = Py_None;
    *ret_requested = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, format, names,
                                     &requested)) {
        return false;
    }
    if (requested == Py_None) {
        return true;
    }
    if (!PyCapsule_IsValid(requested, schema_name)) {
        PyErr_Format(PyExc_TypeError,
                     "requested_schema must be None or a capsule with an "
                     "ArrowSchema, not %R",
                     (PyObject *)Py_TYPE(requested));
        return false;
    }
    *ret_requested = PyCapsule_GetPointer(requested, schema_name);
    if ((*ret_requested)->release == NULL) {
        PyErr_SetString(PyExc_ValueError,
                        "requested_schema was already released or moved");
        return false;
    }
    return true;
}

/* SPDX-License-Identifier: MIT */
/* Arrow's PyCapsule interface as methods of Table. They are added to the type
 * here, so that rows/ is independent of Arrow. With the GIL. */
#include "binding/arrow/export.h"

#include "binding/arrow/capsules.h"
#include "binding/rows/table.h"

PyDoc_STRVAR(
    arrow_schema_doc,
    "__arrow_c_schema__($self, /)\n--\n\n"
    "The columns without the rows: a capsule with an ArrowSchema, for\n"
    "pyarrow.schema(table) and the like.");

static PyObject *
arrow_schema(PyObject *self, PyObject *Py_UNUSED(unused))
{
    return nio_arrow_schema(nio_state_of(self), ((nio_table *)self)->kind);
}

#define ABOUT_REQUESTED_SCHEMA                                                \
    "requested_schema: None, or a capsule with the ArrowSchema that the\n"    \
    "consumer prefers. A table has one set of columns, and each column one\n" \
    "type. A request for other types is ignored, which Arrow allows: the\n"   \
    "consumer casts the result. A request for other columns is refused,\n"    \
    "which Arrow requires.\n\n"                                               \
    "Raises: TypeError when it is neither; ValueError when it has other\n"    \
    "columns, or was already released or moved; MemoryError;\n"               \
    "OverflowError when the interface names exceed 2 GiB."

PyDoc_STRVAR(
    arrow_array_doc,
    "__arrow_c_array__($self, /, requested_schema=None)\n--\n\n"
    "A copy of the rows as columns: two capsules with an ArrowSchema and an\n"
    "ArrowArray, for pyarrow.record_batch(table) and the "
    "like.\n\n" ABOUT_REQUESTED_SCHEMA);

static PyObject *
arrow_array(PyObject *self, PyObject *args, PyObject *keywords)
{
    nio_table *table = (nio_table *)self;
    const struct ArrowSchema *requested;
    if (!nio_arrow_requested_schema(args, keywords, "|O:__arrow_c_array__",
                                    &requested)) {
        return NULL;
    }
    return nio_arrow_array(nio_state_of(self), table->kind, table->rows,
                           (size_t)table->count, table->has_extras, requested);
}

PyDoc_STRVAR(
    arrow_stream_doc,
    "__arrow_c_stream__($self, /, requested_schema=None)\n--\n\n"
    "A copy of the rows as columns: a capsule with an ArrowArrayStream of\n"
    "one batch, for polars.from_dataframe(table) and the "
    "like.\n\n" ABOUT_REQUESTED_SCHEMA);

static PyObject *
arrow_stream(PyObject *self, PyObject *args, PyObject *keywords)
{
    nio_table *table = (nio_table *)self;
    const struct ArrowSchema *requested;
    if (!nio_arrow_requested_schema(args, keywords, "|O:__arrow_c_stream__",
                                    &requested)) {
        return NULL;
    }
    return nio_arrow_stream(nio_state_of(self), table->kind, table->rows,
                            (size_t)table->count, table->has_extras,
                            requested);
}

int
nio_export_init(nio_state *state)
{
    static PyMethodDef methods[] = {
        {"__arrow_c_schema__", arrow_schema, METH_NOARGS, arrow_schema_doc},
        {"__arrow_c_array__", (PyCFunction)(void (*)(void))arrow_array,
         METH_VARARGS | METH_KEYWORDS, arrow_array_doc},
        {"__arrow_c_stream__", (PyCFunction)(void (*)(void))arrow_stream,
         METH_VARARGS | METH_KEYWORDS, arrow_stream_doc},
    };

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        PyObject *method = PyDescr_NewMethod(state->Table, &methods[i]);
        if (method == NULL) {
            return -1;
        }
        int result = PyObject_SetAttrString((PyObject *)state->Table,
                                            methods[i].ml_name, method);
        Py_DECREF(method);
        if (result < 0) {
            return -1;
        }
    }
    return 0;
}

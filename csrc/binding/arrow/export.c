/* SPDX-License-Identifier: MIT */
/* Arrow's PyCapsule interface as methods of Table. They are added to the type
 * here, so that rows/ needs to know nothing of Arrow. Called with the GIL. */
#include "binding/arrow/export.h"

#include "binding/arrow/arrow.h"
#include "binding/rows/table.h"

PyDoc_STRVAR(
    arrow_schema_doc,
    "__arrow_c_schema__($self, /)\n--\n\n"
    "What the columns are, without the rows: a capsule with an ArrowSchema,\n"
    "for pyarrow.schema(table) and its like.");

static PyObject *
arrow_schema(PyObject *self, PyObject *Py_UNUSED(unused))
{
    return nio_arrow_schema(nio_state_of(self), ((nio_table *)self)->kind);
}

#define ABOUT_THE_WISH                                                        \
    "requested_schema: None, or a capsule with the ArrowSchema that the\n"    \
    "caller would like best. There are one set of columns and one type of\n"  \
    "each: other types are not given, as Arrow allows, and who asks casts\n"  \
    "what comes; other columns are refused, as it demands.\n\n"               \
    "Raises: TypeError when it is neither, ValueError when it has other\n"    \
    "columns or was released, MemoryError, OverflowError when the\n"          \
    "interface names have more than 2 GiB."

PyDoc_STRVAR(
    arrow_array_doc,
    "__arrow_c_array__($self, /, requested_schema=None)\n--\n\n"
    "A copy of the rows as columns: two capsules with an ArrowSchema and an\n"
    "ArrowArray, for pyarrow.record_batch(table) and its "
    "like.\n\n" ABOUT_THE_WISH);

static PyObject *
arrow_array(PyObject *self, PyObject *args, PyObject *keywords)
{
    nio_table *table = (nio_table *)self;
    const struct ArrowSchema *wish;
    if (!nio_arrow_wish(args, keywords, "|O:__arrow_c_array__", &wish)) {
        return NULL;
    }
    return nio_arrow_array(nio_state_of(self), table->kind, table->rows,
                           (size_t)table->count, wish);
}

PyDoc_STRVAR(
    arrow_stream_doc,
    "__arrow_c_stream__($self, /, requested_schema=None)\n--\n\n"
    "A copy of the rows as columns: a capsule with an ArrowArrayStream of\n"
    "one batch, for polars.from_dataframe(table) and its "
    "like.\n\n" ABOUT_THE_WISH);

static PyObject *
arrow_stream(PyObject *self, PyObject *args, PyObject *keywords)
{
    nio_table *table = (nio_table *)self;
    const struct ArrowSchema *wish;
    if (!nio_arrow_wish(args, keywords, "|O:__arrow_c_stream__", &wish)) {
        return NULL;
    }
    return nio_arrow_stream(nio_state_of(self), table->kind, table->rows,
                            (size_t)table->count, wish);
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

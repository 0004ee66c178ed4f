/* SPDX-License-Identifier: MIT */
/* How the rows of a Table leave as a whole: the block as it is by
 * the buffer protocol, columns by Arrow's PyCapsule interface. Called with the
 * GIL. */
#include "binding/arrow/arrow.h"
#include "binding/rows/table.h"

int
nio_table_buffer(PyObject *self, Py_buffer *view, int flags)
{
    nio_table *table = (nio_table *)self;
    const char *format = NULL;
    view->obj = NULL;
    if ((flags & PyBUF_WRITABLE) == PyBUF_WRITABLE) {
        PyErr_SetString(PyExc_BufferError, "a table cannot be written to");
        return -1;
    }
    if ((flags & PyBUF_FORMAT) == PyBUF_FORMAT) {
        format = nio_state_of(self)->formats[table->kind];
    }
    view->obj = Py_NewRef(self);
    view->buf = table->rows != NULL ? (void *)table->rows : (void *)"";
    view->len = table->count * table->size;
    view->itemsize = table->size;
    view->readonly = 1;
    view->ndim = 1;
    view->format = (char *)format; /* Python does not write to it */
    view->shape = (flags & PyBUF_ND) == PyBUF_ND ? &table->count : NULL;
    view->strides =
        (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? &table->size : NULL;
    view->suboffsets = NULL;
    view->internal = NULL;
    return 0;
}

const char nio_table_arrow_schema_doc[] =
    "__arrow_c_schema__($self, /)\n--\n\n"
    "What the columns are, without the rows: a capsule with an ArrowSchema,\n"
    "for pyarrow.schema(table) and its like.";

PyObject *
nio_table_arrow_schema(PyObject *self, PyObject *Py_UNUSED(unused))
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

const char nio_table_arrow_array_doc[] =
    "__arrow_c_array__($self, /, requested_schema=None)\n--\n\n"
    "A copy of the rows as columns: two capsules with an ArrowSchema and an\n"
    "ArrowArray, for pyarrow.record_batch(table) and its "
    "like.\n\n" ABOUT_THE_WISH;

PyObject *
nio_table_arrow_array(PyObject *self, PyObject *args, PyObject *keywords)
{
    nio_table *table = (nio_table *)self;
    const struct ArrowSchema *wish;
    if (!nio_arrow_wish(args, keywords, "|O:__arrow_c_array__", &wish)) {
        return NULL;
    }
    return nio_arrow_array(nio_state_of(self), table->kind, table->rows,
                           (size_t)table->count, wish);
}

const char nio_table_arrow_stream_doc[] =
    "__arrow_c_stream__($self, /, requested_schema=None)\n--\n\n"
    "A copy of the rows as columns: a capsule with an ArrowArrayStream of\n"
    "one batch, for polars.from_dataframe(table) and its "
    "like.\n\n" ABOUT_THE_WISH;

PyObject *
nio_table_arrow_stream(PyObject *self, PyObject *args, PyObject *keywords)
{
    nio_table *table = (nio_table *)self;
    const struct ArrowSchema *wish;
    if (!nio_arrow_wish(args, keywords, "|O:__arrow_c_stream__", &wish)) {
        return NULL;
    }
    return nio_arrow_stream(nio_state_of(self), table->kind, table->rows,
                            (size_t)table->count, wish);
}

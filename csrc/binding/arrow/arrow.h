/* SPDX-License-Identifier: MIT */
/* Rows as columns of Arrow. All is made from the field tables:
 *
 *   field table -> columns (arrow_columns.c) -> description -> ArrowSchema
 *                     |                     (arrow_schema.c)
 *   rows -------------+-> ArrowArray (arrow_array.c; text: arrow_text.c)
 *
 * What is handed out holds nothing of Python: memory of malloc alone, which
 * any thread may release, without the GIL, when no Python is left. */
#pragma once

#include "binding/rows/fields.h" /* first, for what Python.h defines */

#include "base/lock.h"
#include "binding/arrow/abi.h"

/* ---- arrow_columns.c: pure */
/* A field is one column, and some are more. */
typedef enum nio_part {
    NIO_PART_VALUE,
    NIO_PART_LENGTH, /* of a prefix */
    NIO_PART_FAMILY  /* of an address that need not be of the row's family */
} nio_part;

typedef enum nio_layout {
    NIO_LAYOUT_BYTES,
    NIO_LAYOUT_BITS, /* one bit a value */
    NIO_LAYOUT_LIST, /* as bytes, but they are those of a child */
    NIO_LAYOUT_TEXT  /* offsets, and the text apart */
} nio_layout;

typedef struct nio_column nio_column;

/* How values of one kind lie in Arrow. */
typedef struct nio_arrow_type {
    const char *format; /* in Arrow's words */
    nio_layout layout;
    size_t width;     /* bytes of a value */
    const char *item; /* the format of a list's items ... */
    size_t items;     /* ... and how many a list has */
    /* Writes a value; false, and nothing written, for none. NULL: the bytes
     * of the row are the value. */
    bool (*put)(const nio_column *column, const uint8_t *row, uint8_t *value);
} nio_arrow_type;

struct nio_column {
    const nio_schema *schema;
    const nio_field *field;
    nio_part part;
    const nio_arrow_type *shape;
    nio_nullability knowledge;
};

/* The most columns that a schema can have. */
size_t nio_columns_most(const nio_schema *schema);
/* The columns of a schema, in the order of its fields. Returns how many. */
size_t nio_columns_of(const nio_schema *schema, nio_column *columns);
/* What the name of a column adds to that of its field. */
const char *nio_column_suffix(const nio_column *column);
const char *nio_column_unit(const nio_column *column);
/* Are its values families? */
bool nio_column_is_family(const nio_column *column);
/* Sets a bit that is 0. */
static inline void
nio_bit_set(uint8_t *bits, size_t at)
{
    bits[at / 8] = (uint8_t)(bits[at / 8] | (1u << (at % 8)));
}
/* Writes the values of rows [begin, end), but not text. `valid` and `values`
 * are of all rows, and were 0. Returns how many are there, whose bits in
 * `valid` are set; of a column in which all are, the bits may be left 0. */
size_t nio_column_fill(const nio_column *column, const uint8_t *rows,
                       size_t begin, size_t end, uint8_t *valid,
                       uint8_t *values);

/* ---- arrow_schema.c */
/* What the columns of a kind are called and say of themselves. Immutable and
 * counted: every ArrowSchema made of it keeps it. */
typedef struct nio_schema_template nio_schema_template;
/* One reference, the caller's. With the GIL; NULL with an exception. */
nio_schema_template *nio_schema_template_new(nio_state *state, nio_kind kind);
/* NULL is allowed. Any thread, without the GIL, as all below. */
void nio_schema_template_drop(nio_schema_template *description);
const nio_schema *
nio_schema_template_rows(const nio_schema_template *description);
/* Borrowed of the description. */
const nio_column *
nio_schema_template_columns(const nio_schema_template *description,
                            size_t *ret_count);
/* Are these the same columns, in whatever types? */
bool nio_schema_template_fits(const nio_schema_template *description,
                              const struct ArrowSchema *wish);
/* False, and *ret_schema as it was, when memory is short. */
bool nio_schema_template_schema(nio_schema_template *description,
                                struct ArrowSchema *ret_schema);

/* ---- arrow_array.c */
/* The rows as an array of structs, copied. With the GIL, which it lets go
 * for many rows. False with an exception, and *ret_array as it was. */
bool nio_array_new(nio_state *state, const nio_schema_template *description,
                   const void *rows, size_t count,
                   struct ArrowArray *ret_array);

/* ---- arrow_text.c */
/* Writes the texts of a column: whose bits of `valid` are set, count + 1
 * `offsets`, and the text itself, in memory of malloc that is the caller's.
 * With the GIL, which a look for a name may let go. Returns how many are
 * there, or -1 with an exception. */
Py_ssize_t nio_text_fill(nio_state *state, const nio_column *column,
                         const uint8_t *rows, size_t count, uint8_t *valid,
                         int32_t *offsets, char **ret_text);

/* ---- arrow_stream.c */
/* A stream of this one array, both taken (a reference of the description);
 * false, and nothing taken, when memory is short. No Python in it. */
bool nio_stream_new(nio_schema_template *description, struct ArrowArray *array,
                    struct ArrowArrayStream *ret_stream);

/* ---- arrow.c: with the GIL; NULL with an exception */
/* Capsules, as Arrow's PyCapsule interface has them. `wish` is the schema that
 * is asked for, or NULL: of other columns, it is refused. */
PyObject *nio_arrow_schema(nio_state *state, nio_kind kind);
PyObject *nio_arrow_array(nio_state *state, nio_kind kind, const void *rows,
                          size_t count, const struct ArrowSchema *wish);
PyObject *nio_arrow_stream(nio_state *state, nio_kind kind, const void *rows,
                           size_t count, const struct ArrowSchema *wish);
/* The one argument of the methods: *ret_wish is borrowed of `args` or
 * `keywords`, and NULL for None. False with an exception where it is no
 * schema. */
bool nio_arrow_wish(PyObject *args, PyObject *keywords, const char *format,
                    const struct ArrowSchema **ret_wish);

/* SPDX-License-Identifier: MIT */
/* How a field of a native row becomes a column of Arrow: the types that the
 * files of arrow/ share.
 *
 *   field table -> columns.c -> schema.c -> ArrowSchema
 *                     |
 *   rows -------------+-> array.c, names.c (text) -> ArrowArray
 *
 * What a consumer gets refers to no Python object: it is memory of malloc(),
 * which any thread may release, without the GIL and after the interpreter has
 * ended. */
#pragma once

#include "binding/rows/fields.h" /* first, for what Python.h defines */

#include "binding/arrow/abi.h"

/* Which part of a field a column holds: most fields are one column, and some
 * are two. */
typedef enum nio_part {
    NIO_PART_VALUE,
    NIO_PART_LENGTH, /* of a prefix */
    NIO_PART_FAMILY /* of an address whose family the row does not determine */
} nio_part;

typedef enum nio_layout {
    NIO_LAYOUT_BYTES,
    NIO_LAYOUT_BITS, /* one bit per value */
    NIO_LAYOUT_LIST, /* bytes, in a child array */
    NIO_LAYOUT_TEXT  /* offsets, and the text in a buffer of its own */
} nio_layout;

typedef struct nio_column nio_column;

/* The Arrow type of a column. */
typedef struct nio_arrow_type {
    const char *format; /* in Arrow's notation */
    nio_layout layout;
    size_t width;     /* bytes of a value */
    const char *item; /* the format of a list's items ... */
    size_t items;     /* ... and how many items a list has */
    /* Writes a value. False, with nothing written, for null. NULL: the value
     * is the bytes in the row. */
    bool (*put)(const nio_column *column, const uint8_t *row, uint8_t *value);
} nio_arrow_type;

struct nio_column {
    const nio_schema *schema;
    const nio_field *field;
    nio_part part;
    const nio_arrow_type *type;
    nio_nullability nullability;
};

/* Sets a bit that is 0. */
static inline void
nio_bit_set(uint8_t *bits, size_t at)
{
    bits[at / 8] = (uint8_t)(bits[at / 8] | (1u << (at % 8)));
}

/* SPDX-License-Identifier: MIT */
/* The columns of a kind of rows, and all their values except text. Pure. */
#pragma once

#include "binding/arrow/layout.h"

/* An upper limit of the number of columns of a schema. */
size_t nio_columns_max(const nio_schema *schema);
/* Writes the columns of a schema in the order of its fields, and returns how
 * many there are. */
size_t nio_columns_of(const nio_schema *schema, nio_column *columns);
/* The name of a column is the name of its field and this suffix. */
const char *nio_column_suffix(const nio_column *column);
const char *nio_column_unit(const nio_column *column);
/* True when the values are address families. */
bool nio_column_is_family(const nio_column *column);
/* Writes the values of the rows [begin, end) of a column that is not text.
 * `valid` and `values` are the buffers for all rows, and were 0 before.
 * Returns how many values are not null, and sets their bits in `valid`; it may
 * leave the bits 0 when none is null. */
size_t nio_column_fill(const nio_column *column, const uint8_t *rows,
                       size_t begin, size_t end, uint8_t *valid,
                       uint8_t *values);

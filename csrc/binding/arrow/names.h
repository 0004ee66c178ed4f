/* SPDX-License-Identifier: MIT */
/* Columns of text: the names of interfaces. */
#pragma once

#include "binding/arrow/layout.h"

/* Writes the texts of a column: the bits of `valid`, count + 1 `offsets`, and
 * the text itself into memory of malloc, which the caller frees. With the GIL,
 * which it may release to look up a name. Returns how many texts are not null,
 * or -1 with an exception. */
Py_ssize_t nio_text_fill(nio_state *state, const nio_column *column,
                         const uint8_t *rows, size_t count, uint8_t *valid,
                         int32_t *offsets, char **ret_text);

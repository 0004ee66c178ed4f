/* SPDX-License-Identifier: MIT */
/* ArrowArray: a copy of rows as columns. */
#pragma once

#include "binding/arrow/schema.h"

/* Copies the rows into an array of structs. With the GIL, which it releases
 * for many rows. `has_extras` is false where no row has a block. False with an
 * exception; then *ret_array is as it was. */
bool nio_array_new(nio_state *state, const nio_schema_template *template,
                   const void *rows, size_t count, bool has_extras,
                   struct ArrowArray *ret_array);

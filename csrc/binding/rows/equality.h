/* SPDX-License-Identifier: MIT */
/* The equality of native rows, as == and hash() of their row objects have it.
 */
#pragma once

#include "binding/rows/fields.h"

/* As ==. `details` is false where only the keys of both are known. */
bool nio_row_equal(nio_kind kind, const void *a, const void *b, bool details);
/* As hash(); -1 with an exception. With the GIL. */
Py_hash_t nio_row_hash(nio_kind kind, const void *row, bool details);

/* SPDX-License-Identifier: MIT */
/* Rows of Windows: what is asked of the system, and what of a row counts. */
#pragma once

#include "base/system_rows.h"

size_t nio_windows_row_size(nio_kind kind);

/* Ask the system for the row with this row's key, as it is now. */
NETIO_STATUS nio_reread(nio_kind kind, const void *key, nio_any_row *ret_row);

/* Do two rows of one key say the same? What counts down or is random, and
 * padding, does not count. */
bool nio_rows_are_same(nio_kind kind, const void *a, const void *b);

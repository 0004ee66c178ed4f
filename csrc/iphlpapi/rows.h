/* SPDX-License-Identifier: MIT */
/* Rows of Windows: their sizes, reading them again, and comparing them. */
#pragma once

#include "base/system_rows.h"

size_t nio_windows_row_size(nio_kind kind);

/* Reads the row with the key members of `key` as the system has it now. */
NETIO_STATUS nio_reread_row(nio_kind kind, const void *key,
                            nio_any_row *ret_row);

/* Copies the key members of `row`; all others are zero. */
void nio_copy_key(nio_kind kind, const void *row, nio_any_row *ret_key);

/* True when two rows with the same key are equal, apart from members that
 * count down or are random, and padding. */
bool nio_rows_equal(nio_kind kind, const void *a, const void *b);
/* True when a lifetime is longer in the second row. */
bool nio_row_renewed(nio_kind kind, const void *before, const void *after);

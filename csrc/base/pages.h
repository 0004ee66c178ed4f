/* SPDX-License-Identifier: MIT */
/* Large memory straight from the system. malloc() may keep what it is given
 * back for ever when something small lies behind it; what a flood needed has
 * to return to the system once the flood is over. */
#pragma once

#include <stddef.h>

/* Zeroed. NULL when memory is short. */
void *nio_pages_new(size_t size_bytes);
/* Accepts NULL. `size_bytes` as it was asked for. */
void nio_pages_free(void *pages, size_t size_bytes);

/* SPDX-License-Identifier: MIT */
/* Large blocks of memory, directly from the system. malloc() may keep a freed
 * block for ever when a small one lies behind it, but the memory that a flood
 * of changes needed has to return to the system after the flood. */
#pragma once

#include <stddef.h>

/* Zeroed. NULL on allocation failure. */
void *nio_pages_new(size_t size_bytes);
/* Accepts NULL. `size_bytes` is that of nio_pages_new. */
void nio_pages_free(void *pages, size_t size_bytes);

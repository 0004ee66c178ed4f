/* SPDX-License-Identifier: MIT */
/* Windows: a large block is committed pages of its own. */
#include "base/pages.h"

#include "platform.h"

#include <assert.h>

void *
nio_pages_new(size_t size_bytes)
{
    return VirtualAlloc(NULL, size_bytes, MEM_COMMIT | MEM_RESERVE,
                        PAGE_READWRITE);
}

void
nio_pages_free(void *pages, size_t size_bytes)
{
    BOOL freed = pages == NULL || VirtualFree(pages, 0, MEM_RELEASE);
    assert(freed);
    (void)freed;
    (void)size_bytes;
}

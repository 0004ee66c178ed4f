/* SPDX-License-Identifier: MIT */
/* POSIX: a large block is an anonymous mapping. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */

#include "base/pages.h"

#include <assert.h>
#include <sys/mman.h>

void *
nio_pages_new(size_t size_bytes)
{
    void *pages = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return pages == MAP_FAILED ? NULL : pages;
}

void
nio_pages_free(void *pages, size_t size_bytes)
{
    int failed = pages == NULL ? 0 : munmap(pages, size_bytes);
    assert(failed == 0);
    (void)failed;
}

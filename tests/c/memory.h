/* SPDX-License-Identifier: MIT */
/* Memory that can be made short, and that is counted. A program that includes
 * this is linked with --wrap of malloc, calloc, nio_pages_new and
 * nio_pages_free: calls from other files of ours come here. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_nio_pages_new(size_t size);
void __real_nio_pages_free(void *pages, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_nio_pages_new(size_t size);
void __wrap_nio_pages_free(void *pages, size_t size);

static bool malloc_is_short, pages_are_short;
static size_t allocations; /* asked for so far, refused ones included */
static size_t pages_held;  /* bytes */

void *
__wrap_malloc(size_t size)
{
    allocations++;
    return malloc_is_short ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
    allocations++;
    return malloc_is_short ? NULL : __real_calloc(count, size);
}

void *
__wrap_nio_pages_new(size_t size)
{
    void *pages = pages_are_short ? NULL : __real_nio_pages_new(size);

    allocations++;
    pages_held += pages == NULL ? 0 : size;
    return pages;
}

void
__wrap_nio_pages_free(void *pages, size_t size)
{
    pages_held -= pages == NULL ? 0 : size;
    __real_nio_pages_free(pages, size);
}

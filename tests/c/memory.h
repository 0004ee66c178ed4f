/* SPDX-License-Identifier: MIT */
/* Allocations that are counted and can be made to fail. A program that
 * includes this is linked with --wrap of malloc, calloc, nio_pages_new and
 * nio_pages_free, so that calls from csrc come here. */
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

static bool malloc_fails, pages_fail;
static size_t allocations; /* so far, failed ones included */
static size_t pages_held;  /* bytes */

void *
__wrap_malloc(size_t size)
{
    allocations++;
    return malloc_fails ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
    allocations++;
    return malloc_fails ? NULL : __real_calloc(count, size);
}

void *
__wrap_nio_pages_new(size_t size)
{
    void *pages = pages_fail ? NULL : __real_nio_pages_new(size);

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

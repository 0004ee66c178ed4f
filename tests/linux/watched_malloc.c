/* SPDX-License-Identifier: MIT */
/* A library for LD_PRELOAD (glibc): it counts the blocks that one range of
 * addresses, the code of our extension in a whole Python, requests from
 * malloc, and refuses one of them. */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void __libc_free(void *block);

void watch(uintptr_t low, uintptr_t high);
void watch_refuse(long number);
long watch_asked(void);
long watch_live(void);

#define SLOTS ((size_t)1 << 16)
#define GONE ((void *)1)
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static uintptr_t range[2];
static long asked, refused = -1, live;
static void *blocks[SLOTS]; /* live ones; GONE: freed */

/* The slot of a block, or the free one where it belongs. */
static void **
slot_locked(void *block, bool to_write)
{
    size_t at = ((uintptr_t)block >> 4) % SLOTS;
    while (blocks[at] != NULL && blocks[at] != block &&
           !(to_write && blocks[at] == GONE)) {
        at = (at + 1) % SLOTS;
    }
    return &blocks[at];
}

/* Is this call counted, and may it succeed? */
static bool
is_watched(void *caller, bool *ret_refuse)
{
    uintptr_t from = (uintptr_t)caller;
    bool watched = from >= range[0] && from < range[1];
    *ret_refuse = false;
    if (watched) {
        pthread_mutex_lock(&mutex);
        *ret_refuse = asked++ == refused;
        pthread_mutex_unlock(&mutex);
    }
    return watched;
}

static void *
counted(void *block, bool watched)
{
    if (watched && block != NULL) {
        pthread_mutex_lock(&mutex);
        *slot_locked(block, true) = block;
        live++;
        pthread_mutex_unlock(&mutex);
    }
    return block;
}

static void
forget(void *block)
{
    pthread_mutex_lock(&mutex);
    void **slot = live > 0 ? slot_locked(block, false) : NULL;
    if (slot != NULL && *slot == block) {
        *slot = GONE;
        live--;
    }
    pthread_mutex_unlock(&mutex);
}

static void *
refuse(void)
{
    errno = ENOMEM;
    return NULL;
}

void *
malloc(size_t size)
{
    bool no, watched = is_watched(__builtin_return_address(0), &no);
    return no ? refuse() : counted(__libc_malloc(size), watched);
}

void *
calloc(size_t count, size_t size)
{
    bool no, watched = is_watched(__builtin_return_address(0), &no);
    return no ? refuse() : counted(__libc_calloc(count, size), watched);
}

void *
realloc(void *block, size_t size)
{
    bool no, watched = is_watched(__builtin_return_address(0), &no);
    if (no) {
        return refuse();
    }
    if (block != NULL) {
        forget(block);
    }
    return counted(__libc_realloc(block, size), watched);
}

void
free(void *block)
{
    if (block != NULL) {
        forget(block);
        __libc_free(block);
    }
}

void
watch(uintptr_t low, uintptr_t high)
{
    range[0] = low;
    range[1] = high;
}

/* Refuse the block of this number, counted from now on; -1: none. */
void
watch_refuse(long number)
{
    pthread_mutex_lock(&mutex);
    asked = 0;
    refused = number;
    pthread_mutex_unlock(&mutex);
}

/* Blocks requested since then. */
long
watch_asked(void)
{
    return asked;
}

/* Live blocks. */
long
watch_live(void)
{
    return live;
}

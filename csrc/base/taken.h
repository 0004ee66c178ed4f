/* SPDX-License-Identifier: MIT */
/* Changes that were moved out of a queue, many at once: owned by their taker,
 * and independent of the queue. Not locked. */
#pragma once

#include "base/change.h"

typedef struct nio_taken {
    struct nio_chunk *chunks; /* the first of them ... */
    struct nio_chunk *last;   /* ... and the last one */
    size_t begin;             /* where in the first chunk it begins */
    size_t count; /* changes to deliver in all chunks, marks included */
} nio_taken;

typedef struct nio_cursor {
    struct nio_chunk *chunk;
    size_t offset;
    size_t passed;
} nio_cursor;

/* The next change, or NULL at the end. `cursor` starts as {0}. The change is
 * borrowed until nio_taken_free, and may be written to. */
nio_change *nio_taken_next(const nio_taken *taken, nio_cursor *cursor);
/* Bytes of memory that the taken changes keep in use, including unused room in
 * their chunks. */
size_t nio_taken_bytes(const nio_taken *taken);
/* On any thread, also after the queue is freed. Leaves *taken empty. */
void nio_taken_free(nio_taken *taken);

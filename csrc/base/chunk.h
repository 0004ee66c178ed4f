/* SPDX-License-Identifier: MIT */
/* What a queue is made of: records (a change and its row, 8-byte aligned) in
 * chunks, that a queue and those who took from it share. */
#pragma once

#include "base/change.h"
#include "platform.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nio_chunk {
    nio_atomic references; /* the queue, and each nio_taken on it */
    /* Guarded by the queue's lock until the queue has let go. A taker reads
     * `next` and `used` of a chunk only when the queue is past it. */
    struct nio_chunk *next;
    size_t capacity; /* bytes of records */
    size_t used;
    size_t begin; /* offset of the first record still queued */
    size_t count; /* records still queued, ... */
    size_t rows;  /* ... and how many of them are not marks */
    uint64_t records[];
};

static inline nio_change *
nio_chunk_record(struct nio_chunk *chunk, size_t offset)
{
    return (nio_change *)((uint8_t *)chunk->records + offset);
}

/* With room for `capacity` bytes of records at least, and one reference, the
 * caller's. NULL when memory is short. */
struct nio_chunk *nio_chunk_new(size_t capacity);
void nio_chunk_keep(struct nio_chunk *chunk);
/* Any thread; accepts NULL. The last reference frees it. */
void nio_chunk_drop(struct nio_chunk *chunk);
/* Bytes of records that it has room for; NULL has none. */
static inline size_t
nio_chunk_room(const struct nio_chunk *chunk)
{
    return chunk == NULL ? 0 : chunk->capacity - chunk->used;
}
/* Append a copy, for which there is room. */
nio_change *nio_chunk_append(struct nio_chunk *chunk, const nio_change *change,
                             const void *row);
/* The first `count` records are not queued any more. */
void nio_chunk_pass(struct nio_chunk *chunk, size_t count);
/* Nobody but the caller, who holds one reference, knows this chunk. */
bool nio_chunk_is_own(const struct nio_chunk *chunk);

#ifndef NDEBUG
/* For assertions: the chunks from `head` to `tail` queue `count` records, and
 * those of the first one lie where it says. */
bool nio_chunks_are_sound(struct nio_chunk *head, const struct nio_chunk *tail,
                          uint64_t count);
#endif

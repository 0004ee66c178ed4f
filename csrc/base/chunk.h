/* SPDX-License-Identifier: MIT */
/* The memory of a queue: records (a change and its row, 8-byte aligned) in
 * chunks, which the queue shares with the takers of its records. */
#pragma once

#include "base/change.h"
#include "platform.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nio_chunk {
    nio_atomic references; /* the queue, and each nio_taken on it */
    /* Guarded by the queue's lock until the queue drops its reference. A taker
     * reads `next` and `used` of a chunk only once the queue has left it. */
    struct nio_chunk *next;
    size_t capacity; /* bytes of records */
    size_t used;
    size_t begin; /* offset of the first record still queued */
    size_t count; /* records still queued, ... */
    size_t rows;  /* ... and how many of them are not marks */
    bool extras;  /* rows of the chunk have references to blocks (extra.h) */
    uint64_t records[];
};

static inline nio_change *
nio_chunk_record(struct nio_chunk *chunk, size_t offset)
{
    return (nio_change *)((uint8_t *)chunk->records + offset);
}

/* A chunk for `capacity` bytes of records, with one reference, the caller's.
 * NULL on allocation failure. */
struct nio_chunk *nio_chunk_new(size_t capacity);
void nio_chunk_keep(struct nio_chunk *chunk);
/* On any thread; accepts NULL. The last reference frees the chunk. */
void nio_chunk_drop(struct nio_chunk *chunk);
/* Bytes of records that still fit; NULL has no room. */
static inline size_t
nio_chunk_room(const struct nio_chunk *chunk)
{
    return chunk == NULL ? 0 : chunk->capacity - chunk->used;
}
/* Empties a chunk that has no other user. */
void nio_chunk_reset(struct nio_chunk *chunk);
/* Appends a copy, for which there is room. */
nio_change *nio_chunk_append(struct nio_chunk *chunk, const nio_change *change,
                             const void *row);
/* Replaces a record in one of the chunks from `head` on by another change with
 * a row of the same size. */
void nio_chunk_replace(struct nio_chunk *head, nio_change *record,
                       const nio_change *change, const void *row);
/* Counts the first `count` queued records as taken. */
void nio_chunk_pass(struct nio_chunk *chunk, size_t count);
/* True when the caller, which holds one reference, holds the only one. */
bool nio_chunk_is_own(const struct nio_chunk *chunk);

#ifndef NDEBUG
/* For assertions: the chunks from `head` to `tail` hold `count` queued
 * records, and those of the first chunk lie where it says. */
bool nio_chunks_are_sound(struct nio_chunk *head, const struct nio_chunk *tail,
                          uint64_t count);
#endif

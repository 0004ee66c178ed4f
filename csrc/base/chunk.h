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
/* How many records were passed: all, and those among them that are delivered,
 * so not NOTHING; and the rows among the latter. */
typedef struct nio_passed {
    size_t all, delivered, rows;
} nio_passed;
/* Counts the first queued records as taken: at most `max_count` that are
 * delivered, and those that are NOTHING before and behind them. `has_nothing`
 * is false if the chunk certainly has no such record. */
nio_passed nio_chunk_pass(struct nio_chunk *chunk, size_t max_count,
                          bool has_nothing);
/* True when the caller, which holds one reference, holds the only one. */
bool nio_chunk_is_own(const struct nio_chunk *chunk);

/* The chunks of one queue. */
typedef struct nio_chunk_list {
    struct nio_chunk *head;
    struct nio_chunk *tail;
    struct nio_chunk *spare; /* the next tail, or NULL */
} nio_chunk_list;

/* A tail chunk with room for `size` bytes. NULL on allocation failure. */
struct nio_chunk *nio_chunk_list_room(nio_chunk_list *list, size_t size);
/* Makes sure that the next `size` bytes have room. False on allocation
 * failure. */
bool nio_chunk_list_reserve(nio_chunk_list *list, size_t size);
/* Replaces the large chunks of an empty list by a small one. On allocation
 * failure they stay: reserved room is kept. */
void nio_chunk_list_shrink(nio_chunk_list *list);

#ifndef NDEBUG
/* For assertions: the chunks hold `count` queued records, and those of the
 * first chunk lie where it says. */
bool nio_chunk_list_is_sound(const nio_chunk_list *list, uint64_t count);
#endif

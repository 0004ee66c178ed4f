/* SPDX-License-Identifier: MIT */
/* What a queue is made of: records (a change and its row, 8-byte aligned) in
 * chunks, that a queue and those who took from it share. */
#pragma once

#include "base/queue.h"

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
nio_record_at(struct nio_chunk *chunk, size_t offset)
{
    return (nio_change *)((uint8_t *)chunk->records + offset);
}

static inline size_t
nio_record_size(size_t row_size)
{
    return sizeof(nio_change) + (row_size + 7) / 8 * 8;
}

static inline bool
nio_change_is_mark(const nio_change *change)
{
    return change->kind == NIO_CHANGE_MARK;
}

/* Only a state can be replaced by a later state of the same thing: not a
 * mark, and not the word that a registration is live. */
static inline bool
nio_change_is_state(const nio_change *change)
{
    return !nio_change_is_mark(change) && change->size > 0 &&
           change->type != NIO_CHANGE_INITIAL;
}

/* Put a later state of the same thing and size in the place of `record`. */
void nio_record_merge(nio_change *record, const nio_change *change,
                      const void *row);

/* Does this mark say nothing new behind the last two queued records (NULL:
 * none)? Marks say nothing twice in a row. Where the queue is `full` they are
 * also kept from growing without end when nothing else is appended: behind
 * OVERFLOW and SYNCED, the next OVERFLOW takes back the SYNCED, and the next
 * SYNCED takes its place again. An OVERFLOW is never taken back. */
bool nio_mark_merge(nio_change *last, const nio_change *before,
                    const nio_change *mark, bool full);

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

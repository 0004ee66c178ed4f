/* SPDX-License-Identifier: MIT */
/* The index by which a queue finds the queued change that a new one merges
 * into: a hash table from the key to the last queued state of that key. The
 * queue is exact without it, so it may be dropped at any time. Guarded by the
 * queue's lock.
 *
 * The index is built from the oldest record on, a few records with each
 * change that is put, so that no caller waits while all records are indexed.
 * A take does not touch the index: a slot carries the number of its record,
 * and a slot with a number below the queue's oldest one is dead. The record of
 * a dead slot was taken, may be freed, and is never read. */
#pragma once

#include "base/chunk.h"
#include "base/siphash.h"
#include "base/unseen_deletes.h"

typedef struct nio_slot {
    uint64_t hash;
    uint64_t number;
    uint64_t before;    /* the record of this key before it; 0: none */
    nio_change *record; /* borrowed from the queue; NULL: never used */
} nio_slot;

typedef struct nio_coalesce_index {
    nio_slot *slots; /* owned; NULL: no index */
    size_t capacity; /* a power of two, or 0 */
    size_t used;     /* slots with a record, dead ones included */
    nio_unseen_deletes unseen;
    /* The next record to index: its number, and its place. */
    uint64_t reached;
    struct nio_chunk *chunk;
    size_t offset;
} nio_coalesce_index;

/* The part of a queue that the index reads. The records with the numbers
 * [oldest, next) are queued; numbers start at 1. */
typedef struct nio_queue_range {
    struct nio_chunk *head;
    uint64_t oldest;
    uint64_t next;
    nio_change_key key; /* pure */
    nio_hash_key seed;  /* the same for all calls with one index */
    /* The taker gets each DELETE, also of keys that it has never got. */
    bool delivers_unseen;
    /* A change was lost: an ADD does not prove that the taker does not know
     * its key, since the DELETE before it may be lost. So no unseen delete is
     * dropped any more. */
    bool lossy;
} nio_queue_range;

/* What a change did, and how many more records will be delivered. */
typedef enum nio_merge {
    NIO_NOT_MERGED, /* it has to be appended */
    NIO_MERGED,
    NIO_MERGED_ONE_LESS, /* the record became NOTHING ... */
    NIO_MERGED_ONE_MORE  /* ... or was it */
} nio_merge;

/* Makes an empty index with room for at least `keys`. False on allocation
 * failure; then there is no index. */
bool nio_coalesce_init(nio_coalesce_index *index, size_t keys);
/* Indexes the next `steps` records. False on allocation failure: the records
 * from `reached` on are not indexed then. */
bool nio_coalesce_extend(nio_coalesce_index *index,
                         const nio_queue_range *range, size_t steps);
/* Merges a change into the last queued record of its key. A key without a
 * queued record takes the place of the newest unseen delete of its kind, if
 * there is one. */
nio_merge nio_coalesce_merge(nio_coalesce_index *index,
                             const nio_queue_range *range,
                             const nio_change *change, const void *row);
/* Leaves no index. */
void nio_coalesce_done(nio_coalesce_index *index);

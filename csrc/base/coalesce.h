/* SPDX-License-Identifier: MIT */
/* Where in a queue the last state of each key stands: a hash table over the
 * queue's records. It is only ever a help and may be dropped at any time.
 * Guarded by the queue's lock.
 *
 * It is made from the oldest record on, some records with each change that
 * is put, so that nobody ever waits for all of it. Slots are checked by the
 * number of the record: a slot older than the queue's oldest record is dead,
 * its record was taken, may be freed, and is never touched. So taking costs
 * the index nothing. */
#pragma once

#include "base/chunk.h"

typedef struct nio_slot {
    uint64_t hash;
    uint64_t number;
    uint64_t before;    /* the record of this key before it; 0: none */
    nio_change *record; /* borrowed of the queue; NULL: never used */
} nio_slot;

/* A record that tells a DELETE of what whoever takes it has never seen. */
typedef struct nio_unseen_delete {
    uint64_t number;
    nio_change
        *record; /* borrowed; no ghost any more, if it was added again */
} nio_unseen_delete;

/* Those of one kind, whose rows are of one size: who waits for a place of its
 * size finds it on top, whatever came and went since. A kind beyond shares one
 * with another. */
enum { NIO_UNSEEN_STACKS = 4 };
typedef struct nio_unseen_deletes {
    nio_unseen_delete *all; /* owned; each record at most once */
    size_t count, room;
} nio_unseen_deletes;

typedef struct nio_coalesce_index {
    nio_slot *slots; /* owned; NULL: no index */
    size_t capacity; /* a power of two, or 0 */
    size_t used;     /* slots with a record, dead ones included */
    nio_unseen_deletes ghosts[NIO_UNSEEN_STACKS];
    /* The next record to enter: its number, and where it stands. */
    uint64_t reached;
    struct nio_chunk *chunk;
    size_t offset;
} nio_coalesce_index;

/* What of the queue the index reads; records [oldest, next) are queued, and
 * numbered from 1 on. */
typedef struct nio_queue_range {
    struct nio_chunk *head;
    uint64_t oldest;
    uint64_t next;
    nio_change_key key; /* pure */
} nio_queue_range;

/* An empty index with room for `keys` at least. False when memory is short;
 * then there is no index. */
bool nio_coalesce_init(nio_coalesce_index *index, size_t keys);
/* Enter the next `steps` records. False when memory is short: no record is
 * entered in part, but the index is behind. */
bool nio_coalesce_extend(nio_coalesce_index *index,
                         const nio_queue_range *span, size_t steps);
/* Put a change in the place of a queued record: of the last one of its key
 * or, if it has none and `reuse`, of the newest ghost of its kind, which
 * vanishes. False: it has to be appended. */
bool nio_coalesce_merge(nio_coalesce_index *index, const nio_queue_range *span,
                        const nio_change *change, const void *row, bool reuse);
/* Leaves no index. */
void nio_coalesce_done(nio_coalesce_index *index);

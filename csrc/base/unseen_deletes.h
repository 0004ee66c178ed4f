/* SPDX-License-Identifier: MIT */
/* The queued records whose place a new key may take: those of keys that came
 * and went, so that the taker has never got them. Such a record is NOTHING, or
 * a DELETE where the taker gets each DELETE (nio_queue_deliver_unseen). Part
 * of the index of a queue (coalesce.h); guarded by the queue's lock. */
#pragma once

#include "base/change.h"

typedef struct nio_unseen_delete {
    uint64_t number; /* of the record in the queue */
    /* Borrowed from the queue. It may be freed once it is taken, and may have
     * become an ADD again. */
    nio_change *record;
} nio_unseen_delete;

typedef struct nio_unseen_stack {
    nio_unseen_delete *all; /* owned; each record at most once */
    size_t count, room;
} nio_unseen_stack;

/* One stack per kind, because the rows of a kind have one size: the newest
 * entry then always fits a new key of its kind. Kinds beyond the number of
 * stacks share one. */
enum { NIO_UNSEEN_STACKS = 4 };
typedef struct nio_unseen_deletes {
    nio_unseen_stack stacks[NIO_UNSEEN_STACKS];
} nio_unseen_deletes;

/* Pushes a queued record, if it is an unseen delete and not in its stack. An
 * allocation failure does no harm: the record keeps its place in the queue. */
void nio_unseen_deletes_push(nio_unseen_deletes *unseen, nio_change *record,
                             uint64_t number, uint64_t oldest);
/* The newest unseen delete of a kind; NULL: there is none. Drops the entries
 * above it: records before number `oldest`, which are taken, and records that
 * have become something else. */
nio_change *nio_unseen_deletes_top(nio_unseen_deletes *unseen, uint8_t kind,
                                   uint64_t oldest);
/* Drops the entry that nio_unseen_deletes_top has returned. */
void nio_unseen_deletes_pop(nio_unseen_deletes *unseen, uint8_t kind);
/* Leaves empty stacks. */
void nio_unseen_deletes_done(nio_unseen_deletes *unseen);

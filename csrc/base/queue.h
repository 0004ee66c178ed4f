/* SPDX-License-Identifier: MIT */
/* A bounded queue of changes between the thread that appends (the system's)
 * and the thread that takes. Up to its bound it is a FIFO that keeps every
 * change. Past its bound a change is merged (nio_change_merge) into the queued
 * change of the same kind and key, in the place of the queued one. So the
 * memory is limited by the bound and by the number of keys that the taker
 * knows or the system has, and all changes together give the exact state.
 * Appending never waits.
 *
 * For a taker that rebuilds the state, an ADD comes for an absent key, and a
 * PARAMETER or DELETE for a present one, or for one that was there before a
 * stream without a snapshot. A key that came and went while its changes were
 * merged is not delivered: its record becomes NOTHING, whose place a change of
 * a new key of the same kind takes, so that a producer that adds and deletes
 * one new key after another cannot grow the queue without bound. Past the
 * bound the order holds per key only, and times may go back.
 *
 * Marks, changes without a row and INITIAL are never merged with states. A
 * change that is put after a mark may merge into one before it. So at a SYNCED
 * mark each row is as it was when the mark was put, or newer; it is never
 * older. */
#pragma once

#include "base/change.h"
#include "base/event.h"
#include "base/taken.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct nio_queue nio_queue;

/* A queue that coalesces beyond `bound` changes (at least 1). `readable`
 * (borrowed, may be NULL) is set by nio_queue_signal(), and cleared by the
 * take that empties the queue. NULL on allocation failure. */
nio_queue *nio_queue_new(size_t bound, nio_change_key key,
                         nio_event *readable);
/* For a taker that reads tables of the system beside the queue, and may have
 * met there a row whose ADD it has not taken: where a key came and went, the
 * DELETE is delivered. Called before any other thread knows the queue. */
void nio_queue_deliver_unseen(nio_queue *queue);
/* Accepts NULL; returns NULL. No other thread may use the queue any more. */
nio_queue *nio_queue_free(nio_queue *queue);

/* Puts a copy of `change` and of its `row`, change->size bytes; a mark has
 * none. Marks merge as nio_mark_merge says. False on allocation failure: the
 * change is lost and counted, and the next change that fits is preceded by an
 * OVERFLOW mark. The caller must then put the difference again, and a SYNCED
 * mark behind it. */
bool nio_queue_put_quietly(nio_queue *queue, const nio_change *change,
                           const void *row);
/* Allocates room now, so that the next puts succeed, whatever they are, as
 * long as their records (nio_change_bytes) have at most
 * NIO_QUEUE_RESERVE_BYTES together. False on allocation failure: a caller that
 * reserves first loses nothing. */
#define NIO_QUEUE_RESERVE_BYTES 4096u
bool nio_queue_reserve(nio_queue *queue);
/* Sets `readable` for all changes that were put. A step of its own, because
 * waking a thread for each of many changes costs more than everything else.
 * Changes can be taken before it. True: this is the first signal since the
 * queue was last emptied, for a caller that wakes the taker by other means. */
bool nio_queue_signal(nio_queue *queue);
/* Puts and signals, for a single change. */
static inline bool
nio_queue_put(nio_queue *queue, const nio_change *change, const void *row)
{
    bool kept = nio_queue_put_quietly(queue, change, row);
    (void)nio_queue_signal(queue);
    return kept;
}

/* Moves the oldest changes out, at most `max_count`. Cannot fail. Returns how
 * many, marks included; 0: the queue was empty. */
size_t nio_queue_take(nio_queue *queue, size_t max_count,
                      nio_taken *ret_taken);

/* Drops what is queued. From now on puts return true and do nothing, and the
 * readable event stays set. */
void nio_queue_close(nio_queue *queue);

/* Marks are not counted. put == taken + coalesced + queued, until the queue is
 * closed, which drops what is queued. */
typedef struct nio_queue_statistics {
    uint64_t put;        /* changes accepted, merged ones included */
    uint64_t taken;      /* changes taken */
    uint64_t coalesced;  /* changes merged into a queued one, or that
                            came and went */
    uint64_t lost;       /* changes dropped on allocation failure */
    uint64_t high_water; /* most changes queued at once */
    uint64_t queued;     /* changes queued now */
} nio_queue_statistics;
void nio_queue_statistics_of(nio_queue *queue, nio_queue_statistics *ret);

/* SPDX-License-Identifier: MIT */
/* A bounded queue of changes between the thread of the system that appends
 * and the thread that takes. Up to its bound it is a FIFO that keeps every
 * change. Past its bound a change merges into the queued change of the same
 * key (kind and row identity), so that memory stays bounded by the number of
 * distinct keys and what is taken in the end is the exact state. Appending
 * never waits. Knows neither Python nor netlink; rows are bytes to it. */
#pragma once

#include "base/event.h"
#include "base/lock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The type of a change, as MIB_NOTIFICATION_TYPE has it. */
enum {
    NIO_CHANGE_PARAMETER = 0,
    NIO_CHANGE_ADD = 1,
    NIO_CHANGE_DELETE = 2,
    NIO_CHANGE_INITIAL = 3 /* the registration is live: no row */
};

/* Flags of a change. */
enum {
    NIO_FLAG_SNAPSHOT = 1,     /* a row that was there at subscription */
    NIO_FLAG_SYNTHESIZED = 2,  /* found by comparing tables: no message */
    NIO_FLAG_OVERFLOW = 4,     /* a mark without a row: changes were lost */
    NIO_FLAG_SYNCED = 8        /* a mark without a row: the state is exact */
};

/* Kinds of marks and rows that are not nio_kind (contract/tower.h). */
enum { NIO_CHANGE_MARK = 0xff };

typedef struct nio_change {
    uint64_t time_ns; /* since 1970: when the system's message was read */
    uint16_t size;    /* bytes of the row that follows; 0: none */
    uint8_t kind;     /* nio_kind, or NIO_CHANGE_MARK */
    uint8_t type;     /* NIO_CHANGE_ADD, ... */
    uint8_t flags;
    uint8_t first_type; /* the queue's own; written by it */
    uint8_t pad[2];
} nio_change;

/* The row behind a change, 8-byte aligned. */
static inline void *
nio_change_row(nio_change *change)
{
    return change + 1;
}

typedef struct nio_queue nio_queue;

/* Writes the identity of a row to `key` (64 bytes), returns its length. */
typedef size_t (*nio_queue_key)(int kind, const void *row, uint8_t *key);

/* A queue of at most `bound` changes before it coalesces (at least 1).
 * `readable` (borrowed, may be NULL) is set while the queue holds anything.
 * NULL when memory is short. */
nio_queue *nio_queue_new(size_t bound, nio_queue_key key, nio_event *readable);
/* Accepts NULL; returns NULL. Nobody else may use the queue any more. */
nio_queue *nio_queue_free(nio_queue *queue);

/* Append a copy of `change` and its `row` (change->size bytes). Marks are
 * never merged with rows; a mark equal to the last queued one is dropped.
 * False when memory is short: the change is lost, counted, and the next
 * change that fits is preceded by an OVERFLOW mark. */
bool nio_queue_put(nio_queue *queue, const nio_change *change,
                   const void *row);

/* Many changes at once, out of the queue: owned by the taker. */
typedef struct nio_taken {
    struct nio_chunk *chunks; /* the first of them ... */
    struct nio_chunk *last;   /* ... and the last one */
    size_t begin;             /* where in the first chunk it begins */
    size_t count;             /* changes in all chunks, marks included */
} nio_taken;

/* Move at most about `most` changes out (whole chunks where possible; never
 * more than `most`). Returns how many; 0: the queue was empty. */
size_t nio_queue_take(nio_queue *queue, size_t most, nio_taken *ret_taken);
/* Step through: NULL at the end. `cursor` starts as {0}. The change is
 * borrowed until nio_taken_free. */
typedef struct nio_cursor {
    struct nio_chunk *chunk;
    size_t offset;
    size_t passed;
} nio_cursor;
nio_change *nio_taken_next(const nio_taken *taken, nio_cursor *cursor);
void nio_taken_free(nio_taken *taken);

/* Nothing is appended any more and what was queued is dropped: puts return
 * true and do nothing. The readable event stays set. */
void nio_queue_close(nio_queue *queue);

typedef struct nio_queue_statistics {
    uint64_t put;        /* changes appended, marks not counted */
    uint64_t taken;      /* changes taken, marks not counted */
    uint64_t coalesced;  /* changes merged into a queued one */
    uint64_t lost;       /* changes dropped because memory was short */
    uint64_t high_water; /* most changes queued at once */
    uint64_t queued;     /* changes queued now */
} nio_queue_statistics;
void nio_queue_statistics_of(nio_queue *queue, nio_queue_statistics *ret);

/* SPDX-License-Identifier: MIT */
/* A bounded queue of changes between the thread of the system that appends
 * and the thread that takes. Up to its bound it is a FIFO that keeps every
 * change. Past its bound a change takes the place of the queued change of the
 * same key (kind and row identity), so that memory stays bounded by the bound
 * and the number of keys that the taker knows or the system has, and what is
 * taken in the end is the exact state. Appending never waits. Knows neither
 * Python nor netlink; rows are bytes to it.
 *
 * What merges past the bound, row by row of what was queued and what comes:
 *
 *   queued               + ADD or PARAMETER      + DELETE
 *   ADD                  ADD, the new row        DELETE
 *   PARAMETER, DELETE    PARAMETER, the new row  DELETE
 *   DELETE that was ADD  ADD, the new row        DELETE
 *
 * So to whoever rebuilds the state a key is added when it is absent and
 * changes when it is present, and a DELETE of a key never seen (it was ADD)
 * does nothing. It is told nevertheless, since the row may have been met in a
 * table that was read meanwhile; until, past the bound, a change of a new key
 * of its kind takes its place: who adds and deletes ever new ones fills no
 * memory. A merged change has the time and the flags of the later one
 * (SNAPSHOT stays while the row does), at the place of the earlier: past the
 * bound the order holds per key only, and times may go back.
 *
 * Never merged are marks, changes without a row, and INITIAL. A change may
 * merge into one before a mark. So at a SYNCED mark each row is as it was
 * when the mark was put, or newer; it is never older. */
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
    NIO_FLAG_SNAPSHOT = 1,    /* a row that was there at subscription */
    NIO_FLAG_SYNTHESIZED = 2, /* the system sent no message of it */
    NIO_FLAG_OVERFLOW = 4,    /* a mark without a row: changes were lost */
    NIO_FLAG_SYNCED = 8       /* a mark without a row: the state is exact */
};

/* Kinds of marks and rows that are not nio_kind (contract/tower.h). */
enum { NIO_CHANGE_MARK = 0xff };

typedef struct nio_change {
    uint64_t time_ns; /* since 1970: when the system's message was read */
    uint16_t size;    /* bytes of the row that follows; 0: none */
    uint8_t kind;     /* nio_kind, or NIO_CHANGE_MARK */
    uint8_t type;     /* NIO_CHANGE_ADD, ... */
    uint8_t flags;
    uint8_t first_type; /* the queue's own, as the next: written by it */
    uint8_t listed;
    uint8_t pad;
} nio_change;

/* The row behind a change, 8-byte aligned. */
static inline void *
nio_change_row(nio_change *change)
{
    return change + 1;
}

typedef struct nio_queue nio_queue;

/* Writes the identity of a row to `key` (64 bytes), returns its length. Pure:
 * it is called while the queue is locked. Rows of kinds that have no identity
 * (the tower's Teredo port) have length 0: all of a kind are one thing. */
typedef size_t (*nio_queue_key)(int kind, const void *row, uint8_t *key);

/* A queue of at most `bound` changes before it coalesces (at least 1).
 * `readable` (borrowed, may be NULL) is set by nio_queue_signal() while the
 * queue holds anything. NULL when memory is short. */
nio_queue *nio_queue_new(size_t bound, nio_queue_key key, nio_event *readable);
/* Accepts NULL; returns NULL. Nobody else may use the queue any more. */
nio_queue *nio_queue_free(nio_queue *queue);

/* Append a copy of `change` and of its `row`, change->size bytes; a mark has
 * none. A mark equal to the last queued change is dropped; past the bound an
 * OVERFLOW mark right behind a SYNCED mark takes its place, so that marks
 * alone do not fill memory. False when memory is short: the change is lost,
 * counted, and the next change that fits is preceded by an OVERFLOW mark; who
 * puts must then put the difference again, and a SYNCED mark behind it. */
bool nio_queue_put_quietly(nio_queue *queue, const nio_change *change,
                           const void *row);
/* Make room now, so that the next puts find it, whatever they are, as long as
 * their records (nio_record_size) are no more than so many bytes together.
 * False when memory is short: who asks first need not lose anything. */
#define NIO_QUEUE_RESERVE_BYTES 4096u
bool nio_queue_reserve(nio_queue *queue);
/* Set `readable` for all that was put. Waking somebody for each of many
 * changes costs more than all else, so it is a step of its own; what is taken
 * before it is taken. */
void nio_queue_signal(nio_queue *queue);
/* Both, for a change that comes alone. */
static inline bool
nio_queue_put(nio_queue *queue, const nio_change *change, const void *row)
{
    bool kept = nio_queue_put_quietly(queue, change, row);
    nio_queue_signal(queue);
    return kept;
}

/* Many changes at once, out of the queue: owned by the taker. */
typedef struct nio_taken {
    struct nio_chunk *chunks; /* the first of them ... */
    struct nio_chunk *last;   /* ... and the last one */
    size_t begin;             /* where in the first chunk it begins */
    size_t count;             /* changes in all chunks, marks included */
} nio_taken;

/* Move the oldest changes out, at most `most`. Never short of memory. Returns
 * how many, marks included; 0: the queue was empty. */
size_t nio_queue_take(nio_queue *queue, size_t most, nio_taken *ret_taken);
/* Step through: NULL at the end. `cursor` starts as {0}. The change is
 * borrowed until nio_taken_free, and may be written to. */
typedef struct nio_cursor {
    struct nio_chunk *chunk;
    size_t offset;
    size_t passed;
} nio_cursor;
nio_change *nio_taken_next(const nio_taken *taken, nio_cursor *cursor);
/* Any thread, and after the queue is gone as well. Leaves nothing taken. */
void nio_taken_free(nio_taken *taken);

/* Nothing is appended any more and what was queued is dropped: puts return
 * true and do nothing. The readable event stays set. */
void nio_queue_close(nio_queue *queue);

/* Marks are not counted. put == taken + coalesced + queued, until the queue
 * is closed and what is queued is dropped. */
typedef struct nio_queue_statistics {
    uint64_t put;        /* changes accepted, merged ones included */
    uint64_t taken;      /* changes taken */
    uint64_t coalesced;  /* changes merged into a queued one */
    uint64_t lost;       /* changes dropped because memory was short */
    uint64_t high_water; /* most changes queued at once */
    uint64_t queued;     /* changes queued now */
} nio_queue_statistics;
void nio_queue_statistics_of(nio_queue *queue, nio_queue_statistics *ret);

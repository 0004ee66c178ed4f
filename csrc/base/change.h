/* SPDX-License-Identifier: MIT */
/* The vocabulary of changes: what a queue carries, and the one rule by which
 * two changes of the same key become one. Pure; knows neither Python nor
 * netlink, and rows are bytes to it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The type of a change, with the numbers of MIB_NOTIFICATION_TYPE. */
enum {
    NIO_CHANGE_PARAMETER = 0,
    NIO_CHANGE_ADD = 1,
    NIO_CHANGE_DELETE = 2,
    NIO_CHANGE_INITIAL = 3, /* the registration is live: no row */
    /* A record of a queue that is not delivered: its key came and went. */
    NIO_CHANGE_NOTHING = 4
};

/* Flags of a change. */
enum {
    NIO_FLAG_SNAPSHOT = 1,    /* the row was present at subscription */
    NIO_FLAG_SYNTHESIZED = 2, /* the system sent no message for it */
    NIO_FLAG_OVERFLOW = 4,    /* a mark without a row: changes were lost */
    NIO_FLAG_SYNCED = 8       /* a mark without a row: the state is exact */
};

/* The kind of a mark; rows have the kinds of nio_kind (contract/tower.h). */
enum { NIO_CHANGE_MARK = 0xff };

typedef struct nio_change {
    uint64_t time_ns; /* since 1970: when the system's message was read */
    uint16_t size;    /* bytes of the row that follows; 0: no row */
    uint8_t kind;     /* nio_kind, or NIO_CHANGE_MARK */
    uint8_t type;     /* NIO_CHANGE_ADD, ... */
    uint8_t flags;
    /* The type of the first of all changes that were merged into this one.
     * Written by the queue, as is `in_stack`. */
    uint8_t first_type;
    uint8_t in_stack;  /* listed among the unseen deletes (coalesce.h) */
    uint8_t has_extra; /* the row has a block (extra.h) */
} nio_change;

/* The row behind a change, 8-byte aligned. */
static inline void *
nio_change_row(nio_change *change)
{
    return change + 1;
}

/* Bytes of a change and the row behind it, up to the next 8-byte boundary. */
static inline size_t
nio_change_bytes(const nio_change *change)
{
    return sizeof(*change) + ((size_t)change->size + 7) / 8 * 8;
}

static inline bool
nio_change_is_mark(const nio_change *change)
{
    return change->kind == NIO_CHANGE_MARK;
}

/* Only a state can be replaced by a later state of the same key. Marks and
 * INITIAL are not states. */
static inline bool
nio_change_is_state(const nio_change *change)
{
    return !nio_change_is_mark(change) && change->size > 0 &&
           change->type != NIO_CHANGE_INITIAL;
}

/* Writes the key of a row to `key` (NIO_KEY_SIZE bytes) and returns its
 * length. Two changes with the same kind and key are two states of one thing.
 * Pure: it is called while a queue is locked. A kind without keys (the tower's
 * Teredo port) has length 0: all its rows are states of one thing. */
typedef size_t (*nio_change_key)(int kind, const void *row, uint8_t *key);

/* The merge rule. Makes `change` stand for itself and for a `later` state of
 * the same key; the caller replaces the row.
 *
 *   the taker, before `change`          later: present       later: absent
 *   does not have the key               ADD, the new row     NOTHING
 *   has it, or met it before the stream PARAMETER, new row   DELETE
 *
 * `first_type` decides between the lines: the changes of a key that are merged
 * begin with an ADD only if no change before them has left the key present,
 * and if the key was not there before a stream without a snapshot. All the
 * others (PARAMETER, DELETE) are of a key that the taker has or may have met.
 * The result has the time and the flags of `later`; SNAPSHOT stays until the
 * key is absent. */
void nio_change_merge(nio_change *change, const nio_change *later);

/* Merges `mark` into `last`, the newest queued change; `before` is the one
 * before it (NULL: none). False: the mark has to be appended. A mark equal to
 * `last` adds nothing. Where the queue is `full`, marks alone must not grow it
 * without bound either: an OVERFLOW replaces a SYNCED right before it, and a
 * SYNCED replaces the second of two OVERFLOWs. So one OVERFLOW always stays.
 */
bool nio_mark_merge(nio_change *last, const nio_change *before,
                    const nio_change *mark, bool full);

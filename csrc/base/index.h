/* SPDX-License-Identifier: MIT */
/* Where in a queue the last change of each key stands: a hash table that the
 * queue makes when it passes its bound. It is only ever a help and may be
 * dropped at any time. Guarded by the queue's lock.
 *
 * Slots are checked by sequence number: a slot whose number is older than
 * the queue's oldest change is dead, its change was taken, may be freed, and
 * is never touched. So taking changes costs the index nothing. */
#pragma once

#include "base/queue.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a change is about: its kind and the key of its row. */
typedef struct nio_identity {
    uint64_t hash;
    size_t length;
    uint8_t kind;
    uint8_t key[64];
} nio_identity;

typedef struct nio_slot {
    uint64_t hash;
    uint64_t sequence;
    nio_change *change; /* borrowed of the queue; NULL: never used */
} nio_slot;

typedef struct nio_index {
    nio_slot *slots; /* owned; NULL: no index */
    size_t capacity; /* a power of two, or 0 */
    size_t used;     /* slots with a change, dead ones included */
} nio_index;

void nio_identity_of(nio_queue_key key, const nio_change *change,
                     const void *row, nio_identity *ret_identity);

/* Room for one change more, given that changes before `oldest` are gone.
 * False when memory is short: then the index is as it was. */
bool nio_index_reserve(nio_index *index, uint64_t oldest);
/* The live slot of this identity, or a free one to nio_index_set. There must
 * be room. Compares keys by `key`. */
nio_slot *nio_index_find(const nio_index *index, uint64_t oldest,
                         nio_queue_key key, const nio_identity *identity);
bool nio_slot_is_live(const nio_slot *slot, uint64_t oldest);
void nio_index_set(nio_index *index, nio_slot *slot, uint64_t hash,
                   uint64_t sequence, nio_change *change);
/* Leaves an empty index. */
void nio_index_done(nio_index *index);

/* SPDX-License-Identifier: MIT */
/* The hash table of index.h: open addressing, linear steps, at most 3/4 full.
 * Holds no lock of its own and calls nothing but the pure key function. */
#include "base/index.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 1024 };

/* Multiply and fold, eight bytes at a time. */
static uint64_t
hash_bytes(const uint8_t *bytes, size_t length, uint64_t seed)
{
    uint64_t hash = seed * 0x9e3779b97f4a7c15u + length;

    for (size_t at = 0; at < length; at += sizeof(uint64_t)) {
        uint64_t word = 0;
        size_t left = length - at;
        memcpy(&word, bytes + at, left < sizeof(word) ? left : sizeof(word));
        hash = (hash ^ word) * 0xff51afd7ed558ccdu;
        hash ^= hash >> 32;
    }
    return hash;
}

void
nio_identity_of(nio_queue_key key, const nio_change *change, const void *row,
                nio_identity *ret_identity)
{
    ret_identity->kind = change->kind;
    ret_identity->length = key(change->kind, row, ret_identity->key);
    ret_identity->hash = hash_bytes(ret_identity->key, ret_identity->length,
                                    (uint64_t)change->kind + 1);
}

bool
nio_slot_is_live(const nio_slot *slot, uint64_t oldest)
{
    return slot->change != NULL && slot->sequence >= oldest;
}

static bool
matches(const nio_slot *slot, nio_queue_key key, const nio_identity *identity)
{
    uint8_t other[sizeof(identity->key)];

    return slot->hash == identity->hash &&
           slot->change->kind == identity->kind &&
           key(slot->change->kind, nio_change_row(slot->change), other) ==
               identity->length &&
           memcmp(other, identity->key, identity->length) == 0;
}

nio_slot *
nio_index_find(const nio_index *index, uint64_t oldest, nio_queue_key key,
               const nio_identity *identity)
{
    nio_slot *dead = NULL;

    for (size_t at = (size_t)identity->hash;; at++) {
        nio_slot *slot = &index->slots[at & (index->capacity - 1)];
        if (slot->change == NULL) {
            return dead != NULL ? dead : slot;
        }
        if (!nio_slot_is_live(slot, oldest)) {
            dead = dead != NULL ? dead : slot;
        } else if (matches(slot, key, identity)) {
            return slot;
        }
    }
}

void
nio_index_set(nio_index *index, nio_slot *slot, uint64_t hash,
              uint64_t sequence, nio_change *change)
{
    index->used += slot->change == NULL;
    slot->hash = hash;
    slot->sequence = sequence;
    slot->change = change;
}

bool
nio_index_reserve(nio_index *index, uint64_t oldest)
{
    nio_index wider = {.capacity = FIRST_CAPACITY};
    size_t live = 0;

    if (index->used + 1 <= index->capacity / 4 * 3) {
        return true;
    }
    for (size_t i = 0; i < index->capacity; i++) {
        live += nio_slot_is_live(&index->slots[i], oldest);
    }
    /* Half full at most, so that the next time is far away. */
    while (wider.capacity < (live + 1) * 2) {
        wider.capacity *= 2;
    }
    wider.slots = calloc(wider.capacity, sizeof(*wider.slots));
    if (wider.slots == NULL) {
        return false;
    }
    for (size_t i = 0; i < index->capacity; i++) {
        const nio_slot *slot = &index->slots[i];
        size_t at = (size_t)slot->hash;
        if (!nio_slot_is_live(slot, oldest)) {
            continue;
        }
        /* Keys are distinct: the first slot never used is the place. */
        while (wider.slots[at & (wider.capacity - 1)].change != NULL) {
            at++;
        }
        nio_index_set(&wider, &wider.slots[at & (wider.capacity - 1)],
                      slot->hash, slot->sequence, slot->change);
    }
    free(index->slots);
    *index = wider;
    return true;
}

void
nio_index_done(nio_index *index)
{
    free(index->slots);
    *index = (nio_index){.slots = NULL};
}

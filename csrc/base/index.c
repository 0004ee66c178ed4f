/* SPDX-License-Identifier: MIT */
/* The hash table of index.h: open addressing, linear steps, at most 3/4 full.
 * Takes no lock and calls nothing but the pure key function. */
#include "base/index.h"

#include "base/pages.h"

#include <assert.h>
#include <string.h>

enum { SMALLEST = 1024 };

/* What a change is about: its kind and the key of its row. */
typedef struct identity {
    uint64_t hash;
    size_t length;
    uint8_t kind;
    uint8_t key[64];
} identity;

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

static void
identify(nio_queue_key key, int kind, const void *row, identity *ret)
{
    ret->kind = (uint8_t)kind;
    ret->length = key(kind, row, ret->key);
    assert(ret->length <= sizeof(ret->key));
    ret->hash = hash_bytes(ret->key, ret->length, (uint64_t)kind + 1);
}

static bool
is_live(const nio_slot *slot, uint64_t oldest)
{
    return slot->record != NULL && slot->number >= oldest;
}

static bool
matches(const nio_slot *slot, nio_queue_key key, const identity *wanted)
{
    identity other;

    if (slot->hash != wanted->hash || slot->record->kind != wanted->kind) {
        return false;
    }
    identify(key, slot->record->kind, nio_change_row(slot->record), &other);
    return other.length == wanted->length &&
           memcmp(other.key, wanted->key, wanted->length) == 0;
}

/* The live slot of this identity, or else a free one where it belongs. */
static nio_slot *
find_slot(const nio_index *index, const nio_span *span, const identity *wanted)
{
    nio_slot *dead = NULL;

    for (size_t at = (size_t)wanted->hash;; at++) {
        nio_slot *slot = &index->slots[at & (index->capacity - 1)];
        if (slot->record == NULL) {
            return dead != NULL ? dead : slot;
        }
        if (!is_live(slot, span->oldest)) {
            dead = dead != NULL ? dead : slot;
        } else if (matches(slot, span->key, wanted)) {
            return slot;
        }
    }
}

static void
fill(nio_index *index, nio_slot *slot, nio_slot with)
{
    index->used += slot->record == NULL;
    *slot = with;
}

/* Room for one record more. */
static bool
reserve(nio_index *index, uint64_t oldest)
{
    nio_index wider = {.slots = NULL};
    size_t live = 0;

    if (index->used + 1 <= index->capacity / 4 * 3) {
        return true;
    }
    for (size_t i = 0; i < index->capacity; i++) {
        live += is_live(&index->slots[i], oldest);
    }
    if (!nio_index_init(&wider, live + 1)) {
        return false;
    }
    for (size_t i = 0; i < index->capacity; i++) {
        const nio_slot *slot = &index->slots[i];
        size_t at = (size_t)slot->hash;
        if (!is_live(slot, oldest)) {
            continue;
        }
        /* Keys are distinct: the first slot never used is the place. */
        while (wider.slots[at & (wider.capacity - 1)].record != NULL) {
            at++;
        }
        fill(&wider, &wider.slots[at & (wider.capacity - 1)], *slot);
    }
    wider.reached = index->reached;
    wider.chunk = index->chunk;
    wider.offset = index->offset;
    nio_index_done(index);
    *index = wider;
    return true;
}

bool
nio_index_init(nio_index *index, size_t keys)
{
    size_t capacity = SMALLEST;

    /* Half full at most, so that the next time is far away. */
    while (capacity / 2 < keys && capacity < SIZE_MAX / 4 / sizeof(nio_slot)) {
        capacity *= 2;
    }
    *index = (nio_index){.slots = nio_pages_new(capacity * sizeof(nio_slot))};
    if (index->slots == NULL) {
        return false;
    }
    index->capacity = capacity;
    return true;
}

bool
nio_index_extend(nio_index *index, const nio_span *span, size_t steps)
{
    /* The place stays good while the record before it is queued. */
    if (index->reached <= span->oldest) {
        index->reached = span->oldest;
        index->chunk = span->head;
        index->offset = span->head == NULL ? 0 : span->head->begin;
    }
    for (; steps > 0 && index->reached < span->next; steps--) {
        nio_change *record = NULL;

        if (!reserve(index, span->oldest)) {
            return false;
        }
        if (index->offset == index->chunk->used) {
            index->chunk = index->chunk->next;
            index->offset = 0;
        }
        record = nio_record_at(index->chunk, index->offset);
        if (nio_change_is_state(record)) {
            identity found;
            identify(span->key, record->kind, nio_change_row(record), &found);
            fill(index, find_slot(index, span, &found),
                 (nio_slot){found.hash, index->reached, record});
        }
        index->offset += nio_record_size(record->size);
        index->reached++;
    }
    return true;
}

nio_change *
nio_index_find(const nio_index *index, const nio_span *span,
               const nio_change *change, const void *row)
{
    identity wanted;
    nio_slot *slot = NULL;

    identify(span->key, change->kind, row, &wanted);
    slot = find_slot(index, span, &wanted);
    return is_live(slot, span->oldest) ? slot->record : NULL;
}

void
nio_index_done(nio_index *index)
{
    nio_pages_free(index->slots, index->capacity * sizeof(nio_slot));
    *index = (nio_index){.slots = NULL};
}

/* SPDX-License-Identifier: MIT */
/* The hash table of index.h: open addressing, linear steps, at most 3/4 full.
 * Takes no lock and calls nothing but the pure key function. */
#include "base/coalesce.h"

#include "base/pages.h"

#include <assert.h>
#include <stdlib.h>
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
identify(nio_change_key key, int kind, const void *row, identity *ret)
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
matches(const nio_slot *slot, nio_change_key key, const identity *wanted)
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
find_slot(const nio_coalesce_index *index, const nio_queue_range *span,
          const identity *wanted)
{
    nio_slot *dead = NULL;

    for (size_t at = (size_t)wanted->hash;; at++) {
        nio_slot *slot = &index->slots[at & (index->capacity - 1)];
        if (slot->record == NULL) {
            return dead != NULL ? dead : slot;
        }
        assert(slot->number < span->next);
        if (!is_live(slot, span->oldest)) {
            dead = dead != NULL ? dead : slot;
        } else if (matches(slot, span->key, wanted)) {
            return slot;
        }
    }
}

static void
fill(nio_coalesce_index *index, nio_slot *slot, nio_slot with)
{
    index->used += slot->record == NULL;
    *slot = with;
}

/* Room for one record more. */
static bool
reserve(nio_coalesce_index *index, uint64_t oldest)
{
    nio_coalesce_index wider = {.slots = NULL};
    size_t live = 0;

    if (index->used + 1 <= index->capacity / 4 * 3) {
        return true;
    }
    for (size_t i = 0; i < index->capacity; i++) {
        live += is_live(&index->slots[i], oldest);
    }
    if (!nio_coalesce_init(&wider, live + 1)) {
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
    nio_pages_free(index->slots, index->capacity * sizeof(nio_slot));
    index->slots = wider.slots;
    index->capacity = wider.capacity;
    index->used = wider.used;
    return true;
}

/* ---- ghosts */
static bool
is_ghost(const nio_change *record)
{
    return record->type == NIO_CHANGE_DELETE &&
           record->first_type == NIO_CHANGE_ADD;
}

static nio_unseen_deletes *
ghosts_of(nio_coalesce_index *index, uint8_t kind)
{
    return &index->ghosts[kind % NIO_UNSEEN_STACKS];
}

/* Forget those that were taken; more room where that does not help. */
static bool
reserve_ghost(nio_unseen_deletes *ghosts, uint64_t oldest)
{
    size_t kept = 0;

    if (ghosts->count < ghosts->room) {
        return true;
    }
    for (size_t i = 0; i < ghosts->count; i++) {
        if (ghosts->all[i].number >= oldest) {
            ghosts->all[kept++] = ghosts->all[i];
        }
    }
    ghosts->count = kept;
    if (kept >= ghosts->room / 2) {
        size_t room = ghosts->room > 0 ? ghosts->room * 2 : 64;
        nio_unseen_delete *wider = realloc(ghosts->all, room * sizeof(*wider));
        if (wider == NULL) {
            return kept < ghosts->room;
        }
        ghosts->all = wider;
        ghosts->room = room;
    }
    return true;
}

/* Without memory for it it stays where it is, as any other record. */
static void
remember_ghost(nio_coalesce_index *index, uint64_t number, nio_change *record,
               uint64_t oldest)
{
    nio_unseen_deletes *ghosts = ghosts_of(index, record->kind);

    if (is_ghost(record) && !record->in_stack &&
        reserve_ghost(ghosts, oldest)) {
        ghosts->all[ghosts->count++] = (nio_unseen_delete){number, record};
        record->in_stack = 1;
    }
}

/* The slot of the newest one whose place this change fits. One whose key has
 * another record in the queue stays: a later change of that key must not come
 * to stand before that. NULL: there is none. */
static nio_slot *
take_ghost(nio_coalesce_index *index, const nio_queue_range *span,
           const nio_change *change)
{
    nio_unseen_deletes *ghosts = ghosts_of(index, change->kind);

    while (ghosts->count > 0) {
        nio_unseen_delete ghost = ghosts->all[ghosts->count - 1];
        if (ghost.number >= span->oldest) { /* else it may be freed */
            identity its;
            if (is_ghost(ghost.record) && ghost.record->size != change->size) {
                return NULL;
            }
            ghost.record->in_stack = 0;
            identify(span->key, ghost.record->kind,
                     nio_change_row(ghost.record), &its);
            nio_slot *slot = find_slot(index, span, &its);
            if (is_ghost(ghost.record) && slot->record == ghost.record &&
                slot->before < span->oldest) {
                ghosts->count--;
                return slot;
            }
        }
        ghosts->count--;
    }
    return NULL;
}

bool
nio_coalesce_init(nio_coalesce_index *index, size_t keys)
{
    size_t capacity = SMALLEST;

    /* Half full at most, so that the next time is far away. */
    while (capacity / 2 < keys && capacity < SIZE_MAX / 4 / sizeof(nio_slot)) {
        capacity *= 2;
    }
    *index = (nio_coalesce_index){
        .slots = nio_pages_new(capacity * sizeof(nio_slot))};
    if (index->slots == NULL) {
        return false;
    }
    index->capacity = capacity;
    return true;
}

bool
nio_coalesce_extend(nio_coalesce_index *index, const nio_queue_range *span,
                    size_t steps)
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
        record = nio_chunk_record(index->chunk, index->offset);
        if (nio_change_is_state(record)) {
            identity its;
            identify(span->key, record->kind, nio_change_row(record), &its);
            nio_slot *slot = find_slot(index, span, &its);
            const uint64_t before =
                is_live(slot, span->oldest) ? slot->number : 0;
            fill(index, slot,
                 (nio_slot){its.hash, index->reached, before, record});
            record->in_stack = 0; /* perhaps by an index before this one */
            remember_ghost(index, index->reached, record, span->oldest);
        }
        index->offset += nio_change_bytes(record);
        index->reached++;
    }
    return true;
}

/* A new thing in the place of one that came and went unseen. */
static bool
replace_ghost(nio_coalesce_index *index, const nio_queue_range *span,
              const nio_change *change, const void *row,
              const identity *wanted)
{
    nio_slot *gone =
        reserve(index, span->oldest) ? take_ghost(index, span, change) : NULL;

    if (gone == NULL) {
        return false;
    }
    nio_slot place = {wanted->hash, gone->number, 0, gone->record};
    gone->number = 0; /* dead from now on */
    *place.record = *change;
    place.record->first_type = change->type;
    place.record->in_stack = 0;
    memcpy(nio_change_row(place.record), row, change->size);
    fill(index, find_slot(index, span, wanted), place);
    return true;
}

bool
nio_coalesce_merge(nio_coalesce_index *index, const nio_queue_range *span,
                   const nio_change *change, const void *row, bool reuse)
{
    identity wanted;
    nio_slot *slot = NULL;

    identify(span->key, change->kind, row, &wanted);
    slot = find_slot(index, span, &wanted);
    if (!is_live(slot, span->oldest)) {
        return reuse && replace_ghost(index, span, change, row, &wanted);
    }
    if (slot->record->size != change->size) {
        return false;
    }
    nio_change_merge(slot->record, change);
    memcpy(nio_change_row(slot->record), row, change->size);
    remember_ghost(index, slot->number, slot->record, span->oldest);
    return true;
}

void
nio_coalesce_done(nio_coalesce_index *index)
{
    nio_pages_free(index->slots, index->capacity * sizeof(nio_slot));
    for (size_t i = 0; i < NIO_UNSEEN_STACKS; i++) {
        free(index->ghosts[i].all);
    }
    *index = (nio_coalesce_index){.slots = NULL};
}

/* SPDX-License-Identifier: MIT */
/* The hash table of coalesce.h: open addressing, linear steps, at most 3/4
 * full. Takes no lock and calls out only to the pure key function. */
#include "base/coalesce.h"

#include "base/pages.h"
#include "contract/tower.h"

#include <assert.h>
#include <string.h>

enum { MIN_CAPACITY = 1024 };

/* The thing that a change is about: its kind and the key of its row. */
typedef struct identity {
    uint64_t hash;
    size_t length;
    uint8_t kind;
    uint8_t key[NIO_KEY_SIZE];
} identity;

static void
identify(const nio_queue_range *range, int kind, const void *row,
         identity *ret)
{
    nio_hash_key seed = range->seed;

    ret->kind = (uint8_t)kind;
    ret->length = range->key(kind, row, ret->key);
    assert(ret->length <= sizeof(ret->key));
    seed.words[0] ^= ret->kind;
    ret->hash = nio_siphash(&seed, ret->key, ret->length);
}

static void
identify_record(const nio_queue_range *range, nio_change *record,
                identity *ret)
{
    identify(range, record->kind, nio_change_row(record), ret);
}

static bool
is_live(const nio_slot *slot, uint64_t oldest)
{
    return slot->record != NULL && slot->number >= oldest;
}

static bool
matches(const nio_slot *slot, nio_change_key key, const identity *wanted)
{
    uint8_t other[NIO_KEY_SIZE];

    return slot->hash == wanted->hash && slot->record->kind == wanted->kind &&
           key(wanted->kind, nio_change_row(slot->record), other) ==
               wanted->length &&
           memcmp(other, wanted->key, wanted->length) == 0;
}

/* The live slot of this identity, or else a free or dead one where it belongs.
 */
static nio_slot *
find_slot(const nio_coalesce_index *index, const nio_queue_range *range,
          const identity *wanted)
{
    nio_slot *dead = NULL;

    for (size_t at = (size_t)wanted->hash;; at++) {
        nio_slot *slot = &index->slots[at & (index->capacity - 1)];
        if (slot->record == NULL) {
            return dead != NULL ? dead : slot;
        }
        assert(slot->number < range->next);
        if (!is_live(slot, range->oldest)) {
            dead = dead != NULL ? dead : slot;
        } else if (matches(slot, range->key, wanted)) {
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

/* Makes room for one more record. */
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
        /* Keys are distinct, so the first unused slot is the place. */
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

bool
nio_coalesce_init(nio_coalesce_index *index, size_t keys)
{
    size_t capacity = MIN_CAPACITY;

    /* At most half full, so that the next growth is far away. */
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
nio_coalesce_extend(nio_coalesce_index *index, const nio_queue_range *range,
                    size_t steps)
{
    /* The place of the next record is valid while the one before it is queued.
     */
    if (index->reached <= range->oldest) {
        index->reached = range->oldest;
        index->chunk = range->head;
        index->offset = range->head == NULL ? 0 : range->head->begin;
    }
    for (; steps > 0 && index->reached < range->next; steps--) {
        nio_change *record = NULL;

        if (!reserve(index, range->oldest)) {
            return false;
        }
        if (index->offset == index->chunk->used) {
            index->chunk = index->chunk->next;
            index->offset = 0;
        }
        record = nio_chunk_record(index->chunk, index->offset);
        if (nio_change_is_state(record)) {
            identity its;
            identify_record(range, record, &its);
            nio_slot *slot = find_slot(index, range, &its);
            const uint64_t before =
                is_live(slot, range->oldest) ? slot->number : 0;
            fill(index, slot,
                 (nio_slot){its.hash, index->reached, before, record});
            record->in_stack = 0; /* an earlier index may have set it */
            nio_unseen_deletes_push(&index->unseen, record, index->reached,
                                    range->oldest);
        }
        index->offset += nio_change_bytes(record);
        index->reached++;
    }
    return true;
}

/* The slot of the newest unseen delete whose place this change fits, or NULL.
 * Records of keys that have another record in the queue are passed over: a
 * later change of such a key could get a place before that other record. */
static nio_slot *
take_unseen_delete(nio_coalesce_index *index, const nio_queue_range *range,
                   const nio_change *change)
{
    for (;;) {
        nio_change *record = nio_unseen_deletes_top(
            &index->unseen, change->kind, range->oldest);
        if (record == NULL || record->size != change->size) {
            return NULL;
        }
        nio_unseen_deletes_pop(&index->unseen, change->kind);
        identity its;
        identify_record(range, record, &its);
        nio_slot *slot = find_slot(index, range, &its);
        if (slot->record == record && slot->before < range->oldest) {
            return slot;
        }
    }
}

static bool
is_delivered(const nio_change *record)
{
    return record->type != NIO_CHANGE_NOTHING;
}

/* Puts a change of a new key in the place of an unseen delete. */
static nio_merge
replace_unseen_delete(nio_coalesce_index *index, const nio_queue_range *range,
                      const nio_change *change, const void *row,
                      const identity *wanted)
{
    nio_slot *gone = !range->lossy && reserve(index, range->oldest)
                         ? take_unseen_delete(index, range, change)
                         : NULL;

    if (gone == NULL) {
        return NIO_NOT_MERGED;
    }
    const nio_merge result =
        is_delivered(gone->record) ? NIO_MERGED : NIO_MERGED_ONE_MORE;
    nio_slot place = {wanted->hash, gone->number, 0, gone->record};
    gone->number = 0; /* dead from now on */
    nio_change header = *change;
    header.first_type = change->type;
    header.in_stack = 0;
    nio_chunk_replace(range->head, place.record, &header, row);
    fill(index, find_slot(index, range, wanted), place);
    return result;
}

nio_merge
nio_coalesce_merge(nio_coalesce_index *index, const nio_queue_range *range,
                   const nio_change *change, const void *row)
{
    identity wanted;
    nio_slot *slot = NULL;

    identify(range, change->kind, row, &wanted);
    slot = find_slot(index, range, &wanted);
    if (!is_live(slot, range->oldest)) {
        return replace_unseen_delete(index, range, change, row, &wanted);
    }
    if (slot->record->size != change->size) {
        return NIO_NOT_MERGED;
    }
    const bool was = is_delivered(slot->record);
    nio_change merged = *slot->record;
    nio_change_merge(&merged, change);
    if (!is_delivered(&merged) && (range->delivers_unseen || range->lossy)) {
        merged.type = NIO_CHANGE_DELETE;
    }
    nio_chunk_replace(range->head, slot->record, &merged, row);
    nio_unseen_deletes_push(&index->unseen, slot->record, slot->number,
                            range->oldest);
    if (was == is_delivered(&merged)) {
        return NIO_MERGED;
    }
    return was ? NIO_MERGED_ONE_LESS : NIO_MERGED_ONE_MORE;
}

void
nio_coalesce_done(nio_coalesce_index *index)
{
    nio_pages_free(index->slots, index->capacity * sizeof(nio_slot));
    nio_unseen_deletes_done(&index->unseen);
    *index = (nio_coalesce_index){.slots = NULL};
}

/* SPDX-License-Identifier: MIT */
/* The hash table of store.h. */
#include "base/store.h"

#include "base/seed.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BITS 10
#define CHUNK_RECORDS (1u << CHUNK_BITS)
#define NONE UINT32_MAX
#define FIRST_BUCKETS 64u

static nio_record *
record_at(const nio_store *store, uint32_t index)
{
    uint8_t *chunk = store->chunks[index >> CHUNK_BITS];
    size_t offset = (index & (CHUNK_RECORDS - 1)) * store->record_size;
    return (nio_record *)(void *)(chunk + offset);
}

static uint32_t *
bucket_of(const nio_store *store, const void *record)
{
    uint64_t hash = store->hash(record, store->seed);
    return &store->buckets[hash & (store->bucket_count - 1)];
}

static void
free_all(nio_store *store)
{
    for (uint32_t i = 0; i < store->chunk_count; i++) {
        free(store->chunks[i]);
    }
    free(store->chunks);
    free(store->buckets);
    store->chunks = NULL;
    store->chunk_count = 0;
    store->buckets = NULL;
    store->bucket_count = 0;
    store->high = 0;
    store->free = NONE;
    store->count = 0;
}

/* So many records before the buckets are doubled, which then take 64/9 bytes
 * for each record: 88 bytes and these are less than 96. */
static uint32_t
most_records(const nio_store *store)
{
    return store->bucket_count + store->bucket_count / 8;
}

/* Doubles the buckets and links every record again: in place, so that there
 * are never two arrays at once. After an allocation failure the chains just
 * grow longer. */
static bool
grow_buckets(nio_store *store)
{
    uint32_t count =
        store->bucket_count == 0 ? FIRST_BUCKETS : store->bucket_count * 2;
    uint32_t *buckets = realloc(store->buckets, count * sizeof(*buckets));
    if (buckets == NULL) {
        return store->bucket_count != 0;
    }
    memset(buckets, 0xff, count * sizeof(*buckets));
    store->buckets = buckets;
    store->bucket_count = count;
    for (uint32_t i = 0; i < store->high; i++) {
        nio_record *record = record_at(store, i);
        if (record->generation != 0) {
            uint32_t *bucket = bucket_of(store, record);
            record->next = *bucket;
            *bucket = i;
        }
    }
    return true;
}

static bool
grow_chunks(nio_store *store)
{
    uint8_t **chunks = realloc(store->chunks, (store->chunk_count + 1) *
                                                  sizeof(*store->chunks));
    if (chunks == NULL) {
        return false;
    }
    store->chunks = chunks;
    chunks[store->chunk_count] = malloc(CHUNK_RECORDS * store->record_size);
    if (chunks[store->chunk_count] == NULL) {
        return false;
    }
    store->chunk_count++;
    return true;
}

void
nio_store_init(nio_store *store, size_t record_size,
               uint64_t (*hash)(const void *record, uint64_t seed))
{
    memset(store, 0, sizeof(*store));
    store->record_size = record_size;
    store->hash = hash;
    store->free = NONE;
    store->seed = nio_seed();
}

void
nio_store_done(nio_store *store)
{
    free_all(store);
}

void *
nio_store_first(const nio_store *store, const void *key)
{
    uint32_t index = store->count == 0 ? NONE : *bucket_of(store, key);
    return index == NONE ? NULL : record_at(store, index);
}

void *
nio_store_next(const nio_store *store, const void *record)
{
    uint32_t index = ((const nio_record *)record)->next;
    return index == NONE ? NULL : record_at(store, index);
}

void *
nio_store_add(nio_store *store, const void *record)
{
    assert(((const nio_record *)record)->generation != 0);
    if (store->count >= most_records(store) && !grow_buckets(store)) {
        return NULL;
    }
    uint32_t index = store->free;
    if (index != NONE) {
        store->free = record_at(store, index)->next;
    } else {
        if (store->high == store->chunk_count << CHUNK_BITS &&
            !grow_chunks(store)) {
            return NULL;
        }
        index = store->high++;
    }
    nio_record *added = record_at(store, index);
    memcpy(added, record, store->record_size);
    uint32_t *bucket = bucket_of(store, added);
    added->next = *bucket;
    *bucket = index;
    store->count++;
    return added;
}

void
nio_store_remove(nio_store *store, void *record)
{
    nio_record *removed = record;
    uint32_t *link = bucket_of(store, record);
    while (record_at(store, *link) != removed) {
        link = &record_at(store, *link)->next;
    }
    uint32_t index = *link;
    *link = removed->next;
    removed->next = store->free;
    removed->generation = 0;
    store->free = index;
    store->count--;
    if (store->count == 0) {
        free_all(store); /* a flushed table gives its memory back */
    }
}

void *
nio_store_each(const nio_store *store, uint32_t *cursor)
{
    while (*cursor < store->high) {
        nio_record *record = record_at(store, (*cursor)++);
        if (record->generation != 0) {
            return record;
        }
    }
    return NULL;
}

#ifndef NDEBUG
bool
nio_store_is_sound(const nio_store *store)
{
    uint32_t live = 0, used = 0, unused = 0;
    for (uint32_t i = 0; i < store->high; i++) {
        live += record_at(store, i)->generation != 0;
    }
    for (uint32_t i = 0; i < store->bucket_count; i++) {
        for (uint32_t at = store->buckets[i]; at != NONE;) {
            const nio_record *record = record_at(store, at);
            if (record->generation == 0 || ++used > live ||
                bucket_of(store, record) != &store->buckets[i]) {
                return false;
            }
            at = record->next;
        }
    }
    for (uint32_t at = store->free; at != NONE;) {
        const nio_record *record = record_at(store, at);
        if (record->generation != 0 || ++unused > store->high - live) {
            return false;
        }
        at = record->next;
    }
    return live == store->count && used == live &&
           unused == store->high - live;
}
#endif

uint64_t
nio_hash(const void *bytes, size_t size, uint64_t seed)
{
    const uint8_t *at = bytes;
    uint64_t hash = seed ^ (size * 0x9e3779b97f4a7c15u);
    for (; size >= 8; size -= 8, at += 8) {
        uint64_t word;
        memcpy(&word, at, sizeof(word));
        hash = nio_mix(hash, word);
    }
    if (size >= 4) {
        uint32_t word;
        memcpy(&word, at, sizeof(word));
        hash = (hash ^ word) * 0xc4ceb9fe1a85ec53u;
        hash ^= hash >> 32;
    }
    return hash ^ (hash >> 29);
}

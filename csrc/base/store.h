/* SPDX-License-Identifier: MIT */
/* A hash table of records of one size: chunks of records that never move, and
 * buckets of 4 bytes that chain them. What several records share a hash for
 * (a route's legs) lies in one chain. Not locked: it belongs to one thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How the store links a record. The first member of all of them. */
typedef struct nio_record {
    uint32_t next; /* in the chain of its bucket, or of free records */
    uint32_t mark; /* the last reading of the tables that saw it; 0: free */
} nio_record;

typedef struct nio_store {
    size_t record_size;
    uint64_t (*hash)(const void *record, uint64_t seed);
    uint64_t seed; /* against hashes that somebody chose */
    uint8_t **chunks;
    uint32_t chunk_count;
    uint32_t *buckets;
    uint32_t bucket_count; /* a power of two, or 0 */
    uint32_t high;         /* records ever used in the chunks */
    uint32_t free;         /* first free record */
    uint32_t count;        /* live records */
} nio_store;

void nio_store_init(nio_store *store, size_t record_size,
                    uint64_t (*hash)(const void *record, uint64_t seed));
/* Forget all records and free what holds them; the store can be used again. */
void nio_store_done(nio_store *store);

/* Walk the records that share `key`'s hash: first, then next until NULL. The
 * next one is read before a record is removed. */
void *nio_store_first(const nio_store *store, const void *key);
void *nio_store_next(const nio_store *store, const void *record);

/* Add a copy. NULL when memory is short. record.mark must not be 0. */
void *nio_store_add(nio_store *store, const void *record);
/* Remove a record that lies in this store; it must not be read afterwards.
 * With the last one all memory goes. */
void nio_store_remove(nio_store *store, void *record);

/* Walk all records; *cursor starts at 0. NULL at the end. Removing the record
 * just given is allowed. */
void *nio_store_each(const nio_store *store, uint32_t *cursor);

#ifndef NDEBUG
/* For assertions: each record, and no other, lies once in the chain where its
 * hash looks for it, and the free ones in the chain of those. */
bool nio_store_is_sound(const nio_store *store);
#endif

/* Mixes a word into a hash that begins with the seed. */
static inline uint64_t
nio_mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0xff51afd7ed558ccdu;
    return hash ^ (hash >> 32);
}

/* Mixes bytes into 64 bits (size a multiple of 4). */
uint64_t nio_hash(const void *bytes, size_t size, uint64_t seed);

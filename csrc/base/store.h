/* SPDX-License-Identifier: MIT */
/* A hash table of records of one size: chunks of records that never move, and
 * buckets of 4 bytes that chain them. Records that share a hash on purpose
 * (the legs of a route) are in one chain. Not locked: it belongs to one
 * thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How the store links a record: the first member of each record. */
typedef struct nio_record {
    uint32_t next;       /* in the chain of its bucket, or of free records */
    uint32_t generation; /* of the last dump that contained it; 0: free */
} nio_record;

typedef struct nio_store {
    size_t record_size;
    uint64_t (*hash)(const void *record, uint64_t seed);
    uint64_t seed; /* against keys that an attacker chose */
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
/* Removes all records and frees all memory. The store can be used again. */
void nio_store_done(nio_store *store);

/* Walk the records in the bucket of `key`: first, then next until NULL.
 * Records with other keys may be among them, so the caller compares. Get the
 * next record before this one is removed. */
void *nio_store_first(const nio_store *store, const void *key);
void *nio_store_next(const nio_store *store, const void *record);

/* Adds a copy. NULL on allocation failure. record.generation must not be 0. */
void *nio_store_add(nio_store *store, const void *record);
/* Removes a record of this store, which must not be read afterwards. Removing
 * the last one frees all memory. */
void nio_store_remove(nio_store *store, void *record);

/* The next of all records, or NULL at the end; *cursor starts at 0. The
 * returned record may be removed. */
void *nio_store_each(const nio_store *store, uint32_t *cursor);

#ifndef NDEBUG
/* For assertions: each live record is once in the chain of its hash, and each
 * free one in the chain of free records. */
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

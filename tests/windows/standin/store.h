/* SPDX-License-Identifier: MIT */
/* A table of rows by key: found, put and deleted in constant time, and walked
 * by number. Deleting moves the last row to the free place, so walk backwards
 * while deleting. Pure memory, without a lock. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define STORE_KEY_SIZE 48

typedef struct store_key {
    unsigned char bytes[STORE_KEY_SIZE];
} store_key;

typedef struct store {
    size_t row_size;
    size_t count;
    size_t capacity;        /* entries allocated */
    unsigned char *entries; /* owned: a key, then its row */
    size_t slot_count;      /* a power of two, or 0 */
    unsigned *slots;        /* owned: number of an entry + 1, or 0 */
} store;

void *store_row(const store *rows, size_t number); /* borrowed */
void *store_find(const store *rows, const store_key *key);
/* Adds or overwrites; returns the row, borrowed until the next change. */
void *store_put(store *rows, const store_key *key, const void *row);
bool store_delete(store *rows, const store_key *key);
void store_clear(store *rows);
void store_free(store *rows); /* its memory; the store itself stays usable */

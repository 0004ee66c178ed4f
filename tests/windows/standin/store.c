/* SPDX-License-Identifier: MIT */
/* See store.h: dense entries, and an open-addressed index of their numbers. */
#include "store.h"

#include "standin.h"

#include <string.h>

static size_t
stride(const store *rows)
{
    return STORE_KEY_SIZE + rows->row_size;
}

static unsigned char *
entry_at(const store *rows, size_t number)
{
    return rows->entries + number * stride(rows);
}

void *
store_row(const store *rows, size_t number)
{
    return entry_at(rows, number) + STORE_KEY_SIZE;
}

static size_t
hash_of(const void *key)
{
    const unsigned char *bytes = key;
    unsigned long long hash = 14695981039346656037ull; /* FNV-1a */
    for (size_t i = 0; i < STORE_KEY_SIZE; i++) {
        hash = (hash ^ bytes[i]) * 1099511628211ull;
    }
    return (size_t)(hash ^ (hash >> 32));
}

/* The slot of this key, or the free one where it belongs. */
static size_t
find_slot(const store *rows, const void *key)
{
    size_t mask = rows->slot_count - 1;
    size_t slot = hash_of(key) & mask;
    while (rows->slots[slot] != 0 &&
           memcmp(entry_at(rows, rows->slots[slot] - 1), key,
                  STORE_KEY_SIZE) != 0) {
        slot = (slot + 1) & mask;
    }
    return slot;
}

void *
store_find(const store *rows, const store_key *key)
{
    if (rows->count == 0) {
        return NULL;
    }
    size_t slot = find_slot(rows, key);
    return rows->slots[slot] == 0 ? NULL
                                  : store_row(rows, rows->slots[slot] - 1);
}

static void
grow(store *rows)
{
    size_t capacity = rows->capacity == 0 ? 16 : rows->capacity * 2;
    unsigned char *entries = standin_allocate(capacity * stride(rows));
    if (rows->count > 0) {
        memcpy(entries, rows->entries, rows->count * stride(rows));
    }
    standin_free(rows->entries, rows->capacity * stride(rows));
    standin_free(rows->slots, rows->slot_count * sizeof(*rows->slots));
    rows->entries = entries;
    rows->capacity = capacity;
    rows->slot_count = capacity * 2;
    rows->slots = standin_allocate(rows->slot_count * sizeof(*rows->slots));
    for (size_t i = 0; i < rows->count; i++) {
        rows->slots[find_slot(rows, entry_at(rows, i))] = (unsigned)i + 1;
    }
}

void *
store_put(store *rows, const store_key *key, const void *row)
{
    void *place = store_find(rows, key);
    if (place == NULL) {
        if (rows->count == rows->capacity) {
            grow(rows);
        }
        memcpy(entry_at(rows, rows->count), key, STORE_KEY_SIZE);
        rows->slots[find_slot(rows, key)] = (unsigned)++rows->count;
        place = store_row(rows, rows->count - 1);
    }
    memcpy(place, row, rows->row_size);
    return place;
}

/* Empties a slot, and moves back the entries that were displaced because of
 * it. */
static void
empty_slot(store *rows, size_t slot)
{
    size_t mask = rows->slot_count - 1;
    size_t next = slot;
    rows->slots[slot] = 0;
    for (;;) {
        next = (next + 1) & mask;
        if (rows->slots[next] == 0) {
            return;
        }
        size_t home = hash_of(entry_at(rows, rows->slots[next] - 1)) & mask;
        if (((next - home) & mask) >= ((next - slot) & mask)) {
            rows->slots[slot] = rows->slots[next];
            rows->slots[next] = 0;
            slot = next;
        }
    }
}

bool
store_delete(store *rows, const store_key *key)
{
    if (store_find(rows, key) == NULL) {
        return false;
    }
    size_t slot = find_slot(rows, key);
    size_t number = rows->slots[slot] - 1, last = rows->count - 1;
    empty_slot(rows, slot);
    if (number != last) {
        rows->slots[find_slot(rows, entry_at(rows, last))] =
            (unsigned)number + 1;
        memcpy(entry_at(rows, number), entry_at(rows, last), stride(rows));
    }
    rows->count--;
    return true;
}

void
store_clear(store *rows)
{
    rows->count = 0;
    if (rows->slot_count > 0) {
        memset(rows->slots, 0, rows->slot_count * sizeof(*rows->slots));
    }
}

void
store_free(store *rows)
{
    standin_free(rows->entries, rows->capacity * stride(rows));
    standin_free(rows->slots, rows->slot_count * sizeof(*rows->slots));
    *rows = (store){.row_size = rows->row_size};
}

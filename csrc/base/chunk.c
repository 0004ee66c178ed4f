/* SPDX-License-Identifier: MIT */
/* Chunks and their records: shared memory without a lock. A taker reads the
 * records that it took while the queue appends behind them to the same chunk.
 */
#include "base/chunk.h"

#include "base/extra.h"
#include "base/pages.h"

#include <stdlib.h>
#include <string.h>

/* Bytes of records: small for a quiet queue, large for a long one. */
enum {
    MIN_CHUNK = 8192 - sizeof(struct nio_chunk),
    MAX_CHUNK = 262144 - sizeof(struct nio_chunk)
};

/* From this size on a chunk has pages of its own (pages.h). */
enum { MIN_PAGES_SIZE = 65536 };

static size_t
total_size(size_t capacity)
{
    return sizeof(struct nio_chunk) + capacity;
}

struct nio_chunk *
nio_chunk_new(size_t capacity)
{
    const size_t size = total_size(capacity);
    struct nio_chunk *chunk =
        size >= MIN_PAGES_SIZE ? nio_pages_new(size) : malloc(size);

    if (chunk != NULL) {
        *chunk = (struct nio_chunk){.capacity = capacity};
        nio_atomic_store(&chunk->references, 1);
    }
    return chunk;
}

void
nio_chunk_keep(struct nio_chunk *chunk)
{
    (void)nio_atomic_add(&chunk->references, 1);
}

static void
drop_extras(struct nio_chunk *chunk)
{
    for (size_t at = 0; chunk->extras && at < chunk->used;) {
        nio_change *record = nio_chunk_record(chunk, at);
        nio_extra_drop(nio_change_extra(record));
        at += nio_change_bytes(record);
    }
    chunk->extras = false;
}

void
nio_chunk_reset(struct nio_chunk *chunk)
{
    drop_extras(chunk);
    chunk->begin = chunk->used = 0;
}

void
nio_chunk_drop(struct nio_chunk *chunk)
{
    if (chunk == NULL || nio_atomic_add(&chunk->references, UINT64_MAX) != 1) {
        return;
    }
    drop_extras(chunk);
    if (total_size(chunk->capacity) >= MIN_PAGES_SIZE) {
        nio_pages_free(chunk, total_size(chunk->capacity));
    } else {
        free(chunk);
    }
}

bool
nio_chunk_is_own(const struct nio_chunk *chunk)
{
    return nio_atomic_load(&chunk->references) == 1;
}

nio_change *
nio_chunk_append(struct nio_chunk *chunk, const nio_change *change,
                 const void *row)
{
    nio_change *record = nio_chunk_record(chunk, chunk->used);
    *record = *change;
    record->first_type = change->type;
    record->in_stack = 0;
    if (change->size > 0) {
        memcpy(nio_change_row(record), row, change->size);
        chunk->extras |= nio_extra_keep(nio_change_extra(record)) != NULL;
    }
    chunk->used += nio_change_bytes(change);
    chunk->count++;
    chunk->rows += !nio_change_is_mark(change);
    return record;
}

/* The chunk of a record is searched only for a row with a block, which is
 * rare. */
void
nio_chunk_replace(struct nio_chunk *head, nio_change *record,
                  const nio_change *change, const void *row)
{
    const uintptr_t at = (uintptr_t)record;
    const nio_extra *before = nio_change_extra(record);

    *record = *change;
    memcpy(nio_change_row(record), row, record->size);
    if (nio_extra_keep(nio_change_extra(record)) != NULL) {
        while (at - (uintptr_t)head->records >= head->used) {
            head = head->next;
        }
        head->extras = true;
    }
    nio_extra_drop(before);
}

nio_passed
nio_chunk_pass(struct nio_chunk *chunk, size_t max_count, bool has_nothing)
{
    nio_passed passed = {.all = 0};

    if (!has_nothing && chunk->count <= max_count) {
        passed = (nio_passed){chunk->count, chunk->count, chunk->rows};
        chunk->begin = chunk->used;
        chunk->rows = chunk->count = 0;
        return passed;
    }
    while (chunk->count > 0) {
        const nio_change *record = nio_chunk_record(chunk, chunk->begin);
        const bool is_row = !nio_change_is_mark(record);
        const bool is_delivered = record->type != NIO_CHANGE_NOTHING;
        if (is_delivered && passed.delivered == max_count) {
            break;
        }
        chunk->begin += nio_change_bytes(record);
        chunk->count--;
        chunk->rows -= is_row;
        passed.all++;
        passed.delivered += is_delivered;
        passed.rows += is_row && is_delivered;
    }
    return passed;
}

/* ---- the chunks of one queue */
static size_t
next_capacity(const nio_chunk_list *list)
{
    size_t last = list->tail == NULL ? MIN_CHUNK / 2 : list->tail->capacity;
    return last < MAX_CHUNK / 2 ? last * 2 : MAX_CHUNK;
}

struct nio_chunk *
nio_chunk_list_room(nio_chunk_list *list, size_t size)
{
    struct nio_chunk *tail = list->tail, *chunk = NULL;
    size_t capacity = next_capacity(list);

    if (tail != NULL && tail->count == 0 && nio_chunk_is_own(tail)) {
        nio_chunk_reset(tail); /* no taker is left */
    }
    if (nio_chunk_room(tail) >= size) {
        return tail;
    }
    if (list->spare != NULL && list->spare->capacity >= size) {
        chunk = list->spare;
        list->spare = NULL;
    } else if ((chunk = nio_chunk_new(capacity < size ? size : capacity)) ==
               NULL) {
        return NULL;
    }
    if (tail == NULL) {
        list->head = chunk;
    } else if (tail->count > 0) {
        tail->next = chunk;
    } else { /* an empty tail is the only chunk */
        list->head = chunk;
        nio_chunk_drop(tail);
    }
    list->tail = chunk;
    return chunk;
}

bool
nio_chunk_list_reserve(nio_chunk_list *list, size_t size)
{
    if (list->spare == NULL && nio_chunk_room(list->tail) < size) {
        list->spare = nio_chunk_new(next_capacity(list));
        return list->spare != NULL;
    }
    return true;
}

static bool
is_large(const struct nio_chunk *chunk)
{
    return chunk != NULL && chunk->capacity > MIN_CHUNK;
}

void
nio_chunk_list_shrink(nio_chunk_list *list)
{
    struct nio_chunk *small_chunk =
        is_large(list->tail) || is_large(list->spare)
            ? nio_chunk_new(MIN_CHUNK)
            : NULL;

    if (small_chunk != NULL) {
        nio_chunk_drop(list->tail);
        nio_chunk_drop(list->spare);
        list->head = list->tail = small_chunk;
        list->spare = NULL;
    }
}

#ifndef NDEBUG
/* Checks the records of one chunk. Called for the first chunk only: otherwise
 * each take would walk all records of all chunks. */
static bool
is_sound(struct nio_chunk *chunk)
{
    size_t at = chunk->begin, rows = 0;

    for (size_t i = 0; i < chunk->count && at < chunk->used; i++) {
        const nio_change *record = nio_chunk_record(chunk, at);
        rows += !nio_change_is_mark(record);
        at += nio_change_bytes(record);
    }
    return at == chunk->used && rows == chunk->rows;
}

bool
nio_chunk_list_is_sound(const nio_chunk_list *list, uint64_t count)
{
    struct nio_chunk *head = list->head, *chunk = head;
    const struct nio_chunk *tail = list->tail;

    for (; chunk != NULL; chunk = chunk->next) {
        if (chunk->begin > chunk->used || chunk->used > chunk->capacity ||
            chunk->count > count || (chunk->count == 0 && chunk != tail) ||
            (chunk->next == NULL) != (chunk == tail)) {
            return false;
        }
        count -= chunk->count;
    }
    return count == 0 && (head == NULL ? tail == NULL : is_sound(head));
}
#endif

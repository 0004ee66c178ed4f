/* SPDX-License-Identifier: MIT */
/* Chunks and their records: shared memory without a lock. What was taken is
 * read by its taker while the queue appends behind it to the same chunk. */
#include "base/chunk.h"

#include "base/pages.h"

#include <stdlib.h>
#include <string.h>

/* From this size on a chunk is memory of the system's. */
enum { PAGES_FROM = 65536 };

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
        size >= PAGES_FROM ? nio_pages_new(size) : malloc(size);

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

void
nio_chunk_drop(struct nio_chunk *chunk)
{
    if (chunk == NULL || nio_atomic_add(&chunk->references, UINT64_MAX) != 1) {
        return;
    }
    if (total_size(chunk->capacity) >= PAGES_FROM) {
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

/* What the taker has seen before this record decides between ADD and
 * PARAMETER, and the type of the first of all merged changes tells it: only
 * an ADD comes to a thing unseen. An ADD that is deleted becomes a DELETE and
 * not nothing: a program may have met the row in a table that it read
 * meanwhile. */
void
nio_record_merge(nio_change *record, const nio_change *change, const void *row)
{
    const uint8_t first = record->first_type, listed = record->listed;
    const uint8_t snapshot = record->flags & NIO_FLAG_SNAPSHOT;

    *record = *change;
    record->first_type = first;
    record->listed = listed;
    if (change->type != NIO_CHANGE_DELETE) {
        record->type =
            first == NIO_CHANGE_ADD ? NIO_CHANGE_ADD : NIO_CHANGE_PARAMETER;
        record->flags = (uint8_t)(record->flags | snapshot);
    }
    memcpy(nio_change_row(record), row, change->size);
}

bool
nio_mark_merge(nio_change *last, const nio_change *before,
               const nio_change *mark, bool full)
{
    if (last == NULL || !nio_change_is_mark(last)) {
        return false;
    }
    if (last->flags == mark->flags) {
        return true;
    }
    if (!full || (mark->flags != NIO_FLAG_OVERFLOW &&
                  (last->flags != NIO_FLAG_OVERFLOW || before == NULL ||
                   !nio_change_is_mark(before) ||
                   before->flags != NIO_FLAG_OVERFLOW))) {
        return false;
    }
    last->flags = mark->flags;
    last->time_ns = mark->time_ns;
    return true;
}

nio_change *
nio_chunk_append(struct nio_chunk *chunk, const nio_change *change,
                 const void *row)
{
    nio_change *record = nio_record_at(chunk, chunk->used);
    *record = *change;
    record->first_type = change->type;
    record->listed = 0;
    if (change->size > 0) {
        memcpy(nio_change_row(record), row, change->size);
    }
    chunk->used += nio_record_size(change->size);
    chunk->count++;
    chunk->rows += !nio_change_is_mark(change);
    return record;
}

void
nio_chunk_pass(struct nio_chunk *chunk, size_t count)
{
    if (count == chunk->count) {
        chunk->begin = chunk->used;
        chunk->rows = 0;
    } else {
        for (size_t i = 0; i < count; i++) {
            const nio_change *record = nio_record_at(chunk, chunk->begin);
            chunk->begin += nio_record_size(record->size);
            chunk->rows -= !nio_change_is_mark(record);
        }
    }
    chunk->count -= count;
}

nio_change *
nio_taken_next(const nio_taken *taken, nio_cursor *cursor)
{
    nio_change *record = NULL;

    if (cursor->passed == taken->count) {
        return NULL;
    }
    if (cursor->chunk == NULL) {
        cursor->chunk = taken->chunks;
        cursor->offset = taken->begin;
    } else if (cursor->chunk != taken->last &&
               cursor->offset == cursor->chunk->used) {
        cursor->chunk = cursor->chunk->next;
        cursor->offset = 0; /* a chunk is entered at its front */
    }
    record = nio_record_at(cursor->chunk, cursor->offset);
    cursor->offset += nio_record_size(record->size);
    cursor->passed++;
    return record;
}

void
nio_taken_free(nio_taken *taken)
{
    struct nio_chunk *chunk = taken->count > 0 ? taken->chunks : NULL;

    while (chunk != NULL) {
        struct nio_chunk *next = chunk == taken->last ? NULL : chunk->next;
        nio_chunk_drop(chunk);
        chunk = next;
    }
    *taken = (nio_taken){.count = 0};
}

#ifndef NDEBUG
/* All records of all chunks would be walked with each batch that is taken. */
static bool
is_sound(struct nio_chunk *chunk)
{
    size_t at = chunk->begin, rows = 0;

    for (size_t i = 0; i < chunk->count && at < chunk->used; i++) {
        const nio_change *record = nio_record_at(chunk, at);
        rows += !nio_change_is_mark(record);
        at += nio_record_size(record->size);
    }
    return at == chunk->used && rows == chunk->rows;
}

bool
nio_chunks_are_sound(struct nio_chunk *head, const struct nio_chunk *tail,
                     uint64_t count)
{
    struct nio_chunk *chunk = head;

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

/* SPDX-License-Identifier: MIT */
/* Walking and freeing what was taken out of a queue. */
#include "base/taken.h"

#include "base/chunk.h"

nio_change *
nio_taken_next(const nio_taken *taken, nio_cursor *cursor)
{
    nio_change *record = NULL;

    if (cursor->passed == taken->count) {
        return NULL;
    }
    do {
        if (cursor->chunk == NULL) {
            cursor->chunk = taken->chunks;
            cursor->offset = taken->begin;
        } else if (cursor->chunk != taken->last &&
                   cursor->offset == cursor->chunk->used) {
            cursor->chunk = cursor->chunk->next;
            cursor->offset = 0; /* a chunk is entered at its front */
        }
        record = nio_chunk_record(cursor->chunk, cursor->offset);
        cursor->offset += nio_change_bytes(record);
    } while (record->type == NIO_CHANGE_NOTHING);
    cursor->passed++;
    return record;
}

size_t
nio_taken_bytes(const nio_taken *taken)
{
    const struct nio_chunk *chunk = taken->count > 0 ? taken->chunks : NULL;
    size_t bytes = 0;

    while (chunk != NULL) {
        bytes += chunk->capacity;
        chunk = chunk == taken->last ? NULL : chunk->next;
    }
    return bytes;
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

/* SPDX-License-Identifier: MIT */
/* The result of one read: taking it, copying it, freeing it. */
#include "binding/watch/read_result.h"

#include "base/extra.h"

#include <stdlib.h>
#include <string.h>

bool
nio_read_result_prepare(nio_read_result *result, size_t max_count)
{
    result->records = malloc((max_count + 1) * sizeof(*result->records));
    return result->records != NULL;
}

void
nio_read_result_add(nio_read_result *result, nio_change *change)
{
    result->records[result->count++] = change;
    result->rows[change->kind]++;
    result->bytes += nio_change_bytes(change);
}

static void
note_mark(nio_read_result *result, uint8_t flags)
{
    bool lost = (flags & NIO_FLAG_OVERFLOW) != 0;
    bool exact = (flags & NIO_FLAG_SYNCED) != 0;

    result->overflow |= lost;
    result->synced = exact || (result->synced && !lost);
    result->marked |= lost || exact;
}

void
nio_read_result_take(nio_read_result *result, nio_taken *taken)
{
    nio_cursor cursor = {NULL, 0, 0};
    nio_change *change = NULL;

    result->taken = *taken;
    while ((change = nio_taken_next(&result->taken, &cursor)) != NULL) {
        if (nio_change_is_mark(change)) {
            note_mark(result, change->flags);
        } else {
            nio_read_result_add(result, change);
        }
    }
    /* A few records in a large chunk would keep the whole chunk, and the queue
     * could not reuse it. So they are copied; on allocation failure they stay
     * where they are. */
    if (result->bytes < nio_taken_bytes(&result->taken) / 2) {
        (void)nio_read_result_own(result);
    }
}

bool
nio_read_result_own(nio_read_result *result)
{
    uint8_t *place = malloc(result->bytes + 1);

    if (place == NULL) {
        return false;
    }
    result->copy = place;
    for (size_t i = 0; i < result->count; i++) {
        size_t size = nio_change_bytes(result->records[i]);
        memcpy(place, result->records[i], size);
        result->records[i] = (nio_change *)place;
        (void)nio_extra_keep(nio_change_extra(result->records[i]));
        place += size;
    }
    nio_taken_free(&result->taken);
    return true;
}

void
nio_read_result_copy_row(nio_change *change, void *to, size_t size)
{
    size_t present = change->size < size ? change->size : size;

    memcpy(to, nio_change_row(change), present);
    if (present < size) {
        memset((char *)to + present, 0, size - present);
    }
}

bool
nio_read_result_copy_rows(const nio_read_result *result, nio_kind kind,
                          size_t size, uint8_t *to)
{
    bool has_extras = false;
    for (size_t i = 0; i < result->count; i++) {
        if (result->records[i]->kind == kind) {
            nio_read_result_copy_row(result->records[i], to, size);
            has_extras |= nio_extra_keep(nio_extra_of(kind, to)) != NULL;
            to += size;
        }
    }
    return has_extras;
}

void
nio_read_result_free(nio_read_result *result)
{
    nio_taken_free(&result->taken);
    for (size_t i = 0; result->copy != NULL && i < result->count; i++) {
        nio_extra_drop(nio_change_extra(result->records[i]));
    }
    free(result->copy);
    free(result->records);
    *result = (nio_read_result){.count = 0};
}

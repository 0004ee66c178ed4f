/* SPDX-License-Identifier: MIT */
/* The queue (base/queue.h) as a library for ctypes, for its comparison with a
 * model in Python (tests/linux/test_queue_model.py). */
#include "base/queue.h"

#include <string.h>

#define EXPORT __attribute__((visibility("default")))

enum { WITHOUT_IDENTITY = 9 };

/* A change as it is put and taken. */
typedef struct library_change {
    uint32_t kind, type, flags, key, value, size;
} library_change;

/* A row of any size, which begins with these two words. */
typedef struct library_row {
    uint32_t key, value;
    uint8_t rest[248];
} library_row;

static size_t
key_of(int kind, const void *row, uint8_t *key)
{
    if (kind == WITHOUT_IDENTITY) {
        return 0;
    }
    memcpy(key, row, sizeof(uint32_t));
    return sizeof(uint32_t);
}

EXPORT nio_queue *
library_new(size_t bound, int delivers_unseen)
{
    nio_queue *queue = nio_queue_new(bound, key_of, NULL);

    if (queue != NULL && delivers_unseen) {
        nio_queue_deliver_unseen(queue);
    }
    return queue;
}

EXPORT void
library_free(nio_queue *queue)
{
    nio_queue_free(queue);
}

EXPORT int
library_put(nio_queue *queue, const library_change *put)
{
    library_row row = {.key = put->key, .value = put->value};
    const nio_change change = {.time_ns = put->value,
                               .size = (uint16_t)put->size,
                               .kind = (uint8_t)put->kind,
                               .type = (uint8_t)put->type,
                               .flags = (uint8_t)put->flags};

    memset(row.rest, (int)(put->value & 0xff), sizeof(row.rest));
    return nio_queue_put(queue, &change, &row);
}

/* Takes at most `max_count` changes into `ret` and returns how many.
 * SIZE_MAX: a row differs from what was put. */
EXPORT size_t
library_take(nio_queue *queue, size_t max_count, library_change *ret)
{
    nio_taken taken;
    nio_cursor cursor = {0};
    nio_change *change = NULL;
    size_t count = 0;

    (void)nio_queue_take(queue, max_count, &taken);
    while ((change = nio_taken_next(&taken, &cursor)) != NULL) {
        const library_row *row = nio_change_row(change);
        library_change *out = &ret[count++];
        *out = (library_change){.kind = change->kind,
                                .type = change->type,
                                .flags = change->flags,
                                .value = (uint32_t)change->time_ns,
                                .size = change->size};
        if (change->size == 0) {
            continue;
        }
        out->key = row->key;
        for (size_t i = 8; i < change->size; i++) {
            if (((const uint8_t *)row)[i] != (row->value & 0xff) ||
                row->value != out->value) {
                count = SIZE_MAX;
                goto done;
            }
        }
    }
done:
    nio_taken_free(&taken);
    return count;
}

EXPORT void
library_statistics(nio_queue *queue, nio_queue_statistics *ret)
{
    nio_queue_statistics_of(queue, ret);
}

/* SPDX-License-Identifier: MIT */
/* Rows, keys and marks for the tests of base/queue.h, and a short notation for
 * the content of a queue. */
#pragma once

#include "base/queue.h"

#include "check.h"

#include <string.h>

enum { KIND = 2, OTHER_KIND = 1, KEYLESS = 9 };
enum {
    PARAMETER = NIO_CHANGE_PARAMETER,
    ADD = NIO_CHANGE_ADD,
    DELETE = NIO_CHANGE_DELETE,
    INITIAL = NIO_CHANGE_INITIAL
};

typedef struct row {
    uint32_t key;
    uint32_t value;
    uint8_t more[128];
} row;

static inline size_t
key_of(int kind, const void *at, uint8_t *key)
{
    const row *keyed = at;

    if (kind == KEYLESS) {
        return 0;
    }
    memcpy(key, &keyed->key, sizeof(keyed->key));
    return sizeof(keyed->key);
}

static inline bool
put_as(nio_queue *queue, int kind, int type, uint32_t key, uint32_t value,
       int flags)
{
    row put = {.key = key, .value = value};
    nio_change change = {.time_ns = value,
                         .size = sizeof(put),
                         .kind = (uint8_t)kind,
                         .type = (uint8_t)type,
                         .flags = (uint8_t)flags};

    memset(put.more, (int)(value & 0xff), sizeof(put.more));
    return nio_queue_put(queue, &change, &put);
}

static inline void
put(nio_queue *queue, int type, uint32_t key, uint32_t value)
{
    CHECK(put_as(queue, KIND, type, key, value, 0));
}

static inline bool
mark(nio_queue *queue, int flag)
{
    const nio_change change = {
        .kind = NIO_CHANGE_MARK, .flags = (uint8_t)flag, .time_ns = 1};
    return nio_queue_put(queue, &change, NULL);
}

static inline nio_queue_statistics
statistics_of(nio_queue *queue)
{
    nio_queue_statistics now;

    nio_queue_statistics_of(queue, &now);
    CHECK_EQUAL(now.put, now.taken + now.coalesced + now.queued);
    return now;
}

/* Takes all changes and compares them with a text. "A1=5" is an ADD of key 1
 * with value 5; the types are A, P, D and I; a final "s" is SNAPSHOT; "O" and
 * "S" are marks. */
static inline void
expect(nio_queue *queue, const char *wanted)
{
    static const char types[] = "PADI";
    nio_taken taken;
    nio_cursor cursor = {0};
    nio_change *change = NULL;
    char found[4096] = "";
    size_t at = 0;

    (void)nio_queue_take(queue, SIZE_MAX, &taken);
    while ((change = nio_taken_next(&taken, &cursor)) != NULL) {
        const row *got = nio_change_row(change);
        const char *space = at == 0 ? "" : " ";
        CHECK_EQUAL((uintptr_t)got % 8, 0);
        if (change->kind == NIO_CHANGE_MARK) {
            CHECK_EQUAL(change->size, 0);
            at += (size_t)snprintf(
                found + at, sizeof(found) - at, "%s%s", space,
                change->flags == NIO_FLAG_OVERFLOW ? "O" : "S");
        } else if (change->size == 0) {
            at += (size_t)snprintf(found + at, sizeof(found) - at, "%s%c",
                                   space, types[change->type]);
        } else {
            at += (size_t)snprintf(
                found + at, sizeof(found) - at, "%s%c%u=%u%s", space,
                types[change->type], got->key, got->value,
                change->flags & NIO_FLAG_SNAPSHOT ? "s" : "");
            CHECK_EQUAL(change->time_ns, got->value);
            CHECK_EQUAL(got->more[127], got->value & 0xff);
        }
    }
    nio_taken_free(&taken);
    if (strcmp(found, wanted) != 0) {
        fprintf(stderr, "taken:  %s\nwanted: %s\n", found, wanted);
        abort();
    }
    CHECK_EQUAL(statistics_of(queue).queued, 0);
}

/* A queue that is at its bound with a change of key 99. */
static inline nio_queue *
full_queue(void)
{
    nio_queue *queue = nio_queue_new(1, key_of, NULL);
    put(queue, ADD, 99, 0);
    return queue;
}

/* SPDX-License-Identifier: MIT */
/* The queue of changes: a FIFO of records in chunks, behind one lock.
 *
 *   head                              tail
 *   [ taken | queued ] -> [ queued ] -> [ queued | room ]
 *
 * A record is a change and its row, 8-byte aligned. Nothing is allocated per
 * change: a chunk is shared between the queue, which appends at its end, and
 * the takers of the records at its front; the last of them frees it. An empty
 * chunk without a taker is filled again from its start. Producer and taker
 * share no more than the lock; neither waits for the other. */
#include "base/queue.h"

#include "base/chunk.h"
#include "base/coalesce.h"
#include "base/lock.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of records: small for a quiet queue, large for a long one. */
enum {
    MIN_CHUNK = 8192 - sizeof(struct nio_chunk),
    MAX_CHUNK = 262144 - sizeof(struct nio_chunk)
};

/* The index is begun half way to the bound, and each change that is put
 * indexes two more records: so at the bound all of them are indexed. */
enum { INDEX_STEPS = 2 };

struct nio_queue {
    size_t bound;
    nio_change_key key;
    nio_event *readable; /* borrowed; may be NULL */
    nio_lock lock;
    struct nio_chunk *head NIO_GUARDED_BY(lock);
    struct nio_chunk *tail NIO_GUARDED_BY(lock);
    struct nio_chunk *spare NIO_GUARDED_BY(lock); /* the next tail, or NULL */
    /* Records are numbered from 1 on: [oldest, next) are queued. */
    uint64_t oldest NIO_GUARDED_BY(lock);
    uint64_t next NIO_GUARDED_BY(lock);
    /* The newest record and the one before it; valid while they are queued. */
    nio_change *last NIO_GUARDED_BY(lock);
    nio_change *before NIO_GUARDED_BY(lock);
    nio_coalesce_index index NIO_GUARDED_BY(lock);
    /* The bound; or more, after an index could not be allocated. */
    size_t coalesce_at NIO_GUARDED_BY(lock);
    bool signalled NIO_GUARDED_BY(lock); /* `readable` is set */
    bool closed NIO_GUARDED_BY(lock);
    bool lossy NIO_GUARDED_BY(lock); /* an OVERFLOW mark is owed */
    nio_queue_statistics statistics NIO_GUARDED_BY(lock);
};

static size_t
count_locked(const nio_queue *queue) NIO_REQUIRES(queue->lock)
{
    return (size_t)(queue->next - queue->oldest);
}

static size_t
next_capacity_locked(const nio_queue *queue) NIO_REQUIRES(queue->lock)
{
    size_t last = queue->tail == NULL ? MIN_CHUNK / 2 : queue->tail->capacity;
    return last < MAX_CHUNK / 2 ? last * 2 : MAX_CHUNK;
}

/* A tail chunk with room for `size` bytes. NULL on allocation failure. */
static struct nio_chunk *
room_locked(nio_queue *queue, size_t size) NIO_REQUIRES(queue->lock)
{
    struct nio_chunk *tail = queue->tail, *chunk = NULL;
    size_t capacity = next_capacity_locked(queue);

    if (tail != NULL && tail->count == 0 && nio_chunk_is_own(tail)) {
        nio_chunk_reset(tail); /* no taker is left */
    }
    if (nio_chunk_room(tail) >= size) {
        return tail;
    }
    if (queue->spare != NULL && queue->spare->capacity >= size) {
        chunk = queue->spare;
        queue->spare = NULL;
    } else if ((chunk = nio_chunk_new(capacity < size ? size : capacity)) ==
               NULL) {
        return NULL;
    }
    if (tail == NULL) {
        queue->head = chunk;
    } else if (tail->count > 0) {
        tail->next = chunk;
    } else { /* an empty tail is the only chunk */
        queue->head = chunk;
        nio_chunk_drop(tail);
    }
    queue->tail = chunk;
    return chunk;
}

/* Appends a record. NULL on allocation failure. */
static nio_change *
append_locked(nio_queue *queue, const nio_change *change, const void *row)
    NIO_REQUIRES(queue->lock)
{
    const unsigned rows = nio_change_is_mark(change) ? 0 : 1;
    struct nio_chunk *chunk = room_locked(queue, nio_change_bytes(change));
    nio_queue_statistics *counted = &queue->statistics;

    if (chunk == NULL) {
        return NULL;
    }
    nio_change *record = nio_chunk_append(chunk, change, row);
    queue->before = queue->last;
    queue->last = record;
    queue->next++;
    counted->put += rows;
    counted->queued += rows;
    if (counted->queued > counted->high_water) {
        counted->high_water = counted->queued;
    }
    return record;
}

/* ---- coalescing */
/* Merges a change into a queued record, or returns false. Without an index the
 * queue stays a FIFO, which is equally exact. After a loss an ADD does not
 * prove that the taker has not seen its key, since the DELETE before it may be
 * lost: so no unseen delete is replaced any more. */
static bool
merge_locked(nio_queue *queue, const nio_change *change, const void *row)
    NIO_REQUIRES(queue->lock)
{
    const nio_queue_range range = {queue->head, queue->oldest, queue->next,
                                   queue->key};
    const size_t count = count_locked(queue);
    const bool full = count >= queue->coalesce_at;
    nio_coalesce_index *index = &queue->index;

    if (index->slots == NULL &&
        (count == 0 || count < queue->coalesce_at / 2)) {
        return false;
    }
    if ((index->slots == NULL && !nio_coalesce_init(index, count * 2)) ||
        !nio_coalesce_extend(index, &range, full ? SIZE_MAX : INDEX_STEPS)) {
        nio_coalesce_done(index);
        queue->coalesce_at = count * 4 + 4; /* then try again */
        return false;
    }
    return full && nio_coalesce_merge(index, &range, change, row,
                                      queue->statistics.lost == 0);
}

static bool
put_state_locked(nio_queue *queue, const nio_change *change, const void *row)
    NIO_REQUIRES(queue->lock)
{
    if (!merge_locked(queue, change, row)) {
        return append_locked(queue, change, row) != NULL;
    }
    queue->statistics.put++;
    queue->statistics.coalesced++;
    return true;
}

static bool
put_mark_locked(nio_queue *queue, const nio_change *mark)
    NIO_REQUIRES(queue->lock)
{
    const size_t count = count_locked(queue);
    nio_change *last = count > 0 ? queue->last : NULL;
    const nio_change *before = count > 1 ? queue->before : NULL;

    return nio_mark_merge(last, before, mark, count >= queue->bound) ||
           append_locked(queue, mark, NULL) != NULL;
}

static bool
put_locked(nio_queue *queue, const nio_change *change, const void *row)
    NIO_REQUIRES(queue->lock)
{
    const nio_change overflow = {.time_ns = change->time_ns,
                                 .kind = NIO_CHANGE_MARK,
                                 .flags = NIO_FLAG_OVERFLOW};
    bool kept = false;

    if (queue->closed) {
        return true;
    }
    if (queue->lossy && put_mark_locked(queue, &overflow)) {
        queue->lossy = false;
    }
    if (nio_change_is_mark(change)) {
        nio_change mark = *change;
        mark.size = 0;
        kept = put_mark_locked(queue, &mark);
    } else {
        kept = nio_change_is_state(change)
                   ? put_state_locked(queue, change, row)
                   : append_locked(queue, change, row) != NULL;
        queue->statistics.lost += !kept;
    }
    queue->lossy = queue->lossy || !kept;
    return kept;
}

/* ---- taking */
/* Moves the first records of the head chunk to the end of `taken`. */
static void
take_chunk_locked(nio_queue *queue, size_t max_count, nio_taken *taken)
    NIO_REQUIRES(queue->lock)
{
    struct nio_chunk *chunk = queue->head;
    const size_t rows = chunk->rows;
    size_t count = chunk->count;

    if (taken->count == 0) {
        taken->chunks = chunk;
        taken->begin = chunk->begin;
    }
    taken->last = chunk;
    count = count < max_count ? count : max_count;
    nio_chunk_pass(chunk, count);
    taken->count += count;
    queue->oldest += count;
    queue->statistics.queued -= rows - chunk->rows;
    queue->statistics.taken += rows - chunk->rows;
    if (chunk->count == 0 && chunk != queue->tail) {
        queue->head = chunk->next; /* the taker gets our reference */
    } else {
        nio_chunk_keep(chunk);
    }
}

static bool
is_large(const struct nio_chunk *chunk)
{
    return chunk != NULL && chunk->capacity > MIN_CHUNK;
}

/* On allocation failure the large chunks stay: reserved room is kept. */
static void
replace_by_small_locked(nio_queue *queue) NIO_REQUIRES(queue->lock)
{
    struct nio_chunk *small = nio_chunk_new(MIN_CHUNK);

    if (small != NULL) {
        nio_chunk_drop(queue->tail);
        nio_chunk_drop(queue->spare);
        queue->head = queue->tail = small;
        queue->spare = NULL;
    }
}

/* Gives back memory that only a long queue needs. Returns the index, to be
 * freed outside of the lock, once the queue is far shorter than where an index
 * is begun: else a queue around that length would build it again and again. */
static nio_coalesce_index
shrink_locked(nio_queue *queue) NIO_REQUIRES(queue->lock)
{
    const size_t count = count_locked(queue);
    nio_coalesce_index unused = {.slots = NULL};

    if (count == 0 || count < queue->bound / 4) {
        unused = queue->index;
        queue->index = (nio_coalesce_index){.slots = NULL};
        queue->coalesce_at = queue->bound;
    }
    if (count == 0 && (is_large(queue->tail) || is_large(queue->spare))) {
        replace_by_small_locked(queue);
    }
    return unused;
}

size_t
nio_queue_take(nio_queue *queue, size_t max_count, nio_taken *ret_taken)
{
    nio_taken taken = {.count = 0};
    nio_coalesce_index unused;

    nio_lock_take(&queue->lock);
    while (taken.count < max_count && count_locked(queue) > 0) {
        take_chunk_locked(queue, max_count - taken.count, &taken);
    }
    if (count_locked(queue) == 0 && taken.count > 0 &&
        queue->readable != NULL) {
        nio_event_clear(queue->readable);
        queue->signalled = false;
    }
    unused = shrink_locked(queue);
    assert(
        nio_chunks_are_sound(queue->head, queue->tail, count_locked(queue)));
    nio_lock_drop(&queue->lock);
    nio_coalesce_done(&unused);
    *ret_taken = taken;
    return taken.count;
}

bool
nio_queue_put_quietly(nio_queue *queue, const nio_change *change,
                      const void *row)
{
    nio_lock_take(&queue->lock);
    bool kept = put_locked(queue, change, row);
    nio_lock_drop(&queue->lock);
    return kept;
}

bool
nio_queue_reserve(nio_queue *queue)
{
    nio_lock_take(&queue->lock);
    bool ready = queue->closed || queue->spare != NULL ||
                 nio_chunk_room(queue->tail) >= NIO_QUEUE_RESERVE_BYTES;
    if (!ready) {
        queue->spare = nio_chunk_new(next_capacity_locked(queue));
        ready = queue->spare != NULL;
    }
    nio_lock_drop(&queue->lock);
    return ready;
}

void
nio_queue_signal(nio_queue *queue)
{
    nio_lock_take(&queue->lock);
    if (!queue->signalled && queue->readable != NULL &&
        count_locked(queue) > 0) {
        nio_event_set(queue->readable);
        queue->signalled = true;
    }
    nio_lock_drop(&queue->lock);
}

/* Unchecked: no other thread knows the queue yet. */
nio_queue *
nio_queue_new(size_t bound, nio_change_key key,
              nio_event *readable) NIO_UNCHECKED
{
    nio_queue *queue = calloc(1, sizeof(*queue));

    if (queue != NULL) {
        nio_lock_init(&queue->lock);
        queue->bound = queue->coalesce_at = bound > 0 ? bound : 1;
        queue->oldest = queue->next = 1;
        queue->key = key;
        queue->readable = readable;
    }
    return queue;
}

void
nio_queue_close(nio_queue *queue)
{
    nio_taken dropped = {.count = 0};
    struct nio_chunk *rest = NULL, *spare = NULL;
    nio_coalesce_index unused = {.slots = NULL};
    uint64_t taken = 0;

    nio_lock_take(&queue->lock);
    taken = queue->statistics.taken;
    while (count_locked(queue) > 0) {
        take_chunk_locked(queue, SIZE_MAX, &dropped);
    }
    queue->statistics.taken = taken;
    rest = queue->tail;
    spare = queue->spare;
    queue->head = queue->tail = queue->spare = NULL;
    unused = queue->index;
    queue->index = (nio_coalesce_index){.slots = NULL};
    if (!queue->closed && queue->readable != NULL) {
        nio_event_set(queue->readable);
    }
    queue->closed = true;
    nio_lock_drop(&queue->lock);

    nio_coalesce_done(&unused);
    nio_taken_free(&dropped);
    nio_chunk_drop(rest);
    nio_chunk_drop(spare);
}

nio_queue *
nio_queue_free(nio_queue *queue)
{
    if (queue != NULL) {
        queue->readable = NULL; /* may be freed already */
        nio_queue_close(queue);
        nio_lock_done(&queue->lock);
        free(queue);
    }
    return NULL;
}

void
nio_queue_statistics_of(nio_queue *queue, nio_queue_statistics *ret)
{
    nio_lock_take(&queue->lock);
    *ret = queue->statistics;
    nio_lock_drop(&queue->lock);
}

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
#include "base/seed.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* The index is begun half way to the bound, and each change that is put
 * indexes two more records: so at the bound all of them are indexed. */
enum { INDEX_STEPS = 2 };

struct nio_queue {
    size_t bound;
    nio_change_key key;
    nio_event *readable; /* borrowed; may be NULL */
    nio_lock lock;
    nio_chunk_list chunks NIO_GUARDED_BY(lock);
    /* Records are numbered from 1 on: [oldest, next) are queued. */
    uint64_t oldest NIO_GUARDED_BY(lock);
    uint64_t next NIO_GUARDED_BY(lock);
    size_t nothing NIO_GUARDED_BY(lock); /* how many of them are NOTHING */
    /* The newest record and the one before it; valid while they are queued. */
    nio_change *last NIO_GUARDED_BY(lock);
    nio_change *before NIO_GUARDED_BY(lock);
    nio_coalesce_index index NIO_GUARDED_BY(lock);
    nio_hash_key seed; /* of the index */
    bool delivers_unseen;
    /* The bound; or more, after an index could not be allocated. */
    size_t coalesce_at NIO_GUARDED_BY(lock);
    bool signalled NIO_GUARDED_BY(lock); /* and not emptied since */
    bool closed NIO_GUARDED_BY(lock);
    bool lossy NIO_GUARDED_BY(lock); /* an OVERFLOW mark is owed */
    nio_queue_statistics statistics NIO_GUARDED_BY(lock);
};

static size_t
count_locked(const nio_queue *queue) NIO_REQUIRES(queue->lock)
{
    return (size_t)(queue->next - queue->oldest);
}

/* Counts rows that were put, and how many more are queued by that. Each row is
 * taken, queued or coalesced. */
static void
count_put_locked(nio_queue *queue, unsigned rows, int more)
    NIO_REQUIRES(queue->lock)
{
    nio_queue_statistics *counted = &queue->statistics;

    counted->put += rows;
    counted->queued += (uint64_t)(int64_t)more;
    counted->coalesced = counted->put - counted->taken - counted->queued;
    if (counted->queued > counted->high_water) {
        counted->high_water = counted->queued;
    }
}

/* Appends a record. NULL on allocation failure. */
static nio_change *
append_locked(nio_queue *queue, const nio_change *change, const void *row)
    NIO_REQUIRES(queue->lock)
{
    const unsigned rows = nio_change_is_mark(change) ? 0 : 1;
    struct nio_chunk *chunk =
        nio_chunk_list_room(&queue->chunks, nio_change_bytes(change));

    if (chunk == NULL) {
        return NULL;
    }
    nio_change *record = nio_chunk_append(chunk, change, row);
    queue->before = queue->last;
    queue->last = record;
    queue->next++;
    count_put_locked(queue, rows, (int)rows);
    return record;
}

/* ---- coalescing */
/* Merges a change into a queued record, if that is possible. Without an index
 * the queue stays a FIFO, which is equally exact. */
static nio_merge
merge_locked(nio_queue *queue, const nio_change *change, const void *row)
    NIO_REQUIRES(queue->lock)
{
    const nio_queue_range range = {
        .head = queue->chunks.head,
        .oldest = queue->oldest,
        .next = queue->next,
        .key = queue->key,
        .seed = queue->seed,
        .delivers_unseen = queue->delivers_unseen,
        .lossy = queue->statistics.lost > 0,
    };
    const size_t count = count_locked(queue);
    const bool full = count >= queue->coalesce_at;
    nio_coalesce_index *index = &queue->index;

    if (index->slots == NULL &&
        (count == 0 || count < queue->coalesce_at / 2)) {
        return NIO_NOT_MERGED;
    }
    if ((index->slots == NULL && !nio_coalesce_init(index, count * 2)) ||
        !nio_coalesce_extend(index, &range, full ? SIZE_MAX : INDEX_STEPS)) {
        nio_coalesce_done(index);
        queue->coalesce_at = count * 4 + 4; /* then try again */
        return NIO_NOT_MERGED;
    }
    return full ? nio_coalesce_merge(index, &range, change, row)
                : NIO_NOT_MERGED;
}

static bool
put_state_locked(nio_queue *queue, const nio_change *change, const void *row)
    NIO_REQUIRES(queue->lock)
{
    const nio_merge merge = merge_locked(queue, change, row);

    if (merge == NIO_NOT_MERGED) {
        return append_locked(queue, change, row) != NULL;
    }
    const int more =
        (merge == NIO_MERGED_ONE_MORE) - (merge == NIO_MERGED_ONE_LESS);
    queue->nothing -= (size_t)(ptrdiff_t)more;
    count_put_locked(queue, 1, more);
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
    struct nio_chunk *chunk = queue->chunks.head;
    const size_t begin = chunk->begin;
    const nio_passed passed =
        nio_chunk_pass(chunk, max_count, queue->nothing > 0);
    const bool is_left = chunk->count == 0 && chunk != queue->chunks.tail;

    queue->oldest += passed.all;
    queue->nothing -= passed.all - passed.delivered;
    queue->statistics.queued -= passed.rows;
    queue->statistics.taken += passed.rows;
    if (is_left) {
        queue->chunks.head = chunk->next;
    }
    if (taken->count + passed.delivered == 0) { /* nothing to take so far */
        if (is_left) {
            nio_chunk_drop(chunk);
        }
        return;
    }
    if (taken->count == 0) {
        taken->chunks = chunk;
        taken->begin = begin;
    }
    taken->last = chunk;
    taken->count += passed.delivered;
    if (!is_left) { /* else the taker gets our reference */
        nio_chunk_keep(chunk);
    }
}

static bool
begins_with_nothing_locked(const nio_queue *queue) NIO_REQUIRES(queue->lock)
{
    struct nio_chunk *head = queue->chunks.head;
    return nio_chunk_record(head, head->begin)->type == NIO_CHANGE_NOTHING;
}

/* Takes changes, and drops the records that are NOTHING before, between and
 * behind them. */
static void
take_locked(nio_queue *queue, size_t max_count, nio_taken *taken)
    NIO_REQUIRES(queue->lock)
{
    while (count_locked(queue) > 0 &&
           (taken->count < max_count || begins_with_nothing_locked(queue))) {
        take_chunk_locked(queue, max_count - taken->count, taken);
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
    if (count == 0) {
        nio_chunk_list_shrink(&queue->chunks);
    }
    return unused;
}

static void
clear_event_locked(nio_queue *queue) NIO_REQUIRES(queue->lock)
{
    queue->signalled = false;
    if (queue->readable != NULL) {
        nio_event_clear(queue->readable);
    }
}

size_t
nio_queue_take(nio_queue *queue, size_t max_count, nio_taken *ret_taken)
{
    nio_taken taken = {.count = 0};
    nio_coalesce_index unused;

    nio_lock_take(&queue->lock);
    take_locked(queue, max_count, &taken);
    if (count_locked(queue) == 0 && taken.count > 0) {
        clear_event_locked(queue);
    }
    unused = shrink_locked(queue);
    assert(nio_chunk_list_is_sound(&queue->chunks, count_locked(queue)));
    nio_lock_drop(&queue->lock);
    nio_coalesce_done(&unused);
    *ret_taken = taken;
    return taken.count;
}

bool
nio_queue_put_quietly(nio_queue *queue, const nio_change *change,
                      const void *row)
{
    nio_taken none = {.count = 0};
    nio_coalesce_index unused = {.slots = NULL};

    nio_lock_take(&queue->lock);
    bool kept = put_locked(queue, change, row);
    /* Where all that was queued came and went, the taker is not woken. */
    if (queue->nothing > 0 && queue->nothing == count_locked(queue)) {
        take_locked(queue, 0, &none);
        clear_event_locked(queue);
        unused = shrink_locked(queue);
    }
    nio_lock_drop(&queue->lock);
    nio_coalesce_done(&unused);
    return kept;
}

bool
nio_queue_reserve(nio_queue *queue)
{
    nio_lock_take(&queue->lock);
    bool ready = queue->closed || nio_chunk_list_reserve(
                                      &queue->chunks, NIO_QUEUE_RESERVE_BYTES);
    nio_lock_drop(&queue->lock);
    return ready;
}

bool
nio_queue_signal(nio_queue *queue)
{
    nio_lock_take(&queue->lock);
    bool first = !queue->signalled && count_locked(queue) > 0;
    queue->signalled |= first;
    if (first && queue->readable != NULL) {
        nio_event_set(queue->readable);
    }
    nio_lock_drop(&queue->lock);
    return first;
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
        queue->seed = (nio_hash_key){{nio_seed(), nio_seed()}};
        queue->readable = readable;
    }
    return queue;
}

void
nio_queue_deliver_unseen(nio_queue *queue)
{
    queue->delivers_unseen = true;
}

void
nio_queue_close(nio_queue *queue)
{
    nio_taken dropped = {.count = 0};
    nio_chunk_list rest;
    nio_coalesce_index unused = {.slots = NULL};
    uint64_t taken = 0;

    nio_lock_take(&queue->lock);
    taken = queue->statistics.taken;
    take_locked(queue, SIZE_MAX, &dropped);
    queue->statistics.taken = taken;
    rest = queue->chunks;
    queue->chunks = (nio_chunk_list){.head = NULL};
    unused = queue->index;
    queue->index = (nio_coalesce_index){.slots = NULL};
    if (!queue->closed && queue->readable != NULL) {
        nio_event_set(queue->readable);
    }
    queue->closed = true;
    nio_lock_drop(&queue->lock);

    nio_coalesce_done(&unused);
    nio_taken_free(&dropped);
    nio_chunk_drop(rest.tail);
    nio_chunk_drop(rest.spare);
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

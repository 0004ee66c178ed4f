/* SPDX-License-Identifier: MIT */
/* The source of a Watch, from its subscription to its closing. It holds no
 * Python object, so the exit of the interpreter can hold a source whose Watch
 * is being deallocated at that moment.
 *
 *   open -> closing -> closed
 *
 * A thread that releases the GIL while it needs the queue is a user of the
 * source for that time, and the last user of a closed source frees the queue.
 * So closing waits for no reader, and a signal handler that interrupted a
 * reader can close the source. */
#include "binding/watch/source.h"

#include "binding/process.h"

#include <assert.h>
#include <stdlib.h>

static size_t
key_of(int kind, const void *row, uint8_t *key)
{
    return nio_row_key((nio_kind)kind, row, key);
}

nio_watch_source *
nio_watch_source_new(nio_state *state, size_t bound)
{
    nio_watch_source *source = calloc(1, sizeof(*source));

    if (source == NULL) {
        return NULL;
    }
    if (!nio_event_init(&source->readable)) {
        free(source);
        return NULL;
    }
    source->queue = nio_queue_new(bound, key_of, &source->readable);
    if (source->queue == NULL) {
        nio_event_done(&source->readable);
        free(source);
        return NULL;
    }
    source->state = state;
    source->generation = nio_process_generation();
    nio_atomic_store(&source->references, 1);
    nio_lock_init(&source->lock);
    nio_condition_init(&source->closed);
    return source;
}

/* Frees the queue and the event. Called once: by the last user of a closed
 * source, or with the last reference. */
static void
free_queue_and_event(nio_watch_source *source)
{
    source->queue = nio_queue_free(source->queue);
    nio_event_done(&source->readable);
}

void
nio_watch_source_drop(nio_watch_source *source)
{
    if (nio_atomic_add(&source->references, UINT64_MAX) != 1) {
        return;
    }
    /* In a forked child: another thread may have held the lock of the source
     * or of the queue when the process forked, so they are not touched. */
    if (source->generation == nio_process_generation()) {
        if (source->queue != NULL) { /* not subscribed, or still polled */
            free_queue_and_event(source);
        }
        nio_condition_done(&source->closed);
        nio_lock_done(&source->lock);
    }
    free(source);
}

nio_watch_source_stage
nio_watch_source_stage_of(const nio_watch_source *source)
{
    return (nio_watch_source_stage)nio_atomic_load(&source->stage);
}

bool
nio_watch_source_is_forked(const nio_watch_source *source)
{
    return source->generation != nio_process_generation() &&
           nio_watch_source_stage_of(source) != NIO_SOURCE_CLOSED;
}

bool
nio_watch_source_enter(nio_watch_source *source)
{
    /* Checked without the lock first: a fork may have left it locked. */
    if (nio_watch_source_stage_of(source) != NIO_SOURCE_OPEN ||
        nio_watch_source_is_forked(source)) {
        return false;
    }
    nio_lock_take(&source->lock);
    bool open = nio_watch_source_stage_of(source) == NIO_SOURCE_OPEN;
    source->users += open;
    nio_lock_drop(&source->lock);
    return open;
}

void
nio_watch_source_leave(nio_watch_source *source)
{
    if (source->generation != nio_process_generation()) {
        return; /* it became a user before the fork */
    }
    nio_lock_take(&source->lock);
    assert(source->users > 0);
    bool last = --source->users == 0 &&
                nio_watch_source_stage_of(source) == NIO_SOURCE_CLOSED;
    nio_lock_drop(&source->lock);
    if (last) {
        free_queue_and_event(source);
    }
}

static void
refresh_locked(nio_watch_source *source) NIO_REQUIRES(source->lock)
{
    if (nio_watch_source_stage_of(source) == NIO_SOURCE_OPEN) {
        nio_queue_statistics_of(source->queue, &source->statistics.queue);
        (void)nio_statistics_of(source->handle, &source->statistics.system);
    }
}

nio_watch_source_statistics
nio_watch_source_statistics_of(nio_watch_source *source) NIO_UNCHECKED
{
    bool is_own_process = source->generation == nio_process_generation();

    /* In a forked child no thread changes the statistics any more. */
    if (is_own_process) {
        nio_lock_take(&source->lock);
        refresh_locked(source);
    }
    nio_watch_source_statistics statistics = source->statistics;
    if (is_own_process) {
        nio_lock_drop(&source->lock);
    }
    return statistics;
}

void
nio_watch_source_stop(nio_watch_source *source)
{
    nio_atomic_store(&source->stopped, 1);
    if (nio_watch_source_enter(source)) {
        nio_event_set(&source->readable);
        nio_watch_source_leave(source);
    }
}

/* ---- the module's list of open ones */
bool
nio_watch_source_enlist(nio_watch_source *source)
{
    nio_state *state = source->state;

    nio_lock_take(&nio_process_lock);
    bool open = !state->closing;
    if (open) {
        source->next = state->sources;
        source->link = &state->sources;
        if (source->next != NULL) {
            source->next->link = &source->next;
        }
        state->sources = source;
    }
    nio_lock_drop(&nio_process_lock);
    return open;
}

static void
unlist(nio_watch_source *source)
{
    nio_lock_take(&nio_process_lock);
    if (source->link != NULL) {
        *source->link = source->next;
        if (source->next != NULL) {
            source->next->link = source->link;
        }
        source->link = NULL;
    }
    nio_lock_drop(&nio_process_lock);
}

/* A new reference to one source of the list; NULL: the list is empty. */
static nio_watch_source *
first_of(nio_state *state)
{
    nio_lock_take(&nio_process_lock);
    nio_watch_source *source = state->sources;
    if (source != NULL) {
        (void)nio_atomic_add(&source->references, 1);
    }
    nio_lock_drop(&nio_process_lock);
    return source;
}

void
nio_watch_sources_shutdown(nio_state *state)
{
    nio_watch_source *source;

    while ((source = first_of(state)) != NULL) {
        nio_atomic_store(&source->closed_at_exit, 1);
        (void)nio_watch_source_close(source);
        nio_watch_source_drop(source);
    }
}

/* ---- closing */

/* Called in a forked child. The queue is leaked, since another thread may have
 * held its lock when the process forked. The event is shared with the parent;
 * only the child's descriptor of it is closed. */
static void
close_in_child(nio_watch_source *source)
{
    nio_atomic_store(&source->stopped, 1);
    if (nio_atomic_exchange(&source->stage, NIO_SOURCE_CLOSED) !=
        NIO_SOURCE_CLOSED) {
        nio_event_done(&source->readable);
    }
}

/* Called without the GIL. */
static void
wait_until_closed(nio_watch_source *source)
{
    nio_lock_take(&source->lock);
    while (nio_watch_source_stage_of(source) != NIO_SOURCE_CLOSED) {
        nio_condition_wait(&source->closed, &source->lock);
    }
    nio_lock_drop(&source->lock);
}

/* Called without the GIL, by the thread that set the stage to CLOSING. */
static NETIO_STATUS
unsubscribe(nio_watch_source *source)
{
    NETIO_STATUS status = nio_unsubscribe(source->handle);

    nio_lock_take(&source->lock);
    nio_queue_statistics_of(source->queue, &source->statistics.queue);
    nio_lock_drop(&source->lock);
    nio_queue_close(source->queue);
    nio_lock_take(&source->lock);
    nio_atomic_store(&source->stage, NIO_SOURCE_CLOSED);
    nio_condition_wake_all(&source->closed);
    nio_lock_drop(&source->lock);
    return status;
}

NETIO_STATUS
nio_watch_source_close(nio_watch_source *source)
{
    NETIO_STATUS status = NO_ERROR;

    unlist(source);
    if (nio_watch_source_is_forked(source)) {
        close_in_child(source);
        return NO_ERROR;
    }
    if (nio_watch_source_stage_of(source) == NIO_SOURCE_CLOSED) {
        return NO_ERROR;
    }
    nio_watch_source_stop(source);
    nio_lock_take(&source->lock);
    bool first = nio_watch_source_stage_of(source) == NIO_SOURCE_OPEN;
    if (first) {
        refresh_locked(source);
        source->users++;
        nio_atomic_store(&source->stage, NIO_SOURCE_CLOSING);
    }
    nio_lock_drop(&source->lock);
    Py_BEGIN_ALLOW_THREADS
    if (first) {
        status = unsubscribe(source);
    } else {
        wait_until_closed(source);
    }
    Py_END_ALLOW_THREADS
    if (status != NO_ERROR) { /* leaked: the system may still append to it */
        (void)nio_atomic_add(&source->references, 1);
    } else if (first) {
        nio_watch_source_leave(source);
    }
    return status;
}

/* SPDX-License-Identifier: MIT */
/* The feed of a Watch: the subscription, the queue that the system's thread
 * fills, the event that readers wait for, and their one end. No object of
 * Python in it, so that whoever ends the interpreter can hold a feed whose
 * Watch is just being deallocated.
 *
 *   open -> closing -> closed
 *
 * Who lets the GIL go while it needs the queue is a user of it for that time,
 * and the last user of a closed feed frees the queue: so closing waits for no
 * reader, and a signal handler that interrupted one may close. */
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
    nio_watch_source *feed = calloc(1, sizeof(*feed));

    if (feed == NULL) {
        return NULL;
    }
    if (!nio_event_init(&feed->readable)) {
        free(feed);
        return NULL;
    }
    feed->queue = nio_queue_new(bound, key_of, &feed->readable);
    if (feed->queue == NULL) {
        nio_event_done(&feed->readable);
        free(feed);
        return NULL;
    }
    feed->state = state;
    feed->generation = nio_process_generation();
    nio_atomic_store(&feed->references, 1);
    nio_lock_init(&feed->lock);
    nio_condition_init(&feed->closed);
    return feed;
}

/* What readers use. Once, when there is nobody but the caller. */
static void
release(nio_watch_source *feed)
{
    feed->queue = nio_queue_free(feed->queue);
    nio_event_done(&feed->readable);
}

void
nio_watch_source_drop(nio_watch_source *feed)
{
    if (nio_atomic_add(&feed->references, UINT64_MAX) != 1) {
        return;
    }
    /* In a forked child somebody may have held the lock of the feed or the
     * queue when the process forked: they are left as they are. */
    if (feed->generation == nio_process_generation()) {
        if (feed->queue != NULL) { /* never opened, or a poll did not end */
            release(feed);
        }
        nio_condition_done(&feed->closed);
        nio_lock_done(&feed->lock);
    }
    free(feed);
}

nio_watch_source_stage
nio_watch_source_stage_of(const nio_watch_source *feed)
{
    return (nio_watch_source_stage)nio_atomic_load(&feed->stage);
}

bool
nio_watch_source_is_forked(const nio_watch_source *feed)
{
    return feed->generation != nio_process_generation() &&
           nio_watch_source_stage_of(feed) != NIO_SOURCE_CLOSED;
}

bool
nio_watch_source_enter(nio_watch_source *feed)
{
    /* First without the lock, which a fork may have left held. */
    if (nio_watch_source_stage_of(feed) != NIO_SOURCE_OPEN ||
        nio_watch_source_is_forked(feed)) {
        return false;
    }
    nio_lock_take(&feed->lock);
    bool open = nio_watch_source_stage_of(feed) == NIO_SOURCE_OPEN;
    feed->users += open;
    nio_lock_drop(&feed->lock);
    return open;
}

void
nio_watch_source_leave(nio_watch_source *feed)
{
    if (feed->generation != nio_process_generation()) {
        return; /* came in before the fork */
    }
    nio_lock_take(&feed->lock);
    assert(feed->users > 0);
    bool last = --feed->users == 0 &&
                nio_watch_source_stage_of(feed) == NIO_SOURCE_CLOSED;
    nio_lock_drop(&feed->lock);
    if (last) {
        release(feed);
    }
}

static void
refresh_locked(nio_watch_source *feed) NIO_REQUIRES(feed->lock)
{
    if (nio_watch_source_stage_of(feed) == NIO_SOURCE_OPEN) {
        nio_queue_statistics_of(feed->queue, &feed->figures.queue);
        (void)nio_statistics_of(feed->handle, &feed->figures.system);
    }
}

nio_watch_source_figures
nio_watch_source_figures_of(nio_watch_source *feed) NIO_UNCHECKED
{
    bool own = feed->generation == nio_process_generation();

    if (own) { /* else nobody changes them any more */
        nio_lock_take(&feed->lock);
        refresh_locked(feed);
    }
    nio_watch_source_figures figures = feed->figures;
    if (own) {
        nio_lock_drop(&feed->lock);
    }
    return figures;
}

void
nio_watch_source_stop(nio_watch_source *feed)
{
    nio_atomic_store(&feed->stopped, 1);
    if (nio_watch_source_enter(feed)) {
        nio_event_set(&feed->readable);
        nio_watch_source_leave(feed);
    }
}

/* ---- the module's list of open ones */
bool
nio_watch_source_enlist(nio_watch_source *feed)
{
    nio_state *state = feed->state;

    nio_lock_take(&nio_process_lock);
    bool open = !state->closing;
    if (open) {
        feed->next = state->sources;
        feed->link = &state->sources;
        if (feed->next != NULL) {
            feed->next->link = &feed->next;
        }
        state->sources = feed;
    }
    nio_lock_drop(&nio_process_lock);
    return open;
}

static void
unlist(nio_watch_source *feed)
{
    nio_lock_take(&nio_process_lock);
    if (feed->link != NULL) {
        *feed->link = feed->next;
        if (feed->next != NULL) {
            feed->next->link = feed->link;
        }
        feed->link = NULL;
    }
    nio_lock_drop(&nio_process_lock);
}

/* A reference to any of the list; NULL: it is empty. */
static nio_watch_source *
any(nio_state *state)
{
    nio_lock_take(&nio_process_lock);
    nio_watch_source *feed = state->sources;
    if (feed != NULL) {
        (void)nio_atomic_add(&feed->references, 1);
    }
    nio_lock_drop(&nio_process_lock);
    return feed;
}

void
nio_watch_sources_shutdown(nio_state *state)
{
    nio_watch_source *feed;

    while ((feed = any(state)) != NULL) {
        nio_atomic_store(&feed->closed_at_exit, 1);
        (void)nio_watch_source_close(feed);
        nio_watch_source_drop(feed);
    }
}

/* ---- closing */

/* In a forked child. The queue is leaked: somebody may have held its lock
 * when the process forked, or have waited for the closing. The event is the
 * parent's too, and only our descriptor of it is closed. */
static void
abandon(nio_watch_source *feed)
{
    nio_atomic_store(&feed->stopped, 1);
    if (nio_atomic_exchange(&feed->stage, NIO_SOURCE_CLOSED) !=
        NIO_SOURCE_CLOSED) {
        nio_event_done(&feed->readable);
    }
}

/* Without the GIL, as the next one. */
static void
wait_until_closed(nio_watch_source *feed)
{
    nio_lock_take(&feed->lock);
    while (nio_watch_source_stage_of(feed) != NIO_SOURCE_CLOSED) {
        nio_condition_wait(&feed->closed, &feed->lock);
    }
    nio_lock_drop(&feed->lock);
}

/* By the one who made it CLOSING. */
static NETIO_STATUS
unsubscribe(nio_watch_source *feed)
{
    NETIO_STATUS status = nio_unsubscribe(feed->handle);

    nio_lock_take(&feed->lock);
    nio_queue_statistics_of(feed->queue, &feed->figures.queue);
    nio_lock_drop(&feed->lock);
    nio_queue_close(feed->queue);
    nio_lock_take(&feed->lock);
    nio_atomic_store(&feed->stage, NIO_SOURCE_CLOSED);
    nio_condition_wake_all(&feed->closed);
    nio_lock_drop(&feed->lock);
    return status;
}

NETIO_STATUS
nio_watch_source_close(nio_watch_source *feed)
{
    NETIO_STATUS status = NO_ERROR;

    unlist(feed);
    if (nio_watch_source_is_forked(feed)) {
        abandon(feed);
        return NO_ERROR;
    }
    if (nio_watch_source_stage_of(feed) == NIO_SOURCE_CLOSED) {
        return NO_ERROR;
    }
    nio_watch_source_stop(feed);
    nio_lock_take(&feed->lock);
    bool mine = nio_watch_source_stage_of(feed) == NIO_SOURCE_OPEN;
    if (mine) {
        refresh_locked(feed);
        feed->users++;
        nio_atomic_store(&feed->stage, NIO_SOURCE_CLOSING);
    }
    nio_lock_drop(&feed->lock);
    Py_BEGIN_ALLOW_THREADS
    if (mine) {
        status = unsubscribe(feed);
    } else {
        wait_until_closed(feed);
    }
    Py_END_ALLOW_THREADS
    if (status != NO_ERROR) { /* leaked: the system may still write to it */
        (void)nio_atomic_add(&feed->references, 1);
    } else if (mine) {
        nio_watch_source_leave(feed);
    }
    return status;
}

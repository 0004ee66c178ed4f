/* SPDX-License-Identifier: MIT */
/* The threads that call back. Registrations of one engine, one owner and one
 * signal mask share a pool, in which one thread serves one registration after
 * another. A second thread stands by: once a callback has run for 20 ms, that
 * thread serves the others, and a third one stands by. So a slow callback has
 * a thread of its own while it is slow, and delays no other registration by
 * more. At most two idle threads are kept. What it is to serve a registration
 * is in dispatcher.c. */
#include "rtnetlink/api/registry.h"

#include <stdlib.h>

/* A callback that has run for so long is slow: the pool does not wait for it.
 * Longer than a thread waits for the GIL beside one busy Python thread, so
 * that such a thread does not make a pool grow. */
#define SLOW_NS (20 * UINT64_C(1000000))
#define KEPT_IDLE 2

/* ---- the list of registrations that are to be served */
static void
append_ready(nio_callback_pool *pool, nio_entry *entry, uint64_t due)
    NIO_REQUIRES(pool->lock)
{
    entry->turn = NIO_TURN_READY;
    entry->due = due;
    entry->next_ready = NULL;
    if (pool->last_ready != NULL) {
        pool->last_ready->next_ready = entry;
    } else {
        pool->first_ready = entry;
    }
    pool->last_ready = entry;
}

static void
take_out(nio_callback_pool *pool, nio_entry *entry) NIO_REQUIRES(pool->lock)
{
    nio_entry *before = NULL;
    for (nio_entry *at = pool->first_ready; at != entry; at = at->next_ready) {
        before = at;
    }
    if (before != NULL) {
        before->next_ready = entry->next_ready;
    } else {
        pool->first_ready = entry->next_ready;
    }
    if (pool->last_ready == entry) {
        pool->last_ready = before;
    }
}

/* From when on an idle thread may serve: once every callback that runs is
 * slow. */
static uint64_t
free_from(const nio_callback_pool *pool) NIO_REQUIRES(pool->lock)
{
    uint64_t from = 0;
    for (const nio_callback_thread *at = pool->threads; at != NULL;
         at = at->next) {
        if (at->began != 0 && at->began + SLOW_NS > from) {
            from = at->began + SLOW_NS;
        }
    }
    return from;
}

/* The next registration to serve. NULL: there is none for *ret_wait_ns. */
static nio_entry *
next_ready(nio_callback_pool *pool, uint64_t *ret_wait_ns)
    NIO_REQUIRES(pool->lock)
{
    *ret_wait_ns = NIO_FOREVER;
    if (pool->first_ready == NULL) {
        return NULL;
    }
    const uint64_t now = nio_monotonic_ns(), from = free_from(pool);
    for (nio_entry *at = pool->first_ready; at != NULL; at = at->next_ready) {
        const uint64_t when = at->due > from ? at->due : from;
        if (when <= now) {
            take_out(pool, at);
            return at;
        }
        if (when - now < *ret_wait_ns) {
            *ret_wait_ns = when - now;
        }
    }
    return NULL;
}

/* ---- threads */
static size_t
count_idle(const nio_callback_pool *pool) NIO_REQUIRES(pool->lock)
{
    size_t count = 0;
    for (const nio_callback_thread *at = pool->threads; at != NULL;
         at = at->next) {
        count += !at->ended && at->began == 0;
    }
    return count;
}

static void
wake_one(nio_callback_pool *pool) NIO_REQUIRES(pool->lock)
{
    for (nio_callback_thread *at = pool->threads; at != NULL; at = at->next) {
        if (at->idle) {
            at->idle = false;
            nio_event_set(&at->wake);
            return;
        }
    }
}

/* The threads that have ended, taken out of the list. */
static nio_callback_thread *
take_ended(nio_callback_pool *pool) NIO_EXCLUDES(nio_registry_own_lock)
{
    nio_callback_thread *ended = NULL;
    nio_registry_lock();
    nio_lock_take(&pool->lock);
    pool->has_ended = false;
    for (nio_callback_thread **link = &pool->threads; *link != NULL;) {
        nio_callback_thread *at = *link;
        if (at->ended) {
            *link = at->next;
            at->next = ended;
            ended = at;
        } else {
            link = &at->next;
        }
    }
    nio_lock_drop(&pool->lock);
    nio_registry_unlock();
    return ended;
}

static void
join_all(nio_callback_thread *threads)
{
    while (threads != NULL) {
        nio_callback_thread *next = threads->next;
        nio_thread_join(&threads->thread);
        nio_event_done(&threads->wake);
        free(threads);
        threads = next;
    }
}

/* Waits for a registration to serve. NULL: the pool ends. */
static nio_entry *
wait_for_turn(nio_callback_pool *pool, nio_callback_thread *own)
    NIO_REQUIRES(pool->lock) NIO_EXCLUDES(nio_registry_own_lock)
{
    nio_entry *entry = NULL;
    uint64_t wait_ns;
    while (pool->last == NULL &&
           (entry = next_ready(pool, &wait_ns)) == NULL) {
        own->idle = true;
        nio_lock_drop(&pool->lock);
        (void)nio_event_wait(&own->wake, wait_ns);
        nio_event_clear(&own->wake);
        nio_lock_take(&pool->lock);
        own->idle = false;
        if (pool->has_ended) {
            nio_lock_drop(&pool->lock);
            join_all(take_ended(pool));
            nio_lock_take(&pool->lock);
        }
    }
    return entry;
}

static void serve(void *argument);

/* NULL: the system has no thread or descriptor left. */
static nio_callback_thread *
thread_new(nio_callback_pool *pool)
{
    nio_callback_thread *made = calloc(1, sizeof(*made));
    if (made == NULL || !nio_event_init(&made->wake)) {
        free(made);
        return NULL;
    }
    made->pool = pool;
    if (!nio_thread_start_unmasked(&made->thread, "netio-callback", serve,
                                   made)) {
        nio_event_done(&made->wake);
        free(made);
        return NULL;
    }
    return made;
}

/* One thread more, unless there are enough: an idle one, and two in all; or
 * one for each registration. False: the pool has none at all. */
static bool
start_thread(nio_callback_pool *pool) NIO_EXCLUDES(nio_registry_own_lock)
{
    nio_callback_thread **end;
    size_t threads = 0;
    nio_registry_lock();
    nio_lock_take(&pool->lock);
    for (end = &pool->threads; *end != NULL; end = &(*end)->next) {
        threads += !(*end)->ended;
    }
    if (threads < pool->entries && (threads < 2 || count_idle(pool) == 0) &&
        (*end = thread_new(pool)) != NULL) {
        threads++;
    }
    nio_lock_drop(&pool->lock);
    nio_registry_unlock();
    return threads > 0;
}

/* What becomes of a registration that was served. */
static void
end_turn(nio_callback_pool *pool, nio_entry *entry, uint64_t wait_ns)
    NIO_REQUIRES(pool->lock)
{
    const bool again = entry->turn == NIO_TURN_AGAIN;
    entry->turn = NIO_TURN_NONE;
    if (nio_atomic_load(&entry->cancelled)) {
        nio_condition_wake_all(&pool->served);
    } else if (wait_ns != NIO_FOREVER || again) {
        const bool later = wait_ns != NIO_FOREVER && wait_ns > 0 && !again;
        append_ready(pool, entry, later ? nio_monotonic_ns() + wait_ns : 0);
    }
}

/* The life of a thread. */
static void
serve(void *argument)
{
    nio_callback_thread *own = argument;
    nio_callback_pool *pool = own->pool;
    nio_entry *entry;
    nio_lock_take(&pool->lock);
    while ((entry = wait_for_turn(pool, own)) != NULL) {
        uint64_t wait_ns;
        entry->turn = NIO_TURN_SERVED;
        own->began = nio_monotonic_ns();
        const bool stand_by = count_idle(pool) == 0 && pool->entries > 1;
        nio_lock_drop(&pool->lock);
        if (stand_by) {
            (void)start_thread(pool); /* where it fails: at the next turn */
        }
        if (!nio_dispatcher_serve(entry, &wait_ns)) {
            return; /* in a forked child, where locks may be held for ever */
        }
        nio_lock_take(&pool->lock);
        const bool surplus = count_idle(pool) >= KEPT_IDLE;
        if (surplus) {
            /* Within the turn: the code that runs there cannot cancel this
             * registration, so the pool does not end meanwhile. */
            nio_lock_drop(&pool->lock);
            nio_dispatcher_end_thread(entry);
            nio_lock_take(&pool->lock);
        }
        own->began = 0;
        own->ended = surplus;
        pool->has_ended |= surplus;
        end_turn(pool, entry, wait_ns);
        if (surplus) {
            wake_one(pool); /* which joins this thread */
            nio_lock_drop(&pool->lock);
            return;
        }
    }
    entry = pool->last;
    nio_lock_drop(&pool->lock);
    nio_dispatcher_end_thread(entry);
}

/* ---- pools */
static bool
is_of(const nio_callback_pool *pool, const nio_callback_pool *wanted)
{
    bool same = pool->engine == wanted->engine && pool->owner == wanted->owner;
    for (int signal = 1; same && signal <= SIGRTMAX; signal++) {
        same = sigismember(&pool->mask, signal) ==
               sigismember(&wanted->mask, signal);
    }
    return same;
}

/* The pool of an entry, with one entry more. NULL on allocation failure. */
static nio_callback_pool *
find_pool(const nio_entry *entry) NIO_EXCLUDES(nio_registry_own_lock)
{
    nio_callback_pool *found, *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        return NULL;
    }
    made->engine = entry->engine;
    made->owner = nio_dispatcher_owner(entry);
    (void)pthread_sigmask(SIG_SETMASK, NULL, &made->mask);
    nio_lock_init(&made->lock);
    nio_condition_init(&made->served);
    nio_registry_lock();
    found = nio_registry_pools;
    while (found != NULL && !is_of(found, made)) {
        found = found->next;
    }
    if (found == NULL) {
        made->next = nio_registry_pools;
        nio_registry_pools = found = made;
    }
    nio_lock_take(&found->lock);
    found->entries++;
    nio_lock_drop(&found->lock);
    nio_registry_unlock();
    if (found != made) {
        nio_condition_done(&made->served);
        nio_lock_done(&made->lock);
        free(made);
    }
    return found;
}

/* Joins the threads that were taken out of the pool, which has no entry left.
 */
static void
end_pool(nio_callback_pool *pool, nio_callback_thread *threads)
{
    join_all(threads);
    nio_condition_done(&pool->served);
    nio_lock_done(&pool->lock);
    free(pool);
}

bool
nio_callback_pool_enter(nio_entry *entry)
{
    nio_callback_pool *pool = find_pool(entry);
    if (pool == NULL) {
        return false;
    }
    entry->pool = pool;
    return start_thread(pool);
}

void
nio_callback_pool_wake(void *argument)
{
    nio_entry *entry = argument;
    nio_callback_pool *pool = entry->pool;
    nio_lock_take(&pool->lock);
    if (entry->turn == NIO_TURN_SERVED) {
        entry->turn = NIO_TURN_AGAIN;
    } else if (entry->turn == NIO_TURN_NONE) {
        append_ready(pool, entry, 0);
        wake_one(pool);
    }
    nio_lock_drop(&pool->lock);
}

void
nio_callback_pool_leave(nio_entry *entry)
{
    nio_callback_pool *pool = entry->pool;
    nio_callback_thread *threads = NULL;
    if (pool == NULL) {
        return;
    }
    nio_lock_take(&pool->lock);
    if (entry->turn == NIO_TURN_READY) {
        take_out(pool, entry);
        entry->turn = NIO_TURN_NONE;
    }
    while (entry->turn != NIO_TURN_NONE) {
        nio_condition_wait(&pool->served, &pool->lock);
    }
    nio_lock_drop(&pool->lock);

    nio_registry_lock();
    nio_lock_take(&pool->lock);
    const bool last = --pool->entries == 0;
    if (last) {
        nio_callback_pool **link = &nio_registry_pools;
        while (*link != pool) {
            link = &(*link)->next;
        }
        *link = pool->next;
        pool->last = entry;
        threads = pool->threads;
        pool->threads = NULL;
        for (nio_callback_thread *at = threads; at != NULL; at = at->next) {
            nio_event_set(&at->wake);
        }
    }
    nio_lock_drop(&pool->lock);
    nio_registry_unlock();
    if (last) {
        end_pool(pool, threads);
    }
}

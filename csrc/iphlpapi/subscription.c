/* SPDX-License-Identifier: MIT */
/* The subscriptions of contract/tower.h over the header's notifications.
 *
 *   the system's threads -> inbox (keys) -> worker -> queue (rows)
 *
 * A callback only enqueues the key. So a cancel, which waits for callbacks,
 * never waits long, and callbacks that overlap or overtake each other do no
 * harm. One worker per subscription re-reads rows and puts the differences
 * (row_cache.c). The system itself loses nothing; after an allocation failure,
 * and where a registration has gone silent, the worker re-reads the tables and
 * puts the difference. Where the filter has interfaces, it looks them up again
 * whenever an interface changes. */
#include "base/debug.h"
#include "base/lock.h"
#include "base/thread.h"
#include "iphlpapi/bearers.h"
#include "iphlpapi/registrations.h"
#include "iphlpapi/row_tables.h"
#include "iphlpapi/row_updates.h"
#include "iphlpapi/silence.h"

#include <inttypes.h>
#include <stdlib.h>

typedef struct subscription {
    nio_filter *filter; /* owned */
    nio_queue *inbox;   /* owned: the keys that the callbacks enqueue */
    nio_event readable; /* set while the inbox holds anything */
    nio_registrations registrations;
    nio_thread worker;
    uint32_t compartment; /* of the subscriber, so the worker's, too */

    /* any thread */
    nio_atomic stopped;
    nio_atomic keys_lost; /* a key could not be enqueued */

    /* the worker's alone; before it starts, the subscriber's */
    nio_row_cache cache;
    nio_bearers bearers;
    nio_silence silence;
} subscription;

enum {
    INBOX_BOUND = 100000,    /* keys; beyond it the inbox coalesces them */
    MAX_INBOX_KEYS = 400000, /* beyond it keys are lost, and tables read */
    MAX_KEYS_AT_ONCE = 1024,
};
/* The interval between two repairs that fail. */
#define MIN_RETRY_NS 50000000u
#define MAX_RETRY_NS 3200000000u

static size_t
key_of(int kind, const void *row, uint8_t *key)
{
    return nio_row_key((nio_kind)kind, row, key);
}

/* ---- the system's threads */
static bool
is_full(nio_queue *inbox)
{
    nio_queue_statistics statistics;

    nio_queue_statistics_of(inbox, &statistics);
    return statistics.queued >= MAX_INBOX_KEYS;
}

/* An addition is enqueued as a PARAMETER, not as an ADD. The inbox treats an
 * ADD that merged with its DELETE as a row that the worker has never seen, and
 * may give its place to another key; but the worker may have read that row in
 * a table. */
static void
enqueue_key(void *context, nio_kind kind, const void *row,
            MIB_NOTIFICATION_TYPE type)
{
    subscription *self = context;
    nio_change change = {.time_ns = nio_realtime_ns(),
                         .size = (uint16_t)nio_windows_row_size(kind),
                         .kind = (uint8_t)kind,
                         .type = type == MibDeleteInstance
                                     ? NIO_CHANGE_DELETE
                                     : NIO_CHANGE_PARAMETER};
    if (is_full(self->inbox) || !nio_queue_put(self->inbox, &change, row)) {
        nio_atomic_store(&self->keys_lost, 1);
        nio_event_set(&self->readable);
    }
}

/* ---- the worker */
static void
update_rows(subscription *self, nio_taken *keys)
{
    nio_cursor cursor = {0};
    nio_change *change;
    bool interfaces_changed = false;

    while (!nio_atomic_load(&self->stopped) &&
           (change = nio_taken_next(keys, &cursor)) != NULL) {
        if (nio_change_is_mark(change)) {
            self->cache.dirty = true; /* keys were lost before it */
            continue;
        }
        interfaces_changed |= change->kind == NIO_INTERFACE;
        if ((self->cache.kinds & (1u << change->kind)) != 0) {
            nio_row_cache_update(&self->cache, change, nio_change_row(change));
        }
    }
    if (interfaces_changed && nio_bearers_find(&self->bearers)) {
        nio_row_cache_reread(&self->cache, self->cache.kinds);
    }
}

static bool
has_to_read(const subscription *self)
{
    return self->cache.dirty || self->cache.stale != 0;
}

/* Reads the tables that have to be read, if the pause is over. The first
 * retry comes after MIN_RETRY_NS, and reading takes at most half of the time.
 * The inbox need not be empty: a key that is still queued then only causes one
 * more read of its row. */
static void
repair(subscription *self, uint64_t *not_before, uint64_t *pause)
{
    const uint64_t began = nio_monotonic_ns();

    if (!has_to_read(self) || began < *not_before) {
        return;
    }
    if (self->cache.dirty) {
        (void)nio_bearers_find(&self->bearers);
        nio_row_cache_repair(&self->cache);
    } else {
        nio_row_cache_reread(&self->cache, self->cache.stale);
    }
    *pause = !self->cache.dirty      ? MIN_RETRY_NS
             : *pause < MAX_RETRY_NS ? *pause * 2
                                     : MAX_RETRY_NS;
    const uint64_t now = nio_monotonic_ns(), took = now - began;
    NIO_DEBUG("subscription: tables read again in %" PRIu64 " us, %s",
              took / 1000, self->cache.dirty ? "incomplete" : "exact");
    *not_before = now + (took > *pause ? took : *pause);
}

/* Registers anew what has gone silent. What it did not report is a loss. */
static void
look_for_silence(subscription *self)
{
    const unsigned silent =
        nio_silence_look(&self->silence, &self->registrations, &self->cache);

    if (silent != 0) {
        NIO_DEBUG("subscription: silent, kinds 0x%x: registered anew", silent);
        nio_registrations_renew(&self->registrations, silent);
        self->cache.dirty = true;
    }
}

static uint64_t
time_to_wait(const subscription *self, uint64_t pause)
{
    const uint64_t silence = nio_silence_wait(&self->silence);
    return has_to_read(self) && pause < silence ? pause : silence;
}

static void
run_worker(void *argument)
{
    subscription *self = argument;
    uint64_t not_before = 0, pause = MIN_RETRY_NS;

    (void)nio_compartment_enter(self->compartment);
    while (!nio_atomic_load(&self->stopped)) {
        nio_taken keys;
        bool again = nio_queue_take(self->inbox, MAX_KEYS_AT_ONCE, &keys) > 0;
        if (again) {
            update_rows(self, &keys);
            nio_taken_free(&keys);
        }
        if (nio_atomic_exchange(&self->keys_lost, 0) != 0) {
            NIO_DEBUG("subscription: overflow: keys of changes were lost");
            self->cache.dirty = true;
            /* A lost key sets the event even if there is nothing to take. */
            nio_event_clear(&self->readable);
            again = true; /* a key may have come before the clearing */
        }
        if (!again) {
            look_for_silence(self);
        }
        repair(self, &not_before, &pause);
        if (!again) {
            (void)nio_event_wait(&self->readable, time_to_wait(self, pause));
        }
    }
}

/* ---- the subscriber's thread */
static subscription *
subscription_free(subscription *self)
{
    if (self != NULL) {
        nio_row_cache_done(&self->cache);
        nio_queue_free(self->inbox);
        nio_event_done(&self->readable);
        nio_bearers_done(&self->bearers);
        free(self->filter);
        free(self);
    }
    return NULL;
}

static subscription *
subscription_new(const nio_request *request, nio_queue *queue)
{
    static const nio_filter everything;
    subscription *self = calloc(1, sizeof(*self));

    if (self == NULL) {
        return NULL;
    }
    self->filter = nio_filter_copy(request->filter != NULL ? request->filter
                                                           : &everything);
    nio_row_cache_init(&self->cache, request, self->filter, queue);
    if (!nio_event_init(&self->readable)) {
        return subscription_free(self);
    }
    self->inbox = nio_queue_new(INBOX_BOUND, key_of, &self->readable);
    return self->filter != NULL && self->inbox != NULL &&
                   nio_bearers_init(&self->bearers, self->filter)
               ? self
               : subscription_free(self);
}

static NETIO_STATUS
register_all(subscription *self)
{
    nio_registrations *registrations = &self->registrations;
    const ADDRESS_FAMILY family = self->filter->family;
    unsigned kinds = self->cache.kinds;

    registrations->notified = enqueue_key;
    registrations->context = self;
    for (int kind = 0; kind < NIO_KINDS; kind++) {
        registrations->families[kind] = family;
    }
    if (nio_bearers_can_change(&self->bearers)) {
        registrations->families[NIO_INTERFACE] = AF_UNSPEC;
        kinds |= 1u << NIO_INTERFACE;
    }
    return nio_registrations_begin(registrations, kinds);
}

/* Ends and frees a subscription, also one that was registered in part. The
 * worker ends first, since it renews registrations. Where a cancel fails, the
 * system may call back for ever: then the subscription is closed and leaked.
 */
static NETIO_STATUS
subscription_end(subscription *self)
{
    nio_atomic_store(&self->stopped, 1);
    nio_queue_close(self->inbox); /* sets `readable` for good */
    nio_thread_join(&self->worker);
    const NETIO_STATUS status = nio_registrations_end(&self->registrations);
    NIO_DEBUG("subscription: ended, code %lu", (unsigned long)status);
    nio_debug_stop();
    if (status == NO_ERROR) {
        subscription_free(self);
    }
    return status;
}

NETIO_STATUS
nio_subscribe(const nio_request *request, nio_queue *queue, HANDLE *ret_handle)
{
    const unsigned all = (1u << NIO_KINDS) - 1;
    NETIO_STATUS status;

    *ret_handle = NULL;
    if (request->kinds == 0 || (request->kinds & ~all) != 0 ||
        request->receive_buffer < 0) {
        return ERROR_INVALID_PARAMETER;
    }
    if (request->filter != NULL && request->filter->has_tables) {
        return ERROR_NOT_SUPPORTED; /* there is one table */
    }
    if (request->filter != NULL && request->filter->names != NULL &&
        !nio_can_find_bearers()) {
        return ERROR_PROC_NOT_FOUND;
    }
    if (nio_system()->CancelMibChangeNotify2 == NULL) {
        return ERROR_PROC_NOT_FOUND; /* it could never be ended */
    }
    subscription *self = subscription_new(request, queue);
    if (self == NULL) {
        return ERROR_NOT_ENOUGH_MEMORY;
    }
    self->compartment = nio_compartment();
    nio_debug_start();
    NIO_DEBUG("subscription: begun, kinds 0x%x", request->kinds);
    /* Registered before the tables are read, so that no change is missed. */
    status = register_all(self);
    if (status == NO_ERROR) {
        (void)nio_bearers_find(&self->bearers);
        status = nio_row_cache_load(&self->cache, request->snapshot);
    }
    nio_silence_begin(&self->silence, request->silence_check_ns);
    if (status == NO_ERROR &&
        !nio_thread_start(&self->worker, "netio-watch", run_worker, self)) {
        status = ERROR_NO_SYSTEM_RESOURCES;
    }
    if (status != NO_ERROR) {
        (void)subscription_end(self);
        return status;
    }
    *ret_handle = (HANDLE)self;
    return NO_ERROR;
}

NETIO_STATUS
nio_unsubscribe(HANDLE handle)
{
    return handle == NULL ? ERROR_INVALID_HANDLE : subscription_end(handle);
}

NETIO_STATUS
nio_statistics_of(HANDLE handle, nio_statistics *ret_statistics)
{
    const subscription *self = handle;

    if (self == NULL) {
        return ERROR_INVALID_HANDLE;
    }
    *ret_statistics = (nio_statistics){
        .overflows = nio_atomic_load(&self->cache.overflows),
        .resyncs = nio_atomic_load(&self->cache.resyncs),
    };
    for (int kind = 0; kind < NIO_KINDS; kind++) {
        ret_statistics->messages +=
            nio_atomic_load(&self->registrations.heard[kind]);
    }
    return NO_ERROR;
}

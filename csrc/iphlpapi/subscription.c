/* SPDX-License-Identifier: MIT */
/* The subscriptions of the high layer over the header's own notifications.
 *
 *   the system's threads -> inbox (keys) -> worker -> queue (rows)
 *
 * A callback does no more than leave the key: so a cancel, which waits for
 * callbacks, never waits long, and callbacks that overlap or overtake each
 * other do no harm. One worker a subscription reads rows and compares them
 * (mirror.c). The system loses nothing, but memory may be short: then the
 * tables are read again and the difference is told. */
#include "iphlpapi/subscription.h"

#include <stdlib.h>
#include <string.h>

enum {
    INBOX_BOUND = 100000, /* keys; beyond it those of one row are one */
    INBOX_MOST = 400000,  /* beyond it they are lost, and tables are read */
    AT_ONCE = 1024,       /* keys taken from it in one go */
};
/* How long a repair waits for what it lacked, at first and at last. */
#define FIRST_RETRY_NS 50000000u
#define LAST_RETRY_NS 3200000000u

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
    return statistics.queued >= INBOX_MOST;
}

/* An addition is looked at like any other change, and said to be one: the
 * inbox would take an ADD and its DELETE for a row that nobody knows, and give
 * its place to another, but the worker may have met it in what it has read. */
static void
leave(nio_subscription *self, nio_kind kind, const void *row,
      MIB_NOTIFICATION_TYPE type)
{
    nio_change change = {.time_ns = nio_realtime_ns(),
                         .size = (uint16_t)nio_windows_row_size(kind),
                         .kind = (uint8_t)kind,
                         .type = type == MibDeleteInstance
                                     ? NIO_CHANGE_DELETE
                                     : NIO_CHANGE_PARAMETER};
    if (row == NULL) {
        return; /* that it is registered: nobody asked */
    }
    (void)nio_atomic_add(&self->messages, 1);
    if (is_full(self->inbox) || !nio_queue_put(self->inbox, &change, row)) {
        nio_atomic_store(&self->lost, 1);
        nio_event_set(&self->readable);
    }
}

static VOID NETIOAPI_API_
on_interface(PVOID context, PMIB_IPINTERFACE_ROW row,
             MIB_NOTIFICATION_TYPE type)
{
    leave(context, NIO_INTERFACE, row, type);
}

static VOID NETIOAPI_API_
on_address(PVOID context, PMIB_UNICASTIPADDRESS_ROW row,
           MIB_NOTIFICATION_TYPE type)
{
    leave(context, NIO_ADDRESS, row, type);
}

static VOID NETIOAPI_API_
on_route(PVOID context, PMIB_IPFORWARD_ROW2 row, MIB_NOTIFICATION_TYPE type)
{
    leave(context, NIO_ROUTE, row, type);
}

/* ---- the worker */
static void
look_at(nio_subscription *self, nio_taken *taken)
{
    nio_cursor cursor = {0};
    nio_change *change;

    while (!nio_atomic_load(&self->stopped) &&
           (change = nio_taken_next(taken, &cursor)) != NULL) {
        if (change->kind == NIO_CHANGE_MARK) {
            self->dirty = true; /* keys were lost before it */
        } else {
            nio_row_cache_look(self, change, nio_change_row(change));
        }
    }
}

/* Reads the tables when that is due: at first after FIRST_RETRY_NS, and at
 * most half of the time. Also under load: what is still queued is only read
 * once more. */
static void
repair(nio_subscription *self, uint64_t *not_before, uint64_t *pause)
{
    const uint64_t began = nio_monotonic_ns();

    if (!self->dirty || began < *not_before) {
        return;
    }
    nio_row_cache_repair(self);
    *pause = !self->dirty             ? FIRST_RETRY_NS
             : *pause < LAST_RETRY_NS ? *pause * 2
                                      : LAST_RETRY_NS;
    const uint64_t now = nio_monotonic_ns(), took = now - began;
    *not_before = now + (took > *pause ? took : *pause);
}

static void
work(void *argument)
{
    nio_subscription *self = argument;
    uint64_t not_before = 0, pause = FIRST_RETRY_NS;

    while (!nio_atomic_load(&self->stopped)) {
        nio_taken taken;
        bool took = nio_queue_take(self->inbox, AT_ONCE, &taken) > 0;
        if (took) {
            look_at(self, &taken);
            nio_taken_free(&taken);
        }
        if (nio_atomic_exchange(&self->lost, 0) != 0) {
            self->dirty = true;
            /* It set the event, perhaps with nothing to take. */
            nio_event_clear(&self->readable);
            took = true; /* perhaps something came before the clearing */
        }
        repair(self, &not_before, &pause);
        if (!took) {
            (void)nio_event_wait(&self->readable,
                                 self->dirty ? pause : NIO_FOREVER);
        }
    }
}

/* ---- the subscriber's thread */
static nio_subscription *
subscription_free(nio_subscription *self)
{
    if (self != NULL) {
        nio_row_cache_done(self);
        nio_queue_free(self->inbox);
        nio_event_done(&self->readable);
        free(self->filter);
        free(self);
    }
    return NULL;
}

static nio_subscription *
subscription_new(const nio_request *request, nio_queue *queue)
{
    static const nio_filter everything;
    nio_subscription *self = calloc(1, sizeof(*self));

    if (self == NULL) {
        return NULL;
    }
    self->kinds = request->kinds;
    self->queue = queue;
    nio_row_cache_init(self);
    if (!nio_event_init(&self->readable)) {
        return subscription_free(self);
    }
    self->filter = nio_filter_copy(request->filter != NULL ? request->filter
                                                           : &everything);
    self->inbox = nio_queue_new(INBOX_BOUND, key_of, &self->readable);
    return self->filter != NULL && self->inbox != NULL
               ? self
               : subscription_free(self);
}

static NETIO_STATUS
register_kind(nio_subscription *self, nio_kind kind)
{
    const nio_functions *system = nio_system();
    ADDRESS_FAMILY family = self->filter->family;
    HANDLE *handle = &self->handles[kind];

    if (kind == NIO_INTERFACE) {
        return NIO_CALL(system, NotifyIpInterfaceChange, family, on_interface,
                        self, FALSE, handle);
    }
    if (kind == NIO_ADDRESS) {
        return NIO_CALL(system, NotifyUnicastIpAddressChange, family,
                        on_address, self, FALSE, handle);
    }
    return NIO_CALL(system, NotifyRouteChange2, family, on_route, self, FALSE,
                    handle);
}

static NETIO_STATUS
register_all(nio_subscription *self)
{
    NETIO_STATUS status = NO_ERROR;

    for (int kind = 0; kind < NIO_KINDS && status == NO_ERROR; kind++) {
        if ((self->kinds & (1u << kind)) != 0) {
            status = register_kind(self, (nio_kind)kind);
        }
    }
    return status;
}

/* Ends what there is of it. Where the system's cancel fails, it may call back
 * for ever: what its callbacks use is closed, and leaked. */
static NETIO_STATUS
end(nio_subscription *self)
{
    NETIO_STATUS status = NO_ERROR;

    for (int kind = 0; kind < NIO_KINDS; kind++) {
        if (self->handles[kind] != NULL) {
            NETIO_STATUS one =
                nio_system()->CancelMibChangeNotify2(self->handles[kind]);
            status = status == NO_ERROR ? one : status;
        }
    }
    nio_atomic_store(&self->stopped, 1);
    nio_queue_close(self->inbox); /* wakes the worker for good */
    nio_thread_join(&self->worker);
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
    if (nio_system()->CancelMibChangeNotify2 == NULL) {
        return ERROR_PROC_NOT_FOUND; /* what could never be ended */
    }
    nio_subscription *self = subscription_new(request, queue);
    if (self == NULL) {
        return ERROR_NOT_ENOUGH_MEMORY;
    }
    status = register_all(self);
    /* First the registrations, then the tables: nothing falls between. */
    if (status == NO_ERROR) {
        status = nio_row_cache_learn(self, request->snapshot);
    }
    if (status == NO_ERROR &&
        !nio_thread_start(&self->worker, "netio-watch", work, self)) {
        status = ERROR_NO_SYSTEM_RESOURCES;
    }
    if (status != NO_ERROR) {
        (void)end(self);
        return status;
    }
    *ret_handle = (HANDLE)self;
    return NO_ERROR;
}

NETIO_STATUS
nio_unsubscribe(HANDLE handle)
{
    return handle == NULL ? ERROR_INVALID_HANDLE : end(handle);
}

NETIO_STATUS
nio_statistics_of(HANDLE handle, nio_statistics *ret_statistics)
{
    const nio_subscription *self = handle;

    if (self == NULL) {
        return ERROR_INVALID_HANDLE;
    }
    *ret_statistics = (nio_statistics){
        .messages = nio_atomic_load(&self->messages),
        .overflows = nio_atomic_load(&self->overflows),
        .resyncs = nio_atomic_load(&self->resyncs),
    };
    return NO_ERROR;
}

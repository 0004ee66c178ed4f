/* SPDX-License-Identifier: MIT */
/* The subscriptions of the Windows tower (csrc/iphlpapi) on Linux, over a
 * system of one routing table that the tests change. */
#include "base/lock.h"
#include "base/queue.h"
#include "contract/tower.h"

#include "check.h"

#include <string.h>

#define SECOND UINT64_C(1000000000)
enum { MAX_ROUTES = 8 };

/* ---- the system */
static nio_lock lock = NIO_LOCK_INITIALIZER;
static MIB_IPFORWARD_ROW2 routes[MAX_ROUTES];
static size_t route_count;
static NETIO_STATUS read_status, cancel_status;
static bool lacks_notifications;
static PIPFORWARD_CHANGE_CALLBACK callback;
static PVOID callback_context;

static NETIO_STATUS
notify_route(ADDRESS_FAMILY family, PIPFORWARD_CHANGE_CALLBACK function,
             PVOID context, BOOLEAN initial, HANDLE *ret_handle)
{
    CHECK_EQUAL(family, AF_UNSPEC);
    CHECK(!initial);
    callback = function;
    callback_context = context;
    *ret_handle = routes;
    return NO_ERROR;
}

static NETIO_STATUS
cancel(HANDLE handle)
{
    CHECK(handle == routes);
    return cancel_status;
}

static NETIO_STATUS
get_table(ADDRESS_FAMILY family, PMIB_IPFORWARD_TABLE2 *ret_table)
{
    NETIO_STATUS status;

    CHECK_EQUAL(family, AF_UNSPEC);
    nio_lock_take(&lock);
    status = read_status;
    if (status == NO_ERROR) {
        *ret_table = calloc(1, sizeof(**ret_table) + sizeof(routes));
        CHECK(*ret_table != NULL);
        (*ret_table)->NumEntries = (ULONG)route_count;
        memcpy((*ret_table)->Table, routes, route_count * sizeof(*routes));
    }
    nio_lock_drop(&lock);
    return status;
}

static MIB_IPFORWARD_ROW2 *
find_locked(NET_IFINDEX interface) NIO_REQUIRES(lock)
{
    for (size_t i = 0; i < route_count; i++) {
        if (routes[i].InterfaceIndex == interface) {
            return &routes[i];
        }
    }
    return NULL;
}

static NETIO_STATUS
get_entry(PMIB_IPFORWARD_ROW2 row)
{
    NETIO_STATUS status;

    nio_lock_take(&lock);
    const MIB_IPFORWARD_ROW2 *found = find_locked(row->InterfaceIndex);
    status = read_status != NO_ERROR ? read_status
             : found == NULL         ? ERROR_NOT_FOUND
                                     : NO_ERROR;
    if (status == NO_ERROR) {
        *row = *found;
    }
    nio_lock_drop(&lock);
    return status;
}

static VOID
free_table(PVOID table)
{
    free(table);
}

const nio_functions *
nio_system(void)
{
    static nio_functions functions = {.CancelMibChangeNotify2 = cancel,
                                      .GetIpForwardTable2 = get_table,
                                      .GetIpForwardEntry2 = get_entry,
                                      .FreeMibTable = free_table};
    functions.NotifyRouteChange2 = lacks_notifications ? NULL : notify_route;
    return &functions;
}

/* ---- what a test does to the system; a route has an interface of its own */
static MIB_IPFORWARD_ROW2
route(NET_IFINDEX interface, ULONG metric)
{
    MIB_IPFORWARD_ROW2 row = {.InterfaceIndex = interface, .Metric = metric};
    row.DestinationPrefix.Prefix.si_family = AF_INET;
    row.NextHop.si_family = AF_INET;
    return row;
}

static void
set_route(NET_IFINDEX interface, ULONG metric)
{
    nio_lock_take(&lock);
    MIB_IPFORWARD_ROW2 *found = find_locked(interface);
    if (found == NULL) {
        CHECK(route_count < MAX_ROUTES);
        found = &routes[route_count++];
    }
    *found = route(interface, metric);
    nio_lock_drop(&lock);
}

static void
remove_route(NET_IFINDEX interface)
{
    nio_lock_take(&lock);
    MIB_IPFORWARD_ROW2 *found = find_locked(interface);
    CHECK(found != NULL);
    *found = routes[--route_count];
    nio_lock_drop(&lock);
}

static void
set_read_status(NETIO_STATUS status)
{
    nio_lock_take(&lock);
    read_status = status;
    nio_lock_drop(&lock);
}

/* Calls back as Windows does: with the key members only. */
static void
notify(NET_IFINDEX interface, MIB_NOTIFICATION_TYPE type)
{
    MIB_IPFORWARD_ROW2 key = route(interface, 0);
    callback(callback_context, &key, type);
}

/* ---- a subscription to routes, and its stream */
typedef struct stream {
    nio_event readable;
    nio_queue *queue;
    HANDLE handle;
} stream;

static size_t
key_of(int kind, const void *row, uint8_t *key)
{
    return nio_row_key((nio_kind)kind, row, key);
}

static void
stream_open(stream *stream, bool snapshot)
{
    const nio_request request = {.kinds = 1u << NIO_ROUTE,
                                 .snapshot = snapshot};

    CHECK(nio_event_init(&stream->readable));
    stream->queue = nio_queue_new(100, key_of, &stream->readable);
    CHECK(stream->queue != NULL);
    CHECK_EQUAL(nio_subscribe(&request, stream->queue, &stream->handle),
                NO_ERROR);
}

static void
stream_close(stream *stream)
{
    CHECK_EQUAL(nio_unsubscribe(stream->handle), NO_ERROR);
    nio_queue_free(stream->queue);
    nio_event_done(&stream->readable);
    route_count = 0;
}

/* Appends the changes to `text`: "A1=5" is an ADD of the route of interface 1
 * with metric 5; "D", "P"; "O" and "S" are marks; a final "s" is SNAPSHOT. */
static void
append(nio_taken *taken, char *text, size_t size)
{
    nio_cursor cursor = {0};
    nio_change *change;

    while ((change = nio_taken_next(taken, &cursor)) != NULL) {
        const MIB_IPFORWARD_ROW2 *row = nio_change_row(change);
        const size_t used = strlen(text);
        const char *space = used == 0 ? "" : " ";
        if (nio_change_is_mark(change)) {
            (void)snprintf(text + used, size - used, "%s%s", space,
                           change->flags == NIO_FLAG_OVERFLOW ? "O" : "S");
        } else {
            (void)snprintf(text + used, size - used, "%s%c%u=%u%s", space,
                           "PAD"[change->type], row->InterfaceIndex,
                           row->Metric,
                           change->flags & NIO_FLAG_SNAPSHOT ? "s" : "");
        }
    }
}

/* Waits until the stream has as many changes as `wanted`, and compares. */
static void
expect(stream *stream, const char *wanted)
{
    const uint64_t deadline = nio_monotonic_ns() + 30 * SECOND;
    char found[256] = "";

    while (strlen(found) < strlen(wanted)) {
        nio_taken taken;
        CHECK(nio_monotonic_ns() < deadline);
        (void)nio_event_wait(&stream->readable, SECOND);
        if (nio_queue_take(stream->queue, SIZE_MAX, &taken) > 0) {
            append(&taken, found, sizeof(found));
            nio_taken_free(&taken);
        }
    }
    if (strcmp(found, wanted) != 0) {
        fprintf(stderr, "found:  %s\nwanted: %s\n", found, wanted);
        abort();
    }
}

/* ---- the tests */
static void
subscription_with_snapshot_begins_with_all_rows(void)
{
    stream stream;

    set_route(1, 5);
    set_route(2, 6);
    stream_open(&stream, true);
    expect(&stream, "A1=5s A2=6s S");
    set_route(1, 7);
    notify(1, MibParameterNotification);
    expect(&stream, "P1=7");
    stream_close(&stream);
}

static void
notified_row_is_put_as_the_difference(void)
{
    stream stream;

    set_route(1, 5);
    stream_open(&stream, false);
    notify(1, MibAddInstance); /* known from the table: no difference */
    set_route(2, 6);
    notify(2, MibParameterNotification); /* an ADD for the taker */
    expect(&stream, "A2=6");
    remove_route(2);
    notify(2, MibDeleteInstance);
    notify(2, MibDeleteInstance); /* no longer known */
    set_route(1, 8);
    notify(1, MibAddInstance);
    expect(&stream, "D2=6 P1=8");
    remove_route(1);
    notify(1, MibParameterNotification); /* deleted before it was read */
    expect(&stream, "D1=8");
    stream_close(&stream);
}

static void
deleted_row_that_exists_again_is_put_as_delete_and_add(void)
{
    stream stream;

    set_route(1, 5);
    stream_open(&stream, false);
    notify(1, MibDeleteInstance);
    expect(&stream, "D1=5 A1=5");
    stream_close(&stream);
}

static void
failed_read_is_repaired_between_marks(void)
{
    nio_statistics now;
    stream stream;

    set_route(1, 5);
    set_route(2, 6);
    stream_open(&stream, false);
    set_read_status(ERROR_NOT_ENOUGH_MEMORY);
    set_route(1, 9);
    remove_route(2);
    set_route(3, 7);
    notify(1, MibParameterNotification);
    expect(&stream, "O");
    do { /* a failed repair puts no second mark */
        CHECK_EQUAL(nio_event_wait(&stream.readable, SECOND / 100),
                    NIO_WAIT_TIMEOUT);
        CHECK_EQUAL(nio_statistics_of(stream.handle, &now), NO_ERROR);
    } while (now.resyncs < 2);
    set_read_status(NO_ERROR);
    expect(&stream, "P1=9 A3=7 D2=6 S");
    CHECK_EQUAL(nio_statistics_of(stream.handle, &now), NO_ERROR);
    CHECK_EQUAL(now.messages, 1);
    CHECK_EQUAL(now.overflows, 1);
    stream_close(&stream);
}

static void
subscription_over_a_system_that_lacks_a_function_fails(void)
{
    const nio_request addresses = {.kinds = 1u << NIO_ADDRESS};
    const nio_request nothing = {.kinds = 0};
    const nio_request route_request = {.kinds = 1u << NIO_ROUTE};
    nio_queue *queue = nio_queue_new(1, key_of, NULL);
    HANDLE handle = queue;

    CHECK_EQUAL(nio_subscribe(&nothing, queue, &handle),
                ERROR_INVALID_PARAMETER);
    CHECK(handle == NULL);
    CHECK_EQUAL(nio_subscribe(&addresses, queue, &handle),
                ERROR_PROC_NOT_FOUND);
    lacks_notifications = true;
    CHECK_EQUAL(nio_subscribe(&route_request, queue, &handle),
                ERROR_PROC_NOT_FOUND);
    lacks_notifications = false;
    set_read_status(ERROR_NOT_SUPPORTED);
    CHECK_EQUAL(nio_subscribe(&route_request, queue, &handle),
                ERROR_NOT_SUPPORTED);
    set_read_status(NO_ERROR);
    CHECK_EQUAL(nio_unsubscribe(NULL), ERROR_INVALID_HANDLE);
    nio_queue_free(queue);
}

/* The system may still call back: the subscription is closed and leaked. */
static void
failed_cancel_leaves_a_closed_subscription(void)
{
    static stream leaked;

    stream_open(&leaked, false);
    cancel_status = ERROR_INVALID_HANDLE;
    CHECK_EQUAL(nio_unsubscribe(leaked.handle), ERROR_INVALID_HANDLE);
    cancel_status = NO_ERROR;
    set_route(1, 5);
    notify(1, MibAddInstance);
    CHECK_EQUAL(nio_event_wait(&leaked.readable, 0), NIO_WAIT_TIMEOUT);
}

int
main(void)
{
    RUN(subscription_with_snapshot_begins_with_all_rows());
    RUN(notified_row_is_put_as_the_difference());
    RUN(deleted_row_that_exists_again_is_put_as_delete_and_add());
    RUN(failed_read_is_repaired_between_marks());
    RUN(subscription_over_a_system_that_lacks_a_function_fails());
    RUN(failed_cancel_leaves_a_closed_subscription());
    puts("ok");
    return 0;
}

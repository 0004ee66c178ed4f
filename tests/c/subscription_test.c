/* SPDX-License-Identifier: MIT */
/* The subscriptions of the Windows tower (csrc/iphlpapi) on Linux, over a
 * system of one routing table that the tests change. */
#include "base/filter.h"
#include "base/lock.h"
#include "base/queue.h"
#include "contract/tower.h"

#include "check.h"
#include "one_table_system.h"

#include <string.h>
#include <wchar.h>

#define SECOND UINT64_C(1000000000)

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
stream_request(stream *stream, const nio_request *request)
{
    CHECK(nio_event_init(&stream->readable));
    stream->queue = nio_queue_new(100, key_of, &stream->readable);
    CHECK(stream->queue != NULL);
    CHECK_EQUAL(nio_subscribe(request, stream->queue, &stream->handle),
                NO_ERROR);
}

static void
stream_open_filtered(stream *stream, bool snapshot, const nio_filter *filter)
{
    const nio_request request = {
        .kinds = 1u << NIO_ROUTE, .filter = filter, .snapshot = snapshot};
    stream_request(stream, &request);
}

static void
stream_open(stream *stream, bool snapshot)
{
    stream_open_filtered(stream, snapshot, NULL);
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
filter_by_alias_follows_the_alias(void)
{
    static const WCHAR names[] = L"none\0wan";
    static const NET_IFINDEX interfaces[] = {4};
    const nio_filter filter = {.family = AF_UNSPEC,
                               .interfaces = interfaces,
                               .interface_count = 1,
                               .names = names,
                               .name_count = 2,
                               .name_size = sizeof(names) / sizeof(*names)};
    stream stream;

    set_route(1, 5);
    set_route(2, 6);
    set_route(4, 7);
    stream_open_filtered(&stream, true, &filter);
    expect(&stream, "A4=7s S"); /* no interface has the alias */
    pass_alias_to(1);
    expect(&stream, "A1=5");
    pass_alias_to(2);
    expect(&stream, "D1=5 A2=6");
    pass_alias_to(4); /* which passes anyway */
    expect(&stream, "D2=6");
    pass_alias_to(0);
    set_route(4, 8);
    notify(4, MibParameterNotification);
    expect(&stream, "P4=8");
    stream_close(&stream);
    lacks_aliases = true;
    HANDLE handle;
    const nio_request request = {.kinds = 1u << NIO_ROUTE, .filter = &filter};
    CHECK_EQUAL(nio_subscribe(&request, NULL, &handle), ERROR_PROC_NOT_FOUND);
    lacks_aliases = false;
}

/* A lifetime that counts down is no difference; one that is longer is a
 * renewal. */
static void
renewal_is_a_change_for_those_that_follow_lifetimes(void)
{
    const nio_request request = {
        .kinds = 1u << NIO_ROUTE, .snapshot = true, .lifetimes = true};
    stream follows, quiet;
    set_route(1, 5);
    set_lifetime(1, 100);
    stream_request(&follows, &request);
    expect(&follows, "A1=5s S");
    set_lifetime(1, 90);
    notify(1, MibParameterNotification);
    set_lifetime(1, 3600);
    notify(1, MibParameterNotification);
    expect(&follows, "P1=5");
    stream_close(&follows);

    set_route(1, 5);
    set_lifetime(1, 100);
    stream_open(&quiet, true);
    expect(&quiet, "A1=5s S");
    set_lifetime(1, 3600);
    notify(1, MibParameterNotification);
    set_route(1, 6);
    notify(1, MibParameterNotification);
    expect(&quiet, "P1=6");
    stream_close(&quiet);
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
    RUN(filter_by_alias_follows_the_alias());
    RUN(renewal_is_a_change_for_those_that_follow_lifetimes());
    RUN(subscription_over_a_system_that_lacks_a_function_fails());
    RUN(failed_cancel_leaves_a_closed_subscription());
    puts("ok");
    return 0;
}

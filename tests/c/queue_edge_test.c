/* SPDX-License-Identifier: MIT */
/* The edges of the queue (base/queue.h): marks, the event, closing, allocation
 * failures, and memory that is given back. */
#include "memory.h"
#include "queue_support.h"

/* ---- marks */
static void
repeated_mark_is_queued_once(void)
{
    nio_queue *queue = nio_queue_new(100, key_of, NULL);

    CHECK(mark(queue, NIO_FLAG_OVERFLOW));
    CHECK(mark(queue, NIO_FLAG_OVERFLOW));
    CHECK(mark(queue, NIO_FLAG_SYNCED));
    CHECK(mark(queue, NIO_FLAG_SYNCED));
    CHECK(mark(queue, NIO_FLAG_OVERFLOW));
    put(queue, ADD, 1, 1);
    CHECK(mark(queue, NIO_FLAG_OVERFLOW));
    expect(queue, "O S O A1=1 O");
    CHECK(mark(queue, NIO_FLAG_OVERFLOW)); /* the earlier one is taken */
    expect(queue, "O");
    nio_queue_free(queue);
}

static void
marks_past_the_bound_do_not_grow_the_queue(void)
{
    nio_queue *queue = nio_queue_new(3, key_of, NULL);

    put(queue, ADD, 1, 0);
    put(queue, ADD, 2, 0);
    for (unsigned i = 1; i <= 1000; i++) {
        CHECK(mark(queue, NIO_FLAG_OVERFLOW));
        put(queue, PARAMETER, 1, i);
        CHECK(mark(queue, NIO_FLAG_SYNCED));
    }
    expect(queue, "A1=1000 A2=0 O S");

    put(queue, ADD, 1, 0);
    put(queue, ADD, 2, 0);
    CHECK(mark(queue, NIO_FLAG_SYNCED)); /* an OVERFLOW replaces it */
    for (unsigned i = 1; i <= 1000; i++) {
        CHECK(mark(queue, NIO_FLAG_OVERFLOW));
        put(queue, PARAMETER, 1, i);
        CHECK(mark(queue, NIO_FLAG_SYNCED));
        CHECK(mark(queue, NIO_FLAG_SYNCED));
    }
    expect(queue, "A1=1000 A2=0 O S");
    nio_queue_free(queue);
}

static void
overflow_before_later_marks_stays(void)
{
    nio_queue *queue = nio_queue_new(1, key_of, NULL);

    CHECK(mark(queue, NIO_FLAG_SYNCED));
    put(queue, ADD, 1, 1);
    CHECK(mark(queue, NIO_FLAG_SYNCED));
    CHECK(mark(queue, NIO_FLAG_OVERFLOW));
    CHECK(mark(queue, NIO_FLAG_SYNCED));
    expect(queue, "S A1=1 O S");

    put(queue, ADD, 1, 2);
    CHECK(mark(queue, NIO_FLAG_OVERFLOW));
    put(queue, ADD, 2, 3);
    CHECK(mark(queue, NIO_FLAG_SYNCED));
    CHECK(mark(queue, NIO_FLAG_OVERFLOW));
    CHECK(mark(queue, NIO_FLAG_SYNCED));
    expect(queue, "A1=2 O A2=3 O S");
    nio_queue_free(queue);

    queue = nio_queue_new(2, key_of, NULL);
    CHECK(mark(queue, NIO_FLAG_SYNCED));
    CHECK(mark(queue, NIO_FLAG_OVERFLOW));
    CHECK(mark(queue, NIO_FLAG_SYNCED));
    expect(queue, "S O S");
    nio_queue_free(queue);
}

static void
taken_mark_does_not_affect_later_marks(void)
{
    nio_queue *queue = nio_queue_new(1, key_of, NULL);
    nio_taken taken;

    CHECK(mark(queue, NIO_FLAG_OVERFLOW));
    CHECK(mark(queue, NIO_FLAG_SYNCED));
    CHECK(mark(queue, NIO_FLAG_OVERFLOW));
    CHECK_EQUAL(nio_queue_take(queue, 1, &taken), 1);
    nio_taken_free(&taken);
    CHECK(mark(queue, NIO_FLAG_SYNCED));
    expect(queue, "O S");
    nio_queue_free(queue);
}

static void
statistics_with_marks_count_changes_only(void)
{
    nio_queue *queue = nio_queue_new(9, key_of, NULL);
    nio_taken taken;
    nio_queue_statistics now;

    CHECK(mark(queue, NIO_FLAG_OVERFLOW));
    put(queue, ADD, 1, 1);
    put(queue, ADD, 2, 2);
    CHECK(mark(queue, NIO_FLAG_SYNCED));
    now = statistics_of(queue);
    CHECK_EQUAL(now.put, 2);
    CHECK_EQUAL(now.queued, 2);
    CHECK_EQUAL(now.high_water, 2);
    CHECK_EQUAL(nio_queue_take(queue, 2, &taken), 2);
    CHECK_EQUAL(taken.count, 2);
    nio_taken_free(&taken);
    CHECK_EQUAL(statistics_of(queue).taken, 1);
    expect(queue, "A2=2 S");
    CHECK_EQUAL(statistics_of(queue).taken, 2);
    nio_queue_free(queue);
}

/* ---- the event, closing */
static bool
is_set(nio_event *event)
{
    return nio_event_wait(event, 0) == NIO_WAIT_SET;
}

static void
event_is_set_while_anything_is_queued(void)
{
    nio_event readable;
    nio_queue *queue = NULL;
    nio_taken taken;

    CHECK(nio_event_init(&readable));
    queue = nio_queue_new(1, key_of, &readable);
    CHECK(!is_set(&readable));
    put(queue, ADD, 1, 1);
    CHECK(is_set(&readable));
    put(queue, ADD, 2, 2);
    CHECK_EQUAL(nio_queue_take(queue, 1, &taken), 1);
    CHECK(is_set(&readable));
    nio_taken_free(&taken);
    expect(queue, "A2=2");
    CHECK(!is_set(&readable));
    CHECK(mark(queue, NIO_FLAG_SYNCED));
    CHECK(is_set(&readable));
    expect(queue, "S");
    /* Another thread may set the event to wake the taker: an empty take does
     * not clear it. */
    nio_event_set(&readable);
    expect(queue, "");
    CHECK(is_set(&readable));
    nio_queue_free(queue);
    nio_event_done(&readable);
}

static void
close_of_an_empty_queue_sets_the_event(void)
{
    nio_event readable;
    nio_queue *queue = NULL;

    CHECK(nio_event_init(&readable));
    queue = nio_queue_new(1, key_of, &readable);
    nio_queue_close(queue);
    CHECK(is_set(&readable));
    expect(queue, "");
    CHECK(is_set(&readable));
    nio_queue_free(queue);
    nio_event_done(&readable);
}

static void
closed_queue_is_empty_and_ignores_puts(void)
{
    nio_event readable;
    nio_queue *queue = NULL;
    nio_taken before, after;
    nio_cursor cursor = {0};
    nio_queue_statistics now;

    CHECK(nio_event_init(&readable));
    queue = nio_queue_new(2, key_of, &readable);
    for (uint32_t i = 0; i < 5000; i++) {
        put(queue, ADD, i, i);
    }
    CHECK_EQUAL(nio_queue_take(queue, 3000, &before), 3000);
    nio_queue_close(queue);
    CHECK(is_set(&readable));
    put(queue, ADD, 1, 1);
    CHECK(mark(queue, NIO_FLAG_OVERFLOW));
    CHECK_EQUAL(nio_queue_take(queue, 10, &after), 0);
    CHECK(is_set(&readable));
    nio_queue_close(queue);
    nio_queue_statistics_of(queue, &now);
    CHECK_EQUAL(now.put, 5000);
    CHECK_EQUAL(now.taken, 3000);
    CHECK_EQUAL(now.queued, 0);
    nio_queue_free(queue);
    for (uint32_t i = 0; i < 3000; i++) {
        const nio_change *change = nio_taken_next(&before, &cursor);
        CHECK_EQUAL(change->time_ns, i);
    }
    nio_taken_free(&before);
    CHECK_EQUAL(pages_held, 0);
    nio_event_done(&readable);
}

/* ---- memory */
static void
queue_on_allocation_failure_is_null(void)
{
    malloc_fails = true;
    CHECK(nio_queue_new(1, key_of, NULL) == NULL);
    malloc_fails = false;
}

static void
lost_change_is_counted_and_marked(void)
{
    nio_queue *queue = nio_queue_new(100, key_of, NULL);

    malloc_fails = true;
    CHECK(!put_as(queue, KIND, ADD, 1, 1, 0));
    CHECK(!put_as(queue, KIND, ADD, 2, 2, 0));
    CHECK(!mark(queue, NIO_FLAG_SYNCED)); /* lost, but not a change */
    malloc_fails = false;
    CHECK_EQUAL(statistics_of(queue).lost, 2);
    put(queue, ADD, 3, 3);
    put(queue, ADD, 4, 4);
    expect(queue, "O A3=3 A4=4");

    malloc_fails = true; /* the first chunk exists and has room */
    put(queue, ADD, 5, 5);
    expect(queue, "A5=5");
    nio_queue_free(queue);
    malloc_fails = false;
}

/* The chunk has room for the mark, but not for the change. */
static void
loss_right_after_its_mark_is_marked_again(void)
{
    nio_queue *queue = nio_queue_new(1000, key_of, NULL);
    uint32_t count = 0;
    nio_taken taken;

    malloc_fails = false;
    put(queue, ADD, count++, 0);
    malloc_fails = true;
    while (put_as(queue, KIND, ADD, count, 0, 0)) {
        count++;
    }
    CHECK(!put_as(queue, KIND, ADD, count, 0, 0)); /* right after its mark */
    malloc_fails = false;
    CHECK_EQUAL(nio_queue_take(queue, count, &taken), count);
    nio_taken_free(&taken);
    put(queue, ADD, 1, 1);
    expect(queue, "O A1=1");
    CHECK_EQUAL(statistics_of(queue).lost, 2);
    nio_queue_free(queue);
}

/* A merge allocates nothing, and the owed mark comes before it. */
static void
full_queue_on_allocation_failure_still_merges(void)
{
    nio_queue *queue = full_queue();
    uint32_t count = 0;

    put(queue, ADD, 1, 1);
    malloc_fails = pages_fail = true;
    put(queue, PARAMETER, 1, 2);
    while (put_as(queue, KIND, ADD, 100 + count, 0, 0)) {
        count++;
    }
    put(queue, PARAMETER, 1, 3);
    malloc_fails = pages_fail = false;
    put(queue, DELETE, 1, 4);
    CHECK_EQUAL(statistics_of(queue).coalesced, 3);
    CHECK_EQUAL(statistics_of(queue).lost, 1);
    CHECK_EQUAL(statistics_of(queue).queued, 2 + count);
    nio_queue_free(queue);
}

/* Without an index nothing is lost. It is built once it can be allocated. */
static void
queue_without_an_index_keeps_every_change(void)
{
    nio_queue *queue = nio_queue_new(4, key_of, NULL);
    size_t asked = 0;

    pages_fail = true;
    for (uint32_t i = 0; i < 20; i++) {
        put(queue, PARAMETER, 1, i);
    }
    CHECK_EQUAL(statistics_of(queue).queued, 20);
    asked = allocations;
    put(queue, PARAMETER, 1, 20);
    CHECK_EQUAL(allocations, asked); /* not every put tries to build it */
    pages_fail = false;
    for (uint32_t i = 21; i < 200; i++) {
        put(queue, PARAMETER, 1, i);
    }
    CHECK(statistics_of(queue).queued < 100);
    nio_queue_free(queue);
    CHECK_EQUAL(pages_held, 0);
}

/* More keys than the first index has room for, and no wider one. */
static void
index_that_cannot_grow_is_dropped(void)
{
    nio_queue *queue = nio_queue_new(4, key_of, NULL);

    put(queue, ADD, 0, 0);
    put(queue, ADD, 1, 0);
    put(queue, ADD, 2, 0);
    pages_fail = true;
    for (uint32_t i = 3; i < 800; i++) {
        if (!put_as(queue, KIND, ADD, i, 0, 0)) { /* chunks need pages, too */
            pages_fail = false;
            put(queue, ADD, i, 0);
            pages_fail = true;
        }
    }
    pages_fail = false;
    put(queue, PARAMETER, 5, 1);
    CHECK(statistics_of(queue).queued + statistics_of(queue).lost >= 800);
    nio_queue_free(queue);
    CHECK_EQUAL(pages_held, 0);
}

static void
memory_after_a_flood_is_given_back(void)
{
    nio_queue *queue = nio_queue_new(20000, key_of, NULL);
    nio_taken taken;
    size_t asked = 0;

    for (unsigned round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < 50000; i++) {
            put(queue, ADD, i, i);
        }
        for (uint32_t i = 0; i < 50000; i++) {
            put(queue, PARAMETER, i, i);
        }
        CHECK(pages_held > 50000 * sizeof(row));
        CHECK_EQUAL(statistics_of(queue).queued, 50000);
        while (nio_queue_take(queue, 4096, &taken) > 0) {
            nio_taken_free(&taken);
        }
        CHECK_EQUAL(pages_held, 0);
    }
    nio_queue_free(queue);

    queue = full_queue();
    put(queue, PARAMETER, 99, 1);
    CHECK(pages_held > 0); /* the index of a queue with the smallest bound */
    expect(queue, "A99=1");
    CHECK_EQUAL(pages_held, 0);
    /* A quiet queue allocates nothing. */
    put(queue, ADD, 1, 1);
    expect(queue, "A1=1");
    asked = allocations;
    for (uint32_t i = 0; i < 10000; i++) {
        put(queue, ADD, 1, 1);
        expect(queue, "A1=1");
    }
    CHECK_EQUAL(allocations, asked);
    nio_queue_free(queue);
}

int
main(void)
{
    RUN(repeated_mark_is_queued_once());
    RUN(marks_past_the_bound_do_not_grow_the_queue());
    RUN(overflow_before_later_marks_stays());
    RUN(taken_mark_does_not_affect_later_marks());
    RUN(statistics_with_marks_count_changes_only());
    RUN(event_is_set_while_anything_is_queued());
    RUN(close_of_an_empty_queue_sets_the_event());
    RUN(closed_queue_is_empty_and_ignores_puts());
    RUN(queue_on_allocation_failure_is_null());
    RUN(lost_change_is_counted_and_marked());
    RUN(loss_right_after_its_mark_is_marked_again());
    RUN(full_queue_on_allocation_failure_still_merges());
    RUN(queue_without_an_index_keeps_every_change());
    RUN(index_that_cannot_grow_is_dropped());
    RUN(memory_after_a_flood_is_given_back());
    puts("ok");
    return 0;
}

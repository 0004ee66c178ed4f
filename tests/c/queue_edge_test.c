/* SPDX-License-Identifier: MIT */
/* base/queue.h at its edges: marks, the event, closing, memory that is short
 * and memory that is given back. */
#include "memory.h"
#include "queue_support.h"

/* ---- marks */
static void
a_mark_is_not_told_twice_in_a_row(void)
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
    CHECK(mark(queue, NIO_FLAG_OVERFLOW)); /* the last was taken */
    expect(queue, "O");
    nio_queue_free(queue);
}

static void
marks_alone_do_not_fill_memory(void)
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
    CHECK(mark(queue, NIO_FLAG_SYNCED)); /* what OVERFLOW takes the place of */
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
an_overflow_is_never_taken_back(void)
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
a_mark_that_was_taken_decides_nothing(void)
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
marks_are_not_counted_as_changes(void)
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
the_event_is_set_while_anything_is_queued(void)
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
    /* Somebody else may set it to wake the taker; an empty take is no reason
     * to take that back. */
    nio_event_set(&readable);
    expect(queue, "");
    CHECK(is_set(&readable));
    nio_queue_free(queue);
    nio_event_done(&readable);
}

static void
closing_an_empty_queue_wakes_its_taker(void)
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
a_closed_queue_is_empty_and_takes_nothing_in(void)
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
no_memory_makes_no_queue(void)
{
    malloc_is_short = true;
    CHECK(nio_queue_new(1, key_of, NULL) == NULL);
    malloc_is_short = false;
}

static void
what_is_lost_is_counted_and_told(void)
{
    nio_queue *queue = nio_queue_new(100, key_of, NULL);

    malloc_is_short = true;
    CHECK(!put_as(queue, KIND, ADD, 1, 1, 0));
    CHECK(!put_as(queue, KIND, ADD, 2, 2, 0));
    CHECK(!mark(queue, NIO_FLAG_SYNCED)); /* lost, and no change */
    malloc_is_short = false;
    CHECK_EQUAL(statistics_of(queue).lost, 2);
    put(queue, ADD, 3, 3);
    put(queue, ADD, 4, 4);
    expect(queue, "O A3=3 A4=4");

    malloc_is_short = true; /* the first chunk is there and has room */
    put(queue, ADD, 5, 5);
    expect(queue, "A5=5");
    nio_queue_free(queue);
    malloc_is_short = false;
}

/* The mark fits into what the chunk has left, and the change does not. */
static void
a_loss_behind_its_mark_is_told_again(void)
{
    nio_queue *queue = nio_queue_new(1000, key_of, NULL);
    uint32_t count = 0;
    nio_taken taken;

    malloc_is_short = false;
    put(queue, ADD, count++, 0);
    malloc_is_short = true;
    while (put_as(queue, KIND, ADD, count, 0, 0)) {
        count++;
    }
    CHECK(!put_as(queue, KIND, ADD, count, 0, 0)); /* behind its mark */
    malloc_is_short = false;
    CHECK_EQUAL(nio_queue_take(queue, count, &taken), count);
    nio_taken_free(&taken);
    put(queue, ADD, 1, 1);
    expect(queue, "O A1=1");
    CHECK_EQUAL(statistics_of(queue).lost, 2);
    nio_queue_free(queue);
}

/* A merge needs no memory; and the mark that is owed comes before it. */
static void
a_full_queue_merges_without_memory(void)
{
    nio_queue *queue = full_queue();
    uint32_t count = 0;

    put(queue, ADD, 1, 1);
    malloc_is_short = pages_are_short = true;
    put(queue, PARAMETER, 1, 2);
    while (put_as(queue, KIND, ADD, 100 + count, 0, 0)) {
        count++;
    }
    put(queue, PARAMETER, 1, 3);
    malloc_is_short = pages_are_short = false;
    put(queue, DELETE, 1, 4);
    CHECK_EQUAL(statistics_of(queue).coalesced, 3);
    CHECK_EQUAL(statistics_of(queue).lost, 1);
    CHECK_EQUAL(statistics_of(queue).queued, 2 + count);
    nio_queue_free(queue);
}

/* Without memory for an index nothing is lost, and later it is there. */
static void
a_queue_without_an_index_keeps_all(void)
{
    nio_queue *queue = nio_queue_new(4, key_of, NULL);
    size_t asked = 0;

    pages_are_short = true;
    for (uint32_t i = 0; i < 20; i++) {
        put(queue, PARAMETER, 1, i);
    }
    CHECK_EQUAL(statistics_of(queue).queued, 20);
    asked = allocations;
    put(queue, PARAMETER, 1, 20);
    CHECK_EQUAL(allocations, asked); /* nor is it tried every time */
    pages_are_short = false;
    for (uint32_t i = 21; i < 200; i++) {
        put(queue, PARAMETER, 1, i);
    }
    CHECK(statistics_of(queue).queued < 100);
    nio_queue_free(queue);
    CHECK_EQUAL(pages_held, 0);
}

/* More keys than the first index has room for, and no memory for a wider. */
static void
an_index_that_cannot_grow_is_given_up(void)
{
    nio_queue *queue = nio_queue_new(4, key_of, NULL);

    put(queue, ADD, 0, 0);
    put(queue, ADD, 1, 0);
    put(queue, ADD, 2, 0);
    pages_are_short = true;
    for (uint32_t i = 3; i < 800; i++) {
        if (!put_as(queue, KIND, ADD, i, 0, 0)) { /* chunks grow too */
            pages_are_short = false;
            put(queue, ADD, i, 0);
            pages_are_short = true;
        }
    }
    pages_are_short = false;
    put(queue, PARAMETER, 5, 1);
    CHECK(statistics_of(queue).queued + statistics_of(queue).lost >= 800);
    nio_queue_free(queue);
    CHECK_EQUAL(pages_held, 0);
}

static void
a_flood_gives_its_memory_back(void)
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
    /* And a quiet queue asks for none. */
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
    RUN(a_mark_is_not_told_twice_in_a_row());
    RUN(marks_alone_do_not_fill_memory());
    RUN(an_overflow_is_never_taken_back());
    RUN(a_mark_that_was_taken_decides_nothing());
    RUN(marks_are_not_counted_as_changes());
    RUN(the_event_is_set_while_anything_is_queued());
    RUN(closing_an_empty_queue_wakes_its_taker());
    RUN(a_closed_queue_is_empty_and_takes_nothing_in());
    RUN(no_memory_makes_no_queue());
    RUN(what_is_lost_is_counted_and_told());
    RUN(a_loss_behind_its_mark_is_told_again());
    RUN(a_full_queue_merges_without_memory());
    RUN(a_queue_without_an_index_keeps_all());
    RUN(an_index_that_cannot_grow_is_given_up());
    RUN(a_flood_gives_its_memory_back());
    puts("ok");
    return 0;
}

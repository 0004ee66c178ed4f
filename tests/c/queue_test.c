/* SPDX-License-Identifier: MIT */
/* The queue (base/queue.h) on one thread: each rule of its header by itself.
 */
#include "queue_support.h"

/* ---- below the bound */
static void
queue_below_its_bound_keeps_every_change_in_order(void)
{
    nio_queue *queue = nio_queue_new(6, key_of, NULL);

    put(queue, ADD, 1, 1);
    put(queue, PARAMETER, 1, 2);
    put(queue, DELETE, 1, 3);
    CHECK(mark(queue, NIO_FLAG_OVERFLOW));
    CHECK(mark(queue, NIO_FLAG_SYNCED));
    put(queue, ADD, 1, 4);
    CHECK_EQUAL(statistics_of(queue).coalesced, 0);
    CHECK_EQUAL(statistics_of(queue).high_water, 4);
    expect(queue, "A1=1 P1=2 D1=3 O S A1=4");
    expect(queue, "");
    CHECK(nio_queue_free(queue) == NULL);
    CHECK(nio_queue_free(NULL) == NULL);
}

/* Sizes and portions that end at the end of a chunk, and elsewhere. */
static void
queue_with_any_row_size_and_portion_keeps_the_order(unsigned long long seed)
{
    nio_queue *queue = nio_queue_new(SIZE_MAX, key_of, NULL);
    uint64_t put_count = 0, taken_count = 0;
    uint8_t bytes[5000];

    while (taken_count < 60000) {
        const unsigned puts = random_below(&seed, 400);
        const unsigned max_count = random_below(&seed, 400) + 1;
        nio_taken taken;
        nio_cursor cursor = {0};
        nio_change *change = NULL;
        size_t seen = 0;

        for (unsigned i = 0; i < puts && put_count < 70000; i++) {
            nio_change next = {
                .time_ns = put_count, .kind = KIND, .type = INITIAL};
            next.size = (uint16_t)random_below(
                &seed, random_below(&seed, 50) == 0 ? 5000 : 60);
            memset(bytes, (int)(put_count++ & 0xff), next.size);
            CHECK(nio_queue_put(queue, &next, bytes));
        }
        CHECK(nio_queue_take(queue, max_count, &taken) <= max_count);
        while ((change = nio_taken_next(&taken, &cursor)) != NULL) {
            const uint8_t *got = nio_change_row(change);
            CHECK_EQUAL(change->time_ns, taken_count);
            for (size_t i = 0; i < change->size; i++) {
                CHECK_EQUAL(got[i], taken_count & 0xff);
            }
            taken_count++;
            seen++;
        }
        CHECK_EQUAL(seen, taken.count);
        nio_taken_free(&taken);
        CHECK_EQUAL(statistics_of(queue).queued, put_count - taken_count);
    }
    nio_queue_free(queue);
}

static void
largest_row_is_queued_and_outlives_the_queue(void)
{
    static uint8_t bytes[UINT16_MAX];
    nio_queue *queue = nio_queue_new(10, key_of, NULL);
    nio_change large = {.size = UINT16_MAX, .kind = KIND, .type = ADD};
    nio_taken taken = {.count = 7};
    nio_cursor cursor = {0};

    put(queue, ADD, 1, 1);
    CHECK(nio_queue_put(queue, &large, bytes));
    CHECK_EQUAL(nio_queue_take(queue, 0, &taken), 0);
    CHECK(nio_taken_next(&taken, &cursor) == NULL);
    nio_taken_free(&taken);
    CHECK_EQUAL(nio_queue_take(queue, 9, &taken), 2);
    nio_queue_free(queue); /* taken changes outlive the queue */
    CHECK_EQUAL(nio_taken_next(&taken, &cursor)->size, sizeof(row));
    CHECK_EQUAL(nio_taken_next(&taken, &cursor)->size, UINT16_MAX);
    CHECK(nio_taken_next(&taken, &cursor) == NULL);
    CHECK(nio_taken_next(&taken, &cursor) == NULL);
    nio_taken_free(&taken);
    nio_taken_free(&taken); /* a second time does nothing */
}

/* ---- past the bound */
static void
key_with_several_records_merges_into_the_last(void)
{
    nio_queue *queue = nio_queue_new(5, key_of, NULL);

    put(queue, ADD, 1, 1);
    put(queue, DELETE, 1, 2);
    put(queue, ADD, 2, 3);
    put(queue, ADD, 1, 4);
    put(queue, PARAMETER, 2, 5);
    put(queue, DELETE, 1, 6); /* past the bound from here on */
    put(queue, PARAMETER, 2, 7);
    expect(queue, "A1=1 D1=2 A2=3 P2=7");
    /* The index does not remember taken records. */
    put(queue, ADD, 1, 8);
    put(queue, PARAMETER, 1, 9);
    expect(queue, "A1=8 P1=9");
    nio_queue_free(queue);
}

static void
taken_record_is_never_merged_into(void)
{
    nio_queue *queue = nio_queue_new(2, key_of, NULL);
    nio_taken taken;

    put(queue, ADD, 1, 1);
    put(queue, ADD, 2, 2);
    put(queue, PARAMETER, 1, 3);
    CHECK_EQUAL(nio_queue_take(queue, 1, &taken), 1);
    put(queue, ADD, 3, 4);
    put(queue, PARAMETER, 1, 5); /* its record is taken: a new one */
    put(queue, PARAMETER, 1, 6);
    CHECK_EQUAL(nio_taken_next(&taken, &(nio_cursor){0})->time_ns, 3);
    nio_taken_free(&taken);
    expect(queue, "A2=2 A3=4 P1=6");
    nio_queue_free(queue);
}

static void
kind_is_part_of_the_key_and_may_be_all_of_it(void)
{
    nio_queue *queue = full_queue();

    put(queue, ADD, 1, 1);
    CHECK(put_as(queue, OTHER_KIND, ADD, 1, 2, 0));
    CHECK(put_as(queue, KEYLESS, PARAMETER, 5, 3, 0));
    CHECK(put_as(queue, KEYLESS, PARAMETER, 6, 4, 0));
    expect(queue, "A99=0 A1=1 A1=2 P6=4");
    nio_queue_free(queue);
}

static void
row_of_another_size_is_appended(void)
{
    const row shorter = {.key = 1, .value = 2};
    const nio_change change = {.size = 8, .kind = KIND, .type = PARAMETER};
    nio_queue *queue = full_queue();

    put(queue, ADD, 1, 1);
    CHECK(nio_queue_put(queue, &change, &shorter));
    put(queue, DELETE, 1, 3); /* it does not fit into the short one */
    put(queue, ADD, 1, 4);
    CHECK_EQUAL(statistics_of(queue).queued, 4);
    nio_queue_free(queue);
}

static void
snapshot_flag_of_a_merged_change_stays_while_the_row_does(void)
{
    nio_queue *queue = full_queue();

    CHECK(put_as(queue, KIND, ADD, 1, 1, NIO_FLAG_SNAPSHOT));
    put(queue, PARAMETER, 1, 2);
    CHECK(put_as(queue, KIND, ADD, 2, 3, NIO_FLAG_SNAPSHOT));
    put(queue, DELETE, 2, 4);
    CHECK(put_as(queue, KIND, ADD, 3, 5, NIO_FLAG_SNAPSHOT));
    put(queue, DELETE, 3, 6);
    put(queue, ADD, 3, 7);
    CHECK(mark(queue, NIO_FLAG_SYNCED));
    expect(queue, "A99=0 A1=2s A3=7 S"); /* 3 took the place of 2 */
    nio_queue_free(queue);
}

static void
initial_and_rowless_changes_past_the_bound_never_merge(void)
{
    const nio_change live = {.kind = KIND, .type = INITIAL, .time_ns = 1};
    nio_queue *queue = full_queue();

    CHECK(nio_queue_put(queue, &live, NULL));
    CHECK(nio_queue_put(queue, &live, NULL));
    CHECK(put_as(queue, KEYLESS, INITIAL, 1, 1, 0));
    CHECK(put_as(queue, KEYLESS, PARAMETER, 1, 2, 0));
    CHECK(put_as(queue, KEYLESS, PARAMETER, 1, 3, 0));
    CHECK(put_as(queue, KEYLESS, INITIAL, 1, 4, 0));
    expect(queue, "A99=0 I I I1=1 P1=3 I1=4");
    nio_queue_free(queue);
}

static void
take_one(nio_queue *queue)
{
    nio_taken taken;
    CHECK_EQUAL(nio_queue_take(queue, 1, &taken), 1);
    nio_taken_free(&taken);
}

static nio_wait
wait_now(nio_event *event)
{
    return nio_event_wait(event, 0);
}

static void
quiet_put_sets_the_event_at_the_next_signal(void)
{
    const row one = {.key = 1};
    const nio_change change = {.size = sizeof(one), .kind = KIND, .type = ADD};
    nio_event readable;
    CHECK(nio_event_init(&readable));
    nio_queue *queue = nio_queue_new(10, key_of, &readable);

    nio_queue_signal(queue);
    CHECK_EQUAL(wait_now(&readable), NIO_WAIT_TIMEOUT); /* nothing is queued */
    CHECK(nio_queue_put_quietly(queue, &change, &one));
    CHECK(nio_queue_put_quietly(queue, &change, &one));
    CHECK_EQUAL(wait_now(&readable), NIO_WAIT_TIMEOUT);
    nio_queue_signal(queue);
    CHECK_EQUAL(wait_now(&readable), NIO_WAIT_SET);
    take_one(queue);
    CHECK_EQUAL(wait_now(&readable), NIO_WAIT_SET); /* one is left */
    take_one(queue);
    CHECK_EQUAL(wait_now(&readable), NIO_WAIT_TIMEOUT);
    CHECK(nio_queue_put_quietly(queue, &change, &one));
    take_one(queue);
    nio_queue_signal(queue);
    CHECK_EQUAL(wait_now(&readable),
                NIO_WAIT_TIMEOUT); /* taken before the signal */
    CHECK(nio_queue_put_quietly(queue, &change, &one));
    nio_queue_signal(queue);
    CHECK_EQUAL(wait_now(&readable),
                NIO_WAIT_SET); /* the event is set again */
    take_one(queue);
    CHECK(nio_queue_put(queue, &change, &one));
    CHECK_EQUAL(wait_now(&readable), NIO_WAIT_SET);
    nio_queue_free(queue);
    nio_event_done(&readable);
}

int
main(int argc, char **argv)
{
    const unsigned long long seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;

    RUN(queue_below_its_bound_keeps_every_change_in_order());
    RUN(queue_with_any_row_size_and_portion_keeps_the_order(seed));
    RUN(largest_row_is_queued_and_outlives_the_queue());
    RUN(key_with_several_records_merges_into_the_last());
    RUN(taken_record_is_never_merged_into());
    RUN(kind_is_part_of_the_key_and_may_be_all_of_it());
    RUN(row_of_another_size_is_appended());
    RUN(snapshot_flag_of_a_merged_change_stays_while_the_row_does());
    RUN(initial_and_rowless_changes_past_the_bound_never_merge());
    RUN(quiet_put_sets_the_event_at_the_next_signal());
    puts("ok");
    return 0;
}

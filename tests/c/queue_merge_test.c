/* SPDX-License-Identifier: MIT */
/* How changes of one key become one, and what of it is delivered: the tables
 * of base/change.h and base/queue.h. */
#include "queue_support.h"

#include "base/siphash.h"

static void
types_past_the_bound_merge_as_the_header_says(void)
{
    static const struct {
        int queued, comes;
        const char *wanted;
    } pairs[] = {
        {ADD, ADD, "A99=0 A1=2"},
        {ADD, PARAMETER, "A99=0 A1=2"},
        {ADD, DELETE, "A99=0"},
        {PARAMETER, ADD, "A99=0 P1=2"},
        {PARAMETER, PARAMETER, "A99=0 P1=2"},
        {PARAMETER, DELETE, "A99=0 D1=2"},
        {DELETE, ADD, "A99=0 P1=2"},
        {DELETE, PARAMETER, "A99=0 P1=2"},
        {DELETE, DELETE, "A99=0 D1=2"},
    };

    for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
        nio_queue *queue = full_queue();
        put(queue, pairs[i].queued, 1, 1);
        put(queue, pairs[i].comes, 1, 2);
        /* A key that came and went: neither of its two changes is left. */
        CHECK_EQUAL(statistics_of(queue).coalesced,
                    strcmp(pairs[i].wanted, "A99=0") == 0 ? 2 : 1);
        CHECK_EQUAL(statistics_of(queue).high_water, 2);
        expect(queue, pairs[i].wanted);
        nio_queue_free(queue);
    }
}

static void
unseen_delete_of_a_key_added_again_becomes_an_add(void)
{
    nio_queue *queue = full_queue();

    put(queue, ADD, 1, 1);
    put(queue, DELETE, 1, 2);
    put(queue, ADD, 1, 3);
    put(queue, PARAMETER, 2, 4);
    put(queue, DELETE, 2, 5);
    put(queue, ADD, 2, 6);
    expect(queue, "A99=0 A1=3 P2=6");
    nio_queue_free(queue);
}

static void
take_one(nio_queue *queue)
{
    nio_taken taken;
    CHECK_EQUAL(nio_queue_take(queue, 1, &taken), 1);
    nio_taken_free(&taken);
}

static void
put_letter(nio_queue *queue, char letter, uint32_t value)
{
    put(queue,
        letter == 'A'   ? ADD
        : letter == 'D' ? DELETE
                        : PARAMETER,
        1, value);
}

/* The pairs of the header's table: what the taker has of the key before, and
 * whether the key is present in the end. */
static void
merged_changes_end_only_what_the_taker_may_have(void)
{
    static const struct {
        const char *before; /* what was taken already, one by one */
        const char *merged;
        const char *wanted;
    } rows[] = {
        /* The taker does not have the key. */
        {"", "AD", ""},
        {"", "APD", ""},
        {"", "ADAD", ""},
        {"", "ADA", "A"},
        {"", "ADAP", "A"},
        {"AD", "AD", ""},
        {"APD", "ADA", "A"},
        /* It has the key. */
        {"A", "D", "D"},
        {"A", "DA", "P"},
        {"A", "DAD", "D"},
        {"A", "DAPD", "D"},
        {"ADA", "PD", "D"},
        /* It may have met the key before the stream. */
        {"", "D", "D"},
        {"", "PD", "D"},
        {"", "DA", "P"},
        {"", "DAD", "D"},
        {"D", "AD", ""},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        nio_queue *queue = nio_queue_new(1, key_of, NULL);
        uint32_t value = 1;
        char wanted[16] = "A99=0";
        for (const char *at = rows[i].before; *at != '\0'; at++) {
            put_letter(queue, *at, value++);
            take_one(queue);
        }
        put(queue, ADD, 99, 0);
        for (const char *at = rows[i].merged; *at != '\0'; at++) {
            put_letter(queue, *at, value++);
        }
        if (*rows[i].wanted != '\0') {
            (void)snprintf(wanted, sizeof(wanted), "A99=0 %s1=%u",
                           rows[i].wanted, value - 1);
        }
        expect(queue, wanted);
        nio_queue_free(queue);
    }
}

/* The taker of a registration: it reads the table beside. */
static void
key_that_came_and_went_is_deleted_for_a_taker_of_tables(void)
{
    nio_queue *queue = nio_queue_new(1, key_of, NULL);

    nio_queue_deliver_unseen(queue);
    put(queue, ADD, 99, 0);
    put(queue, ADD, 1, 1);
    put(queue, DELETE, 1, 2);
    CHECK_EQUAL(statistics_of(queue).queued, 2);
    expect(queue, "A99=0 D1=2");
    put(queue, ADD, 99, 0);
    put(queue, ADD, 1, 1);
    put(queue, DELETE, 1, 2);
    put(queue, ADD, 2, 3); /* in the place of the DELETE */
    CHECK_EQUAL(statistics_of(queue).high_water, 2);
    expect(queue, "A99=0 A2=3");
    nio_queue_free(queue);
}

/* A SNAPSHOT row is in the stream that begins with it: until it is taken the
 * taker does not have it. */
static void
snapshot_row_deleted_before_it_is_taken_is_not_delivered(void)
{
    nio_queue *queue = full_queue();

    CHECK(put_as(queue, KIND, ADD, 1, 1, NIO_FLAG_SNAPSHOT));
    put(queue, DELETE, 1, 2);
    CHECK(mark(queue, NIO_FLAG_SYNCED));
    expect(queue, "A99=0 S");
    nio_queue_free(queue);
}

/* What overflowed is read again: the differences are changes like others. */
static void
synthesized_changes_merge_like_announced_ones(void)
{
    nio_queue *queue = full_queue();

    put(queue, PARAMETER, 1, 1);
    put(queue, ADD, 2, 2);
    CHECK(mark(queue, NIO_FLAG_OVERFLOW));
    CHECK(put_as(queue, KIND, DELETE, 1, 3, NIO_FLAG_SYNTHESIZED));
    CHECK(put_as(queue, KIND, DELETE, 2, 4, NIO_FLAG_SYNTHESIZED));
    CHECK(put_as(queue, KIND, ADD, 3, 5, NIO_FLAG_SYNTHESIZED));
    put(queue, DELETE, 3, 6);
    CHECK(mark(queue, NIO_FLAG_SYNCED));
    expect(queue, "A99=0 D1=3 O S");
    nio_queue_free(queue);
}

/* Portions that end before, in and behind records that are not delivered. */
static void
portions_count_what_is_delivered(void)
{
    for (uint32_t portion = 1; portion <= 5; portion++) {
        nio_queue *queue = nio_queue_new(1000, key_of, NULL);
        uint32_t next = 0;
        nio_taken taken;
        for (uint32_t key = 0; key < 1000; key++) {
            put(queue, ADD, key, key);
        }
        for (uint32_t key = 0; key < 1000; key++) {
            if (key < 3 || key > 990 || key % 7 < 3) {
                put(queue, DELETE, key, key);
            }
        }
        const size_t left = statistics_of(queue).queued;
        for (size_t count = 0; count < left; count += taken.count) {
            nio_cursor cursor = {0};
            const nio_change *change = NULL;
            CHECK_EQUAL(nio_queue_take(queue, portion, &taken),
                        portion < left - count ? portion : left - count);
            while ((change = nio_taken_next(&taken, &cursor)) != NULL) {
                CHECK_EQUAL(change->type, ADD);
                CHECK(change->time_ns >= next);
                next = (uint32_t)change->time_ns + 1;
            }
            size_t kept = taken.count;
            nio_taken_free(&taken);
            taken.count = kept;
        }
        CHECK_EQUAL(statistics_of(queue).queued, 0);
        CHECK_EQUAL(nio_queue_take(queue, portion, &taken), 0);
        nio_queue_free(queue);
    }
}

/* A producer of an unbounded number of keys does not grow the queue. A DELETE
 * of a key that the taker knows is never replaced. */
static void
new_key_past_the_bound_replaces_an_unseen_delete(void)
{
    nio_queue *queue = full_queue();

    for (uint32_t key = 100; key < 100000; key++) {
        put(queue, ADD, key, key);
        put(queue, DELETE, key, key);
        CHECK_EQUAL(statistics_of(queue).queued, 1);
        CHECK_EQUAL(statistics_of(queue).high_water, 2);
    }
    put(queue, PARAMETER, 7, 8); /* the taker knows this key */
    put(queue, DELETE, 7, 9);
    put(queue, ADD, 1, 10);
    expect(queue, "A99=0 D7=9 A1=10");
    nio_queue_free(queue);
}

/* Rows of another kind have another size: each replaces one of its own. */
static void
unseen_deletes_of_two_row_sizes_are_both_replaced(void)
{
    nio_queue *queue = full_queue();

    for (uint32_t key = 100; key < 10000; key++) {
        const row thing = {.key = key};
        nio_change change = {.size = 8, .kind = OTHER_KIND, .type = ADD};
        put(queue, ADD, key, key);
        put(queue, DELETE, key, key);
        CHECK(nio_queue_put(queue, &change, &thing));
        change.type = DELETE;
        CHECK(nio_queue_put(queue, &change, &thing));
        CHECK_EQUAL(statistics_of(queue).queued, 1);
        CHECK_EQUAL(statistics_of(queue).high_water, 2);
    }
    expect(queue, "A99=0");
    nio_queue_free(queue);
}

/* ---- the hash of the index */
/* The values of CPython with PYTHONHASHSEED=0, whose key is 0:
 * hash(bytes(range(n))). */
static void
hash_is_siphash_1_3(void)
{
    static const struct {
        size_t length;
        uint64_t hash;
    } known[] = {
        {1, 0x68a914128e01e473u},  {7, 0x2f098ab0c751325au},
        {8, 0xead411e67ebe2eeau},  {9, 0x75927f9d95124362u},
        {40, 0x95bc321ab41d8206u}, {100, 0x1c6a66e1506e7908u},
    };
    uint8_t bytes[100];

    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)i;
    }
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        CHECK_EQUAL(
            nio_siphash(&(nio_hash_key){{0, 0}}, bytes, known[i].length),
            known[i].hash);
    }
}

/* A hash that multiplies and folds has such pairs, whatever its seed is: the
 * difference in the first word becomes the one in the second. */
static void
hash_of_chosen_pairs_differs_under_each_key(unsigned long long seed)
{
    for (uint32_t i = 0; i < 1000; i++) {
        const nio_hash_key key = {{random_below(&seed, UINT32_MAX),
                                   random_below(&seed, UINT32_MAX)}};
        const uint64_t one[2] = {i, 7 * i};
        const uint64_t other[2] = {one[0] ^ UINT64_C(1) << 63,
                                   one[1] ^ UINT64_C(1) << 63 ^
                                       UINT64_C(1) << 31};
        CHECK(nio_siphash(&key, (const uint8_t *)one, sizeof(one)) !=
              nio_siphash(&key, (const uint8_t *)other, sizeof(other)));
    }
}

int
main(int argc, char **argv)
{
    const unsigned long long seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;

    RUN(types_past_the_bound_merge_as_the_header_says());
    RUN(unseen_delete_of_a_key_added_again_becomes_an_add());
    RUN(merged_changes_end_only_what_the_taker_may_have());
    RUN(key_that_came_and_went_is_deleted_for_a_taker_of_tables());
    RUN(snapshot_row_deleted_before_it_is_taken_is_not_delivered());
    RUN(synthesized_changes_merge_like_announced_ones());
    RUN(portions_count_what_is_delivered());
    RUN(new_key_past_the_bound_replaces_an_unseen_delete());
    RUN(unseen_deletes_of_two_row_sizes_are_both_replaced());
    RUN(hash_is_siphash_1_3());
    RUN(hash_of_chosen_pairs_differs_under_each_key(seed));
    puts("ok");
    return 0;
}

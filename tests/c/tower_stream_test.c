/* SPDX-License-Identifier: MIT */
/* The rtnetlink tower alone, without Python: a subscriber rebuilds the
 * system's state from its stream, with a long queue and with a short one. */
#include "tower_support.h"

#include "base/filter.h"
#include "base/queue.h"

enum { MAX_ROWS = 1000, LAST_ROUTE = 5000, ENDS = 2 };

typedef struct state {
    size_t count;
    uint8_t keys[MAX_ROWS][NIO_KEY_SIZE];
    bool synced; /* by the last mark */
} state;

static size_t
row_key(int kind, const void *row, uint8_t *key)
{
    return nio_row_key((nio_kind)kind, row, key);
}

static size_t
find_key(const state *kept, const uint8_t key[NIO_KEY_SIZE])
{
    size_t at = 0;

    while (at < kept->count && memcmp(kept->keys[at], key, NIO_KEY_SIZE)) {
        at++;
    }
    return at;
}

static void
keep_state(state *kept, const MIB_IPFORWARD_ROW2 *row, uint8_t type)
{
    uint8_t key[NIO_KEY_SIZE] = {0};
    size_t at = 0;

    (void)nio_row_key(NIO_ROUTE, row, key);
    at = find_key(kept, key);
    if (type == NIO_CHANGE_DELETE && at < kept->count) {
        memmove(kept->keys[at], kept->keys[--kept->count], NIO_KEY_SIZE);
    } else if (type != NIO_CHANGE_DELETE && at == kept->count) {
        CHECK(kept->count < MAX_ROWS);
        CHECK_EQUAL(type, NIO_CHANGE_ADD);
        memcpy(kept->keys[kept->count++], key, NIO_KEY_SIZE);
    }
}

/* Small portions, so that a short queue is full. False: it was empty. */
static bool
take_some(nio_queue *queue, state *kept)
{
    nio_taken taken;
    nio_cursor cursor = {0};
    nio_change *change = NULL;
    const bool some = nio_queue_take(queue, 7, &taken) > 0;

    while ((change = nio_taken_next(&taken, &cursor)) != NULL) {
        if (change->kind == NIO_CHANGE_MARK) {
            kept->synced = change->flags == NIO_FLAG_SYNCED;
        } else {
            keep_state(kept, nio_change_row(change), change->type);
        }
    }
    nio_taken_free(&taken);
    return some;
}

static bool
equals(const state *kept, const MIB_IPFORWARD_TABLE2 *table)
{
    for (ULONG i = 0; i < table->NumEntries; i++) {
        uint8_t key[NIO_KEY_SIZE] = {0};
        (void)nio_row_key(NIO_ROUTE, &table->Table[i], key);
        if (find_key(kept, key) == kept->count) {
            return false;
        }
    }
    return kept->count == table->NumEntries;
}

static void
read_until_equal(nio_queue *queue, nio_event *readable, state *kept,
                 const MIB_IPFORWARD_TABLE2 *table)
{
    while (!kept->synced || !equals(kept, table)) {
        CHECK_EQUAL(nio_event_wait(readable, NIO_FOREVER), NIO_WAIT_SET);
        (void)take_some(queue, kept);
    }
}

/* When the network is quiet, the state becomes the table's, with a SYNCED mark
 * after the snapshot, and stays so. A dump may show the end of a change before
 * its message arrives: so there are two ends, and after the second no such
 * message is left. */
static void
expect_table(int fd, HANDLE handle, nio_queue *queue, nio_event *readable)
{
    static state kept;
    PMIB_IPFORWARD_TABLE2 table = NULL;

    kept.count = 0;
    kept.synced = false;
    for (unsigned end = 0; end < ENDS; end++) {
        FreeMibTable(table);
        set_route(fd, true, LAST_ROUTE + end);
        CHECK_EQUAL(GetIpForwardTable2(AF_INET, &table), NO_ERROR);
        CHECK(table->NumEntries > end);
        read_until_equal(queue, readable, &kept, table);
    }
    CHECK_EQUAL(nio_unsubscribe(handle), NO_ERROR);
    while (take_some(queue, &kept)) {
    }
    CHECK(equals(&kept, table));
    FreeMibTable(table);
    for (unsigned end = 0; end < ENDS; end++) {
        set_route(fd, false, LAST_ROUTE + end);
    }
}

/* From its snapshot on, a subscriber rebuilds the system's state. */
static void
stream_rebuilds_the_table(size_t bound)
{
    const nio_filter four = {.family = AF_INET};
    const nio_request request = {
        .kinds = 1u << NIO_ROUTE, .filter = &four, .snapshot = true};
    nio_event readable;
    nio_queue *queue = NULL;
    HANDLE handle = NULL;
    flood flooding;
    int fd = kernel_open();

    CHECK(nio_event_init(&readable));
    queue = nio_queue_new(bound, row_key, &readable);
    flood_start(&flooding);
    CHECK_EQUAL(nio_subscribe(&request, queue, &handle), NO_ERROR);
    for (unsigned i = 0; i < 1000; i++) {
        set_route(fd, true, 2000 + i % 300);
        set_route(fd, false, 2000 + i % 300);
    }
    flood_stop(&flooding);
    expect_table(fd, handle, queue, &readable);
    (void)close(fd);
    nio_queue_free(queue);
    nio_event_done(&readable);
}

int
main(int argc, char **argv)
{
    /* after the seed, which is not used here */
    const unsigned rounds =
        argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 10;

    tower_tests_begin();
    RUN(stream_rebuilds_the_table(1000000));
    for (unsigned round = 0; round < rounds; round++) {
        RUN(stream_rebuilds_the_table(5));
    }
    puts("ok");
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* The rtnetlink tower alone, without Python: the socket filter follows the
 * tables that subscribers want, while these come and go. Counted are the
 * messages that reached the process. */
#include "tower_support.h"

#include "base/filter.h"
#include "base/queue.h"

/* In a message each table below 256 has a byte of its own; the others share
 * one with 252. */
static const ULONG tables[] = {7, 77, 252, 253, 254, 255, 256, 1000, 100000};
enum { TABLES = sizeof(tables) / sizeof(*tables), LOCAL = 5, MANY = 50 };
enum { OLD = 8000, MARKER = 9000, BOUND = 1000000 };

typedef struct subscriber {
    HANDLE handle;
    nio_queue *queue;
    nio_event readable;
    unsigned seen[TABLES]; /* rows of each table, added or deleted */
    unsigned markers;      /* rows of MARKER */
    unsigned came, went;   /* rows of OLD: added, deleted */
} subscriber;

static size_t
row_key(int kind, const void *row, uint8_t *key)
{
    return nio_row_key((nio_kind)kind, row, key);
}

static void
start_kinds(subscriber *self, unsigned kinds, const nio_filter *filter,
            size_t bound)
{
    const nio_request request = {.kinds = kinds, .filter = filter};

    memset(self, 0, sizeof(*self));
    CHECK(nio_event_init(&self->readable));
    self->queue = nio_queue_new(bound, row_key, &self->readable);
    CHECK_EQUAL(nio_subscribe(&request, self->queue, &self->handle), NO_ERROR);
}

static void
start(subscriber *self, const nio_filter *filter)
{
    start_kinds(self, 1u << NIO_ROUTE, filter, BOUND);
}

static void
start_of(subscriber *self, const ULONG *numbers, size_t count)
{
    const nio_filter filter = {
        .has_tables = true, .tables = numbers, .table_count = count};
    start(self, &filter);
}

static void
stop(subscriber *self)
{
    CHECK_EQUAL(nio_unsubscribe(self->handle), NO_ERROR);
    nio_queue_free(self->queue);
    nio_event_done(&self->readable);
}

static void
take(subscriber *self)
{
    nio_taken taken;
    nio_cursor cursor = {0};
    nio_change *change = NULL;

    (void)nio_queue_take(self->queue, SIZE_MAX, &taken);
    while ((change = nio_taken_next(&taken, &cursor)) != NULL) {
        const MIB_IPFORWARD_ROW2 *row = nio_change_row(change);
        const uint32_t host =
            change->kind == NIO_CHANGE_MARK
                ? 0
                : ntohl(row->DestinationPrefix.Prefix.Ipv4.sin_addr.s_addr);
        if (host == 0x0a000000u + (MARKER << 8)) {
            self->markers++;
        }
        if (host == 0x0a000000u + (OLD << 8)) {
            self->went += change->type == NIO_CHANGE_DELETE;
            self->came += change->type != NIO_CHANGE_DELETE;
        }
        for (size_t i = 0; host != 0 && i < TABLES; i++) {
            self->seen[i] += row->Table == tables[i];
        }
    }
    nio_taken_free(&taken);
}

static void
wait_for_markers(subscriber *self, unsigned count)
{
    while (self->markers < count) {
        CHECK_EQUAL(nio_event_wait(&self->readable, NIO_FOREVER),
                    NIO_WAIT_SET);
        take(self);
    }
}

/* A subscription returns after the reader has published its counts. */
static uint64_t
messages(const subscriber *self)
{
    nio_statistics statistics;
    subscriber other;

    start_kinds(&other, 1u << NIO_ADDRESS, NULL, BOUND);
    stop(&other);
    CHECK_EQUAL(nio_statistics_of(self->handle, &statistics), NO_ERROR);
    return statistics.messages;
}

/* Routes that come and go in one table; then a marker in a table of the
 * subscriber. Everything before the marker is counted with it. */
static uint64_t
count_messages(int fd, subscriber *self, uint32_t table, uint32_t own)
{
    const uint64_t before = messages(self);
    const unsigned markers = self->markers;

    for (unsigned i = 0; i < MANY; i++) {
        set_route_in(fd, true, i, table);
        set_route_in(fd, false, i, table);
    }
    set_route_in(fd, true, MARKER, own);
    set_route_in(fd, false, MARKER, own);
    wait_for_markers(self, markers + 2);
    return messages(self) - before - 2;
}

static bool
share_a_byte(uint32_t left, uint32_t right)
{
    return left == right || ((left > 255 || left == RT_TABLE_COMPAT) &&
                             (right > 255 || right == RT_TABLE_COMPAT));
}

static void
unwanted_tables_send_no_messages(void)
{
    int fd = kernel_open();

    for (size_t own = 0; own < TABLES; own++) {
        subscriber one;
        start_of(&one, &tables[own], 1);
        for (size_t i = 0; i < TABLES; i++) {
            const uint64_t came =
                count_messages(fd, &one, tables[i], tables[own]);
            CHECK_EQUAL(came,
                        share_a_byte(tables[i], tables[own]) ? 2 * MANY : 0);
            CHECK(tables[i] == tables[own] || one.seen[i] == 0);
        }
        CHECK_EQUAL(one.seen[own], 2 * MANY + 2 * TABLES);
        stop(&one);
    }
    (void)close(fd);
}

/* The default, and the only choice of callbacks. */
static void
local_table_is_left_out_by_default(void)
{
    int fd = kernel_open();
    subscriber one;

    start(&one, NULL);
    for (size_t i = 0; i < TABLES; i++) {
        const uint64_t came =
            count_messages(fd, &one, tables[i], RT_TABLE_MAIN);
        CHECK_EQUAL(came, tables[i] == RT_TABLE_LOCAL ? 0 : 2 * MANY);
    }
    stop(&one);
    (void)close(fd);
}

/* A new subscriber widens the filter, and one that leaves narrows it. */
static void
filter_follows_the_subscribers(void)
{
    const ULONG mine[] = {77}, theirs[] = {255, 1000};
    int fd = kernel_open();
    subscriber first, second, third;

    start_of(&first, mine, 1);
    for (int round = 0; round < 5; round++) {
        CHECK_EQUAL(count_messages(fd, &first, 255, 77), 0);
        CHECK_EQUAL(count_messages(fd, &first, 1000, 77), 0);
        start_of(&second, theirs, 2);
        CHECK_EQUAL(count_messages(fd, &first, 255, 77), 2 * MANY);
        CHECK_EQUAL(count_messages(fd, &first, 1000, 77), 2 * MANY);
        CHECK_EQUAL(count_messages(fd, &first, 254, 77), 0);
        start(&third, NULL);
        CHECK_EQUAL(count_messages(fd, &first, 254, 77), 2 * MANY);
        stop(&second);
        CHECK_EQUAL(count_messages(fd, &first, 255, 77), 0);
        CHECK_EQUAL(count_messages(fd, &first, 1000, 77), 2 * MANY);
        stop(&third);
    }
    take(&first);
    CHECK_EQUAL(first.seen[0] + first.seen[LOCAL] + first.seen[7], 0);
    stop(&first);
    (void)close(fd);
}

/* Live on return, and without older rows: also for a table without a
 * subscriber until now, under a flood, again and again. */
static void
new_subscriber_misses_nothing(unsigned rounds)
{
    int fd = kernel_open();
    subscriber always, one;
    flood flooding;

    start(&always, NULL);
    flood_start(&flooding);
    for (unsigned round = 0; round < rounds; round++) {
        set_route_in(fd, true, OLD, RT_TABLE_LOCAL);
        start_of(&one, &tables[LOCAL], 1);
        set_route_in(fd, false, OLD, RT_TABLE_LOCAL);
        set_route_in(fd, true, MARKER, RT_TABLE_LOCAL);
        wait_for_markers(&one, 1);
        set_route_in(fd, false, MARKER, RT_TABLE_LOCAL);
        CHECK_EQUAL(one.came, 0);
        CHECK_EQUAL(one.went, 1);
        stop(&one);
        take(&always);
        CHECK_EQUAL(always.seen[LOCAL], 0);
    }
    flood_stop(&flooding);
    stop(&always);
    (void)close(fd);
}

/* For a slow reader, unread messages are older than the moment when it left
 * a table. When it wants that table again, the messages in between are
 * missing. */
static void
older_messages_are_not_taken_for_new(unsigned rounds)
{
    enum { CROWD = 100 };
    static subscriber crowd[CROWD];
    int fd = kernel_open();
    subscriber one;

    for (size_t i = 0; i < CROWD; i++) {
        start_kinds(&crowd[i], 1u << NIO_ROUTE, NULL, 1);
    }
    start_of(&one, &tables[LOCAL], 1);
    for (unsigned round = 0; round < rounds; round++) {
        for (unsigned i = 0; i < 10 * MANY; i++) {
            set_route(fd, i % 2 == 0, 1000); /* work for the reader */
        }
        set_route_in(fd, true, OLD, RT_TABLE_LOCAL);
        stop(&one);
        set_route_in(fd, false, OLD, RT_TABLE_LOCAL);
        start_of(&one, &tables[LOCAL], 1);
        set_route_in(fd, true, MARKER, RT_TABLE_LOCAL);
        wait_for_markers(&one, 1);
        set_route_in(fd, false, MARKER, RT_TABLE_LOCAL);
        CHECK_EQUAL(one.came, 0);
        CHECK_EQUAL(one.went, 0);
        /* and nothing is left: the same again is new */
        set_route_in(fd, true, OLD, RT_TABLE_LOCAL);
        set_route_in(fd, false, OLD, RT_TABLE_LOCAL);
        wait_for_markers(&one, 2);
        set_route_in(fd, true, MARKER, RT_TABLE_LOCAL);
        wait_for_markers(&one, 3);
        CHECK_EQUAL(one.came, 1);
        CHECK_EQUAL(one.went, 1);
        set_route_in(fd, false, MARKER, RT_TABLE_LOCAL);
    }
    stop(&one);
    for (size_t i = 0; i < CROWD; i++) {
        stop(&crowd[i]);
    }
    (void)close(fd);
}

int
main(int argc, char **argv)
{
    /* after the seed, which is not used here */
    const unsigned rounds =
        argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 40;

    tower_tests_begin();
    RUN(unwanted_tables_send_no_messages());
    RUN(local_table_is_left_out_by_default());
    RUN(filter_follows_the_subscribers());
    RUN(new_subscriber_misses_nothing(rounds));
    RUN(older_messages_are_not_taken_for_new(rounds));
    puts("ok");
    return 0;
}

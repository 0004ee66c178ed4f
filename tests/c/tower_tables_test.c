/* SPDX-License-Identifier: MIT */
/* The rtnetlink tower alone, no Python: what the kernel tells of depends on
 * the tables that subscribers want, while these come and go. Counted are the
 * messages that reached the process. */
#include "tower_support.h"

#include "base/filter.h"
#include "base/queue.h"

/* Below 256 each has a byte of its own in a message; the others share one,
 * with 252. */
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

/* Who comes is answered after what the reader has counted is published. */
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

/* Routes that come and go in one table; then a marker in a table that the
 * subscriber has. All that came before it is counted with it. */
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
unwanted_tables_cost_nothing(void)
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

/* The default, and the low layer's only choice. */
static void
nobody_is_told_of_the_local_table_by_default(void)
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

/* Who comes widens what the kernel tells, who leaves narrows it again. */
static void
what_is_told_follows_who_is_there(void)
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

/* Live on return, and no row of before: also of a table that nobody wanted
 * until now, under a flood, and again and again. */
static void
a_newcomer_misses_nothing(unsigned rounds)
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

/* A slow reader: what it has not read yet is of before it let a table go.
 * When it asks for that table again the messages in between are missing. */
static void
what_waited_is_not_taken_for_new(unsigned rounds)
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
        /* and nothing of it is left: the same again is new */
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
    /* after the seed, which nothing here depends on */
    const unsigned rounds =
        argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 40;

    tower_tests_begin();
    RUN(unwanted_tables_cost_nothing());
    RUN(nobody_is_told_of_the_local_table_by_default());
    RUN(what_is_told_follows_who_is_there());
    RUN(a_newcomer_misses_nothing(rounds));
    RUN(what_waited_is_not_taken_for_new(rounds));
    puts("ok");
    return 0;
}

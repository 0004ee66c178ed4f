/* SPDX-License-Identifier: MIT */
/* Tests the BPF program of socket_filter.c in the kernel, on a Unix socket,
 * which delivers any bytes; and the sets of tables. The seed is the first
 * argument. */
#include "rtnetlink/mirror/subscriber.h"
#include "rtnetlink/socket/socket_filter.h"

#include "check.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int ends[2]; /* the first has the filter and receives from the second */
static nio_event_socket events;

typedef struct message {
    struct nlmsghdr header;
    struct rtmsg route;
    uint8_t attributes[16];
} message;

static message
route_message(uint16_t type, unsigned table)
{
    message made = {.header = {.nlmsg_len = sizeof(made), .nlmsg_type = type},
                    .route = {.rtm_family = AF_INET,
                              .rtm_protocol = RTPROT_KERNEL,
                              .rtm_table = (unsigned char)table}};
    return made;
}

static bool
passes(const void *bytes, size_t size)
{
    uint8_t received[1024];

    CHECK_EQUAL(send(ends[1], bytes, size, 0), size);
    ssize_t got = recv(ends[0], received, sizeof(received), MSG_DONTWAIT);
    if (got < 0) {
        CHECK_EQUAL(errno, EAGAIN);
        return false;
    }
    CHECK_EQUAL(got, size);
    CHECK(memcmp(received, bytes, size) == 0);
    return true;
}

static bool
table_passes(uint16_t type, unsigned table)
{
    message made = route_message(type, table);
    return passes(&made, sizeof(made));
}

static nio_table_set
tables_of(const nio_filter *filter, unsigned kinds)
{
    nio_table_set tables = {0};
    nio_subscriber subscriber = {.kinds = kinds,
                                 .filter = (nio_filter *)filter};
    nio_subscriber_add_tables(&subscriber, &tables);
    return tables;
}

static void
set_filter(nio_table_set tables)
{
    CHECK_EQUAL(nio_event_socket_filter(&events, &tables), 0);
    nio_table_set_done(&tables);
}

static void
set_numbers(const ULONG *numbers, size_t count)
{
    const nio_filter filter = {
        .has_tables = true, .tables = numbers, .table_count = count};
    set_filter(tables_of(&filter, 1u << NIO_ROUTE));
}

#define SET_NUMBERS(...)                                                      \
    do {                                                                      \
        const ULONG numbers_[] = {__VA_ARGS__};                               \
        set_numbers(numbers_, sizeof(numbers_) / sizeof(*numbers_));          \
    } while (0)

static const uint16_t types[] = {RTM_NEWROUTE, RTM_DELROUTE};

/* Exactly these values of the table's byte pass, in both messages. */
static void
check_passing_bytes(const bool wanted[256])
{
    for (size_t i = 0; i < 2; i++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            CHECK_EQUAL(table_passes(types[i], byte), wanted[byte]);
        }
    }
}

static void
default_set_passes_all_tables_but_the_local_one(void)
{
    static const nio_filter everything;
    bool wanted[256];

    memset(wanted, true, sizeof(wanted));
    wanted[RT_TABLE_LOCAL] = false;
    set_filter(tables_of(&everything, 1u << NIO_ROUTE));
    check_passing_bytes(wanted);
}

static void
set_of_all_tables_needs_no_filter(void)
{
    static const nio_filter everything;
    const ULONG local[] = {RT_TABLE_LOCAL};
    nio_filter filter = {
        .has_tables = true, .tables = local, .table_count = 1};
    nio_subscriber other = {.kinds = 1u << NIO_ROUTE, .filter = &filter};
    nio_table_set tables = tables_of(&everything, 1u << NIO_ROUTE);
    bool wanted[256];

    nio_subscriber_add_tables(&other, &tables);
    memset(wanted, true, sizeof(wanted));
    set_filter(tables);
    CHECK(!events.filtered);
    check_passing_bytes(wanted);
}

static void
set_of_a_hint_passes_the_tables_of_default_routes(void)
{
    static const nio_filter everything;
    bool wanted[256] = {false};

    wanted[0] = wanted[RT_TABLE_DEFAULT] = wanted[RT_TABLE_MAIN] = true;
    set_filter(tables_of(&everything, 1u << NIO_HINT));
    check_passing_bytes(wanted);
}

static void
random_set_passes_its_tables_only(unsigned long long seed)
{
    static const ULONG chosen[] = {0,   1,   7,   77,   252,    253,
                                   254, 255, 256, 1000, 100000, UINT32_MAX};
    for (int round = 0; round < 300; round++) {
        ULONG numbers[300];
        bool wanted[256] = {[0] = true};
        size_t count = 1 + random_below(&seed, round % 10 == 0 ? 300 : 6);
        for (size_t i = 0; i < count; i++) {
            numbers[i] = random_below(&seed, 2) == 0
                             ? random_below(&seed, 300)
                             : chosen[random_below(&seed, 12)];
            wanted[numbers[i] < 256 ? numbers[i] : RT_TABLE_COMPAT] = true;
        }
        set_numbers(numbers, count);
        check_passing_bytes(wanted);
    }
}

static void
set_of_2000_tables_fits_into_the_program(void)
{
    ULONG numbers[2000];
    bool wanted[256];

    for (ULONG i = 0; i < 2000; i++) {
        numbers[i] = i;
    }
    memset(wanted, true, sizeof(wanted));
    set_numbers(numbers, 2000);
    CHECK(events.filtered);
    check_passing_bytes(wanted);
}

static void
message_of_another_type_passes(void)
{
    SET_NUMBERS(7);
    for (unsigned type = 0; type < 200; type++) {
        const bool is_route = type == RTM_NEWROUTE || type == RTM_DELROUTE;
        CHECK_EQUAL(table_passes((uint16_t)type, 254), !is_route);
    }
    /* the same low byte; the same two bytes, swapped */
    CHECK(table_passes(RTM_NEWROUTE + 256, 254));
    CHECK(table_passes(RTM_NEWROUTE * 256, 254));
    CHECK(!table_passes(RTM_NEWROUTE, 254));
}

static void
incomplete_or_second_message_passes(void)
{
    message made = route_message(RTM_NEWROUTE, 254);
    struct {
        message first, second;
    } two = {route_message(RTM_NEWROUTE, 254), route_message(RTM_NEWROUTE, 7)};
    const uint32_t lengths[] = {0,
                                1,
                                16,
                                sizeof(made) - 1,
                                sizeof(made) + 1,
                                sizeof(made) + 256,
                                sizeof(made) + 65536,
                                sizeof(made) << 16,
                                UINT32_MAX};

    SET_NUMBERS(7);
    CHECK(!passes(&made, sizeof(made)));
    CHECK(passes(&two, sizeof(two)));
    for (size_t size = 1; size < sizeof(made); size++) {
        CHECK(passes(&made, size));
    }
    for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
        made.header.nlmsg_len = lengths[i];
        CHECK(passes(&made, sizeof(made)));
    }
    /* a message without attributes has a table, too */
    made.header.nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg));
    CHECK(!passes(&made, made.header.nlmsg_len));
    made.header.nlmsg_len--;
    CHECK(passes(&made, made.header.nlmsg_len));
}

static void
long_message_is_filtered_like_a_short_one(void)
{
    uint8_t bytes[800] = {0};
    message made = route_message(RTM_DELROUTE, 254);

    SET_NUMBERS(7);
    for (uint32_t size = sizeof(made); size <= sizeof(bytes); size += 4) {
        made.header.nlmsg_len = size;
        memcpy(bytes, &made, sizeof(made));
        CHECK(!passes(bytes, size));
    }
}

/* They announce an address that the kernel does not report yet. */
static void
ipv6_route_of_the_kernel_passes(void)
{
    message made = route_message(RTM_NEWROUTE, RT_TABLE_MAIN);

    SET_NUMBERS(7);
    made.route.rtm_family = AF_INET6;
    CHECK(passes(&made, sizeof(made)));
    made.route.rtm_protocol = RTPROT_RA;
    CHECK(!passes(&made, sizeof(made)));
    made.route.rtm_protocol = RTPROT_KERNEL;
    made.route.rtm_table = RT_TABLE_LOCAL;
    CHECK(!passes(&made, sizeof(made)));
}

static void
new_filter_replaces_the_old_one(void)
{
    SET_NUMBERS(7);
    CHECK(table_passes(RTM_NEWROUTE, 7) && !table_passes(RTM_NEWROUTE, 8));
    SET_NUMBERS(8);
    CHECK(!table_passes(RTM_NEWROUTE, 7) && table_passes(RTM_NEWROUTE, 8));
    set_of_all_tables_needs_no_filter();
    set_of_all_tables_needs_no_filter();
    SET_NUMBERS(7, 8);
    CHECK(table_passes(RTM_NEWROUTE, 7) && table_passes(RTM_NEWROUTE, 8));
    CHECK(!table_passes(RTM_NEWROUTE, 9));
}

/* A system without filters is no failure, since all messages pass; an old
 * filter that cannot be removed is one. */
static void
system_without_filters_passes_all_messages(void)
{
    static const nio_filter everything;
    nio_table_set tables = tables_of(&everything, 1u << NIO_ROUTE);
    nio_event_socket nothing = {.socket = -1};

    CHECK_EQUAL(nio_event_socket_filter(&nothing, &tables), 0);
    CHECK(!nothing.filtered);
    nothing.filtered = true;
    CHECK_EQUAL(nio_event_socket_filter(&nothing, &tables), -EBADF);
    nio_table_set_done(&tables);
}

static void
superset_contains_every_table_of_the_subset(void)
{
    static const nio_filter everything;
    const ULONG some[] = {1000, 7, 7, 255, 7}, one[] = {7};
    const nio_filter few = {
        .has_tables = true, .tables = some, .table_count = 5};
    const nio_filter seven = {
        .has_tables = true, .tables = one, .table_count = 1};
    nio_table_set none = {0}, all = tables_of(&everything, 1u << NIO_ROUTE);
    nio_table_set three = tables_of(&few, 1u << NIO_ROUTE);
    nio_table_set single = tables_of(&seven, 1u << NIO_ROUTE);
    nio_table_set no_routes = tables_of(&few, 1u << NIO_ADDRESS);

    CHECK_EQUAL(three.count, 2);
    CHECK(nio_table_set_contains(&three, 7) &&
          nio_table_set_contains(&three, 255));
    CHECK(!nio_table_set_contains(&three, 8) &&
          !nio_table_set_contains(&none, 7));
    CHECK(nio_table_set_contains(&all, 0) &&
          nio_table_set_contains(&all, UINT32_MAX));
    CHECK(!nio_table_set_contains(&all, 255));
    CHECK(nio_table_set_is_superset(&three, &single));
    CHECK(!nio_table_set_is_superset(&single, &three));
    CHECK(nio_table_set_is_superset(&all, &single) &&
          !nio_table_set_is_superset(&single, &all));
    CHECK(!nio_table_set_is_superset(&all,
                                     &three)); /* which has the local table */
    CHECK(nio_table_set_is_superset(&all, &none) &&
          nio_table_set_is_superset(&none, &no_routes));
    CHECK(!nio_table_set_is_superset(&none, &single));
    nio_table_set_done(&all);
    nio_table_set_done(&three);
    nio_table_set_done(&single);
}

int
main(int argc, char **argv)
{
    const unsigned long long seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;

    printf("seed %llu\n", seed);
    CHECK_EQUAL(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
    events.socket = ends[0];
    RUN(default_set_passes_all_tables_but_the_local_one());
    RUN(set_of_all_tables_needs_no_filter());
    RUN(set_of_a_hint_passes_the_tables_of_default_routes());
    RUN(random_set_passes_its_tables_only(seed));
    RUN(set_of_2000_tables_fits_into_the_program());
    RUN(message_of_another_type_passes());
    RUN(incomplete_or_second_message_passes());
    RUN(long_message_is_filtered_like_a_short_one());
    RUN(ipv6_route_of_the_kernel_passes());
    RUN(new_filter_replaces_the_old_one());
    RUN(system_without_filters_passes_all_messages());
    RUN(superset_contains_every_table_of_the_subset());
    CHECK_EQUAL(close(ends[0]) | close(ends[1]), 0);
    puts("ok");
    return 0;
}

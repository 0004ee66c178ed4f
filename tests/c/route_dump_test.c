/* SPDX-License-Identifier: MIT */
/* mirror/route_gaps.h and mirror/route_dump.h: the order of places, and which
 * gaps of a dump are open, for scripted dumps and messages. */
#include "check.h"

#include "rtnetlink/mirror/route_dump.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#define MAIN 254u

static nio_route
route(int family, const char *prefix, unsigned length)
{
    nio_route made = {.family = (uint8_t)family,
                      .prefix_length = (uint8_t)length,
                      .table = MAIN};
    CHECK_EQUAL(inet_pton(family, prefix, made.destination), 1);
    return made;
}

static nio_route
ipv6_route(unsigned number)
{
    char text[64];
    (void)snprintf(text, sizeof(text), "2001:db8:0:%x::", number);
    return route(AF_INET6, text, 64);
}

static nio_route
ipv4_route(unsigned number)
{
    char text[64];
    (void)snprintf(text, sizeof(text), "10.0.%u.0", number);
    return route(AF_INET, text, 24);
}

/* The rows of a part, from `first` to `last`, of 100 bytes each. */
static void
part_of(nio_route_dump *dump, unsigned first, unsigned last)
{
    for (unsigned number = first; number <= last; number++) {
        nio_route row =
            dump->family == AF_INET ? ipv4_route(number) : ipv6_route(number);
        nio_route_dump_bytes(dump, 2000);
        nio_route_dump_row(dump, &row);
    }
}

static void
message(nio_route_dump *dump, bool deletes, nio_route about)
{
    nio_route_dump_message(dump, deletes, &about);
}

static bool
lacks(const nio_gaps *gaps, nio_route which)
{
    return nio_gaps_contain(gaps, &which);
}

static void
places_are_in_the_order_of_the_tree(void)
{
    const nio_route ordered6[] = {
        route(AF_INET6, "2001:db8::1", 128), route(AF_INET6, "2001:db8::", 64),
        route(AF_INET6, "2001:db8:1::", 64), route(AF_INET6, "2001:db8::", 32),
        route(AF_INET6, "::", 0)};
    const nio_route ordered4[] = {
        route(AF_INET, "0.0.0.0", 0), route(AF_INET, "10.0.0.0", 24),
        route(AF_INET, "10.0.0.0", 8), route(AF_INET, "10.0.0.1", 32)};
    for (size_t i = 0; i + 1 < 5; i++) {
        nio_place a = nio_place_of(&ordered6[i]);
        nio_place b = nio_place_of(&ordered6[i + 1]);
        CHECK(nio_place_compare(&a, &b) < 0 && nio_place_compare(&b, &a) > 0);
    }
    for (size_t i = 0; i + 1 < 4; i++) {
        nio_place a = nio_place_of(&ordered4[i]);
        nio_place b = nio_place_of(&ordered4[i + 1]);
        CHECK(nio_place_compare(&a, &b) < 0 && nio_place_compare(&b, &a) > 0);
    }
    nio_route low = ipv4_route(1), high = ipv4_route(1);
    high.priority = 9;
    nio_place a = nio_place_of(&low), b = nio_place_of(&high);
    CHECK(nio_place_compare(&a, &b) < 0);
}

static void
dump_without_messages_has_no_gap(void)
{
    nio_route_dump dump;
    nio_route_dump_begin(&dump, AF_INET6);
    part_of(&dump, 10, 19);
    nio_route_dump_end_part(&dump);
    part_of(&dump, 30, 39);
    nio_route_dump_end_part(&dump);
    nio_gaps gaps = nio_route_dump_end(&dump);
    CHECK(!nio_gaps_any(&gaps) && !lacks(&gaps, ipv6_route(25)));
    nio_gaps_done(&gaps);
}

/* Four parts of ten rows, then a short one. The messages of `script` are
 * received after the first. */
static nio_gaps
raced(int family, void (*script)(nio_route_dump *dump))
{
    nio_route_dump dump;
    nio_route_dump_begin(&dump, (uint8_t)family);
    part_of(&dump, 10, 19);
    script(&dump);
    nio_route_dump_end_part(&dump);
    part_of(&dump, 30, 39);
    nio_route_dump_end_part(&dump);
    part_of(&dump, 50, 59);
    nio_route_dump_end_part(&dump);
    part_of(&dump, 70, 79);
    nio_route_dump_end_part(&dump);
    part_of(&dump, 90, 91);
    nio_route_dump_end_part(&dump);
    return nio_route_dump_end(&dump);
}

static void
ipv6_deletes_before_and_adds(nio_route_dump *dump)
{
    message(dump, true, ipv6_route(5));
    message(dump, false, ipv6_route(6));
}

static void
ipv6_skips_after_a_deletion_that_the_walk_has_passed(void)
{
    nio_gaps gaps = raced(AF_INET6, ipv6_deletes_before_and_adds);
    CHECK(lacks(&gaps, ipv6_route(25)));  /* between two parts */
    CHECK(lacks(&gaps, ipv6_route(19)));  /* the prefix before it */
    CHECK(!lacks(&gaps, ipv6_route(30))); /* the one behind is complete */
    CHECK(!lacks(&gaps, ipv6_route(15)) &&
          !lacks(&gaps, ipv6_route(35))); /* inside */
    CHECK(lacks(&gaps, ipv6_route(85)));  /* a later restart skips, too */
    CHECK(!lacks(&gaps, ipv6_route(5)));  /* before all rows of the table */
    CHECK(!lacks(&gaps, ipv6_route(99))); /* the last part was not full */
    nio_gaps_done(&gaps);
}

static void
ipv6_deletes_behind_and_adds(nio_route_dump *dump)
{
    message(dump, true, ipv6_route(95));
    message(dump, false, ipv6_route(6));
}

static void
ipv6_adds_only(nio_route_dump *dump)
{
    message(dump, false, ipv6_route(6));
}

static void
ipv6_skips_nothing_without_such_a_deletion(void)
{
    nio_gaps gaps = raced(AF_INET6, ipv6_deletes_behind_and_adds);
    CHECK(!nio_gaps_any(&gaps));
    gaps = raced(AF_INET6, ipv6_adds_only);
    CHECK(!nio_gaps_any(&gaps));
}

static void
ipv4_deletes_the_last_row(nio_route_dump *dump)
{
    message(dump, true, ipv4_route(19));
}

static void
ipv4_deletes_others(nio_route_dump *dump)
{
    message(dump, true, ipv4_route(5));
    message(dump, true, ipv4_route(25));
    message(dump, false, ipv4_route(6));
}

static void
ipv4_deletes_of_another_table(nio_route_dump *dump)
{
    nio_route other = ipv4_route(25);
    other.table = 255;
    message(dump, true, other);
}

static void
ipv4_skips_after_a_deletion_at_its_address(void)
{
    nio_gaps gaps = raced(AF_INET, ipv4_deletes_the_last_row);
    CHECK(lacks(&gaps, ipv4_route(25)) && !lacks(&gaps, ipv4_route(45)));
    nio_gaps_done(&gaps);
    gaps = raced(AF_INET, ipv4_deletes_others);
    CHECK(!nio_gaps_any(&gaps));
    gaps = raced(AF_INET, ipv4_deletes_of_another_table);
    CHECK(lacks(&gaps, ipv4_route(25)) && !lacks(&gaps, ipv4_route(45)));
    nio_gaps_done(&gaps);
}

static void
missing_messages_open_each_gap_and_nothing_inside_a_part(void)
{
    static const int families[] = {AF_INET, AF_INET6};
    for (size_t i = 0; i < 2; i++) {
        nio_route (*number)(unsigned) =
            families[i] == AF_INET ? ipv4_route : ipv6_route;
        nio_gaps gaps = raced(families[i], nio_route_dump_deafen);
        CHECK(gaps.raced && !gaps.everything);
        CHECK(lacks(&gaps, number(25)) && lacks(&gaps, number(85)));
        CHECK(!lacks(&gaps, number(15)) && !lacks(&gaps, number(35)));
        nio_gaps_done(&gaps);
    }
}

static void
disordered_dump_proves_nothing(void)
{
    nio_route_dump dump;
    nio_route row = ipv6_route(5);
    nio_route_dump_begin(&dump, AF_INET6);
    part_of(&dump, 10, 19);
    nio_route_dump_row(&dump, &row);
    nio_route_dump_end_part(&dump);
    nio_gaps gaps = nio_route_dump_end(&dump);
    CHECK(gaps.everything && lacks(&gaps, ipv6_route(15)));
}

static void
later_dump_closes_what_its_parts_cover(void)
{
    nio_gaps undecided = {.everything = true};
    nio_gaps gaps = raced(AF_INET6, ipv6_deletes_before_and_adds);
    nio_gaps_intersect(&undecided, &gaps);
    CHECK(!undecided.everything && lacks(&undecided, ipv6_route(25)));
    nio_gaps_intersect(&undecided, &gaps);
    CHECK(lacks(&undecided, ipv6_route(25))); /* the same gap again */
    nio_gaps_done(&gaps);

    nio_route_dump dump;
    nio_route_dump_begin(&dump, AF_INET6);
    part_of(&dump, 10, 26); /* its gaps lie elsewhere */
    ipv6_deletes_before_and_adds(&dump);
    nio_route_dump_end_part(&dump);
    part_of(&dump, 27, 60);
    nio_route_dump_end_part(&dump);
    part_of(&dump, 61, 62);
    nio_route_dump_end_part(&dump);
    gaps = nio_route_dump_end(&dump);
    nio_gaps_intersect(&undecided, &gaps);
    CHECK(!lacks(&undecided, ipv6_route(20)) &&
          !lacks(&undecided, ipv6_route(25)));
    CHECK(lacks(&undecided, ipv6_route(26)) &&
          !lacks(&undecided, ipv6_route(27))); /* open in both */
    nio_gaps_done(&gaps);
    gaps = (nio_gaps){0};
    nio_gaps_intersect(&undecided, &gaps);
    CHECK(!nio_gaps_any(&undecided));
    nio_gaps_done(&undecided);
}

static void
silent_deletion_proves_nothing(void)
{
    nio_gaps gaps = raced(AF_INET, nio_route_dump_silence);
    CHECK(gaps.everything);
}

int
main(void)
{
    RUN(places_are_in_the_order_of_the_tree());
    RUN(dump_without_messages_has_no_gap());
    RUN(ipv6_skips_after_a_deletion_that_the_walk_has_passed());
    RUN(ipv6_skips_nothing_without_such_a_deletion());
    RUN(ipv4_skips_after_a_deletion_at_its_address());
    RUN(missing_messages_open_each_gap_and_nothing_inside_a_part());
    RUN(disordered_dump_proves_nothing());
    RUN(silent_deletion_proves_nothing());
    RUN(later_dump_closes_what_its_parts_cover());
    puts("ok");
    return 0;
}

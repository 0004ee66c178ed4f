/* SPDX-License-Identifier: MIT */
/* Filters (base/filter.h): each member by itself, several together, and the
 * copy. */
#include "base/filter.h"

#include "check.h"

#include <arpa/inet.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static SOCKADDR_INET
address_of(const char *text)
{
    SOCKADDR_INET address = {.si_family = AF_INET};

    if (strchr(text, ':') != NULL) {
        address.si_family = AF_INET6;
        CHECK_EQUAL(inet_pton(AF_INET6, text, &address.Ipv6.sin6_addr), 1);
    } else {
        CHECK_EQUAL(inet_pton(AF_INET, text, &address.Ipv4.sin_addr), 1);
    }
    return address;
}

static MIB_IPFORWARD_ROW2
route(const char *destination, unsigned length)
{
    MIB_IPFORWARD_ROW2 row = {
        .InterfaceIndex = 7, .Protocol = RouteProtocolNetMgmt, .Table = 254};
    row.DestinationPrefix.Prefix = address_of(destination);
    row.DestinationPrefix.PrefixLength = (UINT8)length;
    return row;
}

static MIB_UNICASTIPADDRESS_ROW
address(const char *text)
{
    MIB_UNICASTIPADDRESS_ROW row = {.InterfaceIndex = 7,
                                    .OnLinkPrefixLength = 24};
    row.Address = address_of(text);
    return row;
}

static nio_prefix
prefix(const char *text, unsigned length)
{
    SOCKADDR_INET parsed = address_of(text);
    nio_prefix made = {.family = parsed.si_family, .length = (uint8_t)length};

    if (made.family == AF_INET) {
        memcpy(made.address, &parsed.Ipv4.sin_addr, 4);
    } else {
        memcpy(made.address, &parsed.Ipv6.sin6_addr, 16);
    }
    return made;
}

static bool
accepts_route(const nio_filter *filter, MIB_IPFORWARD_ROW2 row)
{
    return nio_filter_accepts(filter, NIO_ROUTE, &row);
}

static bool
accepts_address(const nio_filter *filter, MIB_UNICASTIPADDRESS_ROW row)
{
    return nio_filter_accepts(filter, NIO_ADDRESS, &row);
}

static bool
accepts_interface(const nio_filter *filter, ADDRESS_FAMILY family,
                  NET_IFINDEX index)
{
    MIB_IPINTERFACE_ROW row = {.Family = family, .InterfaceIndex = index};
    return nio_filter_accepts(filter, NIO_INTERFACE, &row);
}

static void
filter_without_conditions_accepts_all_but_the_local_table(
    const nio_filter *filter)
{
    MIB_IPFORWARD_ROW2 row = route("192.0.2.0", 24);

    CHECK(accepts_route(filter, row));
    CHECK(accepts_route(filter, route("::", 0)));
    row.Table = 77;
    CHECK(accepts_route(filter, row));
    row.Table = 0; /* a system without tables */
    CHECK(accepts_route(filter, row));
    row.Table = 255;
    CHECK(!accepts_route(filter, row));
    CHECK(accepts_address(filter, address("127.0.0.1")));
    CHECK(accepts_address(filter, address("fe80::1")));
    CHECK(accepts_interface(filter, AF_INET, 1));
    CHECK(accepts_interface(filter, AF_INET6, 99));
    CHECK(nio_filter_accepts(filter, NIO_KINDS, NULL));
}

static void
family_applies_to_all_kinds(void)
{
    const nio_filter four = {.family = AF_INET}, six = {.family = AF_INET6};

    CHECK(accepts_route(&four, route("0.0.0.0", 0)));
    CHECK(!accepts_route(&four, route("::", 0)));
    CHECK(accepts_route(&six, route("::", 0)));
    CHECK(!accepts_route(&six, route("0.0.0.0", 0)));
    CHECK(accepts_address(&four, address("192.0.2.1")));
    CHECK(!accepts_address(&four, address("2001:db8::1")));
    CHECK(!accepts_address(&six, address("192.0.2.1")));
    CHECK(accepts_interface(&six, AF_INET6, 1));
    CHECK(!accepts_interface(&six, AF_INET, 1));
}

static void
tables_apply_to_routes_only(void)
{
    const ULONG tables[] = {255, 70000};
    const nio_filter two = {
        .has_tables = true, .tables = tables, .table_count = COUNT(tables)};
    const nio_filter none = {.has_tables = true};
    MIB_IPFORWARD_ROW2 row = route("192.0.2.0", 24);

    CHECK(!accepts_route(&two, row));
    row.Table = 255;
    CHECK(accepts_route(&two, row));
    CHECK(!accepts_route(&none, row));
    row.Table = 70000;
    CHECK(accepts_route(&two, row));
    CHECK(accepts_address(&none, address("192.0.2.1")));
    CHECK(accepts_interface(&none, AF_INET, 1));
}

static void
interfaces_apply_to_all_kinds(void)
{
    const NET_IFINDEX indexes[] = {3, 7};
    const nio_filter two = {.interfaces = indexes, .interface_count = 2};
    const nio_filter one = {.interfaces = indexes, .interface_count = 1};
    const nio_filter none = {.interfaces = indexes, .interface_count = 0};

    CHECK(accepts_route(&two, route("192.0.2.0", 24)));
    CHECK(!accepts_route(&one, route("192.0.2.0", 24)));
    CHECK(!accepts_route(&none, route("192.0.2.0", 24)));
    CHECK(accepts_address(&two, address("192.0.2.1")));
    CHECK(!accepts_address(&one, address("192.0.2.1")));
    CHECK(accepts_interface(&one, AF_INET, 3));
    CHECK(!accepts_interface(&one, AF_INET, 7));
}

static void
protocols_apply_to_routes_only(void)
{
    const ULONG protocols[] = {RouteProtocolBgp};
    const nio_filter bgp = {.protocols = protocols, .protocol_count = 1};
    MIB_IPFORWARD_ROW2 row = route("192.0.2.0", 24);

    CHECK(!accepts_route(&bgp, row));
    row.Protocol = RouteProtocolBgp;
    CHECK(accepts_route(&bgp, row));
    CHECK(accepts_address(&bgp, address("192.0.2.1")));
    CHECK(accepts_interface(&bgp, AF_INET, 1));
}

static bool
is_covered(const char *text, unsigned length, nio_prefix wanted)
{
    const nio_filter filter = {.prefixes = &wanted, .prefix_count = 1};
    return accepts_route(&filter, route(text, length));
}

static void
covered_match_accepts_equal_and_more_specific_routes(void)
{
    CHECK(is_covered("10.0.0.0", 8, prefix("10.0.0.0", 8)));
    CHECK(is_covered("10.1.0.0", 16, prefix("10.0.0.0", 8)));
    CHECK(is_covered("10.1.2.3", 32, prefix("10.0.0.0", 8)));
    CHECK(!is_covered("10.0.0.0", 7, prefix("10.0.0.0", 8)));
    CHECK(!is_covered("11.0.0.0", 8, prefix("10.0.0.0", 8)));
    CHECK(!is_covered("10.0.0.0", 8, prefix("10.0.0.0", 9)));
    /* lengths that end within a byte */
    CHECK(is_covered("172.31.255.0", 24, prefix("172.16.0.0", 12)));
    CHECK(!is_covered("172.32.0.0", 24, prefix("172.16.0.0", 12)));
    CHECK(is_covered("192.0.2.1", 32, prefix("192.0.2.1", 32)));
    CHECK(!is_covered("192.0.2.0", 32, prefix("192.0.2.1", 32)));
    CHECK(!is_covered("192.0.2.0", 31, prefix("192.0.2.1", 32)));
    CHECK(is_covered("2001:db8:8000::", 33, prefix("2001:db8::", 32)));
    CHECK(is_covered("2001:db8:8000::", 33, prefix("2001:db8:8000::", 33)));
    CHECK(!is_covered("2001:db8::", 33, prefix("2001:db8:8000::", 33)));
    CHECK(is_covered("2001:db8::1", 128, prefix("2001:db8::1", 128)));
    CHECK(!is_covered("2001:db8::2", 128, prefix("2001:db8::1", 128)));
    /* /0 covers everything of its own family */
    CHECK(is_covered("0.0.0.0", 0, prefix("0.0.0.0", 0)));
    CHECK(is_covered("10.0.0.0", 8, prefix("0.0.0.0", 0)));
    CHECK(!is_covered("::", 0, prefix("0.0.0.0", 0)));
    CHECK(!is_covered("0.0.0.0", 0, prefix("::", 0)));
    /* only /0 covers a default route */
    CHECK(!is_covered("0.0.0.0", 0, prefix("0.0.0.0", 1)));
    CHECK(!is_covered("::", 0, prefix("::", 1)));
    /* lengths that no address has */
    CHECK(!is_covered("10.0.0.0", 33, prefix("10.0.0.0", 8)));
    CHECK(!is_covered("10.0.0.0", 8, prefix("10.0.0.0", 40)));
}

static bool
matches(nio_prefix_match match, const char *text, unsigned length,
        nio_prefix wanted)
{
    const nio_filter filter = {
        .prefixes = &wanted, .prefix_count = 1, .prefix_match = match};
    return accepts_route(&filter, route(text, length));
}

static void
exact_match_accepts_equal_routes_only(void)
{
    CHECK(matches(NIO_EXACT, "10.0.0.0", 8, prefix("10.0.0.0", 8)));
    CHECK(!matches(NIO_EXACT, "10.0.0.0", 9, prefix("10.0.0.0", 8)));
    CHECK(!matches(NIO_EXACT, "10.0.0.0", 7, prefix("10.0.0.0", 8)));
    CHECK(!matches(NIO_EXACT, "11.0.0.0", 8, prefix("10.0.0.0", 8)));
    CHECK(matches(NIO_EXACT, "0.0.0.0", 0, prefix("0.0.0.0", 0)));
    CHECK(!matches(NIO_EXACT, "::", 0, prefix("0.0.0.0", 0)));
    CHECK(matches(NIO_EXACT, "2001:db8:8000::", 33,
                  prefix("2001:db8:8000::", 33)));
    CHECK(
        !matches(NIO_EXACT, "2001:db8::", 33, prefix("2001:db8:8000::", 33)));
    CHECK(!matches(NIO_EXACT, "10.0.0.0", 40, prefix("10.0.0.0", 40)));
}

static void
covering_match_accepts_equal_and_less_specific_routes(void)
{
    CHECK(matches(NIO_COVERING, "10.0.0.0", 8, prefix("10.0.0.0", 8)));
    CHECK(matches(NIO_COVERING, "10.0.0.0", 8, prefix("10.1.2.3", 32)));
    CHECK(matches(NIO_COVERING, "10.0.0.0", 7, prefix("10.0.0.0", 8)));
    CHECK(!matches(NIO_COVERING, "10.0.0.0", 9, prefix("10.0.0.0", 8)));
    CHECK(!matches(NIO_COVERING, "11.0.0.0", 8, prefix("10.1.2.3", 32)));
    /* lengths that end within a byte */
    CHECK(matches(NIO_COVERING, "172.16.0.0", 12, prefix("172.31.255.0", 24)));
    CHECK(!matches(NIO_COVERING, "172.16.0.0", 12, prefix("172.32.0.0", 24)));
    CHECK(matches(NIO_COVERING, "2001:db8:8000::", 33,
                  prefix("2001:db8:8001::", 48)));
    CHECK(!matches(NIO_COVERING, "2001:db8:8000::", 33,
                   prefix("2001:db8::", 48)));
    /* a default route covers every prefix of its family */
    CHECK(matches(NIO_COVERING, "0.0.0.0", 0, prefix("10.0.0.0", 8)));
    CHECK(matches(NIO_COVERING, "::", 0, prefix("2001:db8::1", 128)));
    CHECK(matches(NIO_COVERING, "::", 0, prefix("::", 0)));
    CHECK(!matches(NIO_COVERING, "::", 0, prefix("10.0.0.0", 8)));
    CHECK(!matches(NIO_COVERING, "10.0.0.0", 8, prefix("0.0.0.0", 0)));
    /* lengths that no address has */
    CHECK(!matches(NIO_COVERING, "10.0.0.0", 33, prefix("10.0.0.0", 40)));
}

static void
address_matches_as_a_prefix_of_full_length(void)
{
    const nio_prefix wanted[] = {prefix("192.0.2.0", 24),
                                 prefix("192.0.2.7", 32),
                                 prefix("2001:db8::", 64)};
    nio_filter filter = {.prefixes = wanted, .prefix_count = 3};

    CHECK(accepts_address(&filter, address("192.0.2.8")));
    for (int match = NIO_EXACT; match <= NIO_COVERING; match++) {
        filter.prefix_match = (nio_prefix_match)match;
        CHECK(accepts_address(&filter, address("192.0.2.7")));
        CHECK(!accepts_address(&filter, address("192.0.2.8")));
        CHECK(!accepts_address(&filter, address("192.0.2.0")));
        CHECK(!accepts_address(&filter, address("2001:db8::")));
        CHECK(accepts_interface(&filter, AF_INET, 1));
    }
}

static void
address_is_covered_by_each_prefix_that_contains_it(void)
{
    const nio_prefix wanted[] = {prefix("192.0.2.128", 25),
                                 prefix("2001:db8::", 64)};
    const nio_filter filter = {.prefixes = wanted, .prefix_count = 2};
    const nio_filter none = {.prefixes = wanted, .prefix_count = 0};

    CHECK(accepts_address(&filter, address("192.0.2.129")));
    CHECK(!accepts_address(&filter, address("192.0.2.1")));
    CHECK(accepts_address(&filter, address("2001:db8::5")));
    CHECK(!accepts_address(&filter, address("2001:db8:0:1::5")));
    CHECK(!accepts_address(&none, address("192.0.2.129")));
    CHECK(accepts_interface(&filter, AF_INET, 1));
    CHECK(accepts_interface(&none, AF_INET, 1));
}

static void
row_without_a_family_matches_no_prefix(void)
{
    const nio_prefix all = prefix("0.0.0.0", 0);
    const nio_filter filter = {.prefixes = &all, .prefix_count = 1};
    MIB_UNICASTIPADDRESS_ROW row = {.InterfaceIndex = 7};

    CHECK(!accepts_address(&filter, row));
}

static void
filter_with_several_conditions_accepts_only_if_all_hold(void)
{
    const NET_IFINDEX indexes[] = {7};
    const nio_prefix all = prefix("0.0.0.0", 0);
    const nio_filter filter = {.family = AF_INET,
                               .interfaces = indexes,
                               .interface_count = 1,
                               .prefixes = &all,
                               .prefix_count = 1};
    MIB_IPFORWARD_ROW2 row = route("192.0.2.0", 24);

    CHECK(accepts_route(&filter, row));
    row.InterfaceIndex = 8;
    CHECK(!accepts_route(&filter, row));
}

static void
filter_copy_is_independent_of_the_original(void)
{
    ULONG tables[] = {254, 77}, protocols[] = {RouteProtocolNetMgmt};
    NET_IFINDEX indexes[] = {1, 2, 7};
    nio_prefix prefixes[] = {prefix("192.0.2.0", 24), prefix("::", 0)};
    nio_filter filter = {.has_tables = true,
                         .tables = tables,
                         .table_count = COUNT(tables),
                         .interfaces = indexes,
                         .interface_count = COUNT(indexes),
                         .protocols = protocols,
                         .protocol_count = COUNT(protocols),
                         .prefixes = prefixes,
                         .prefix_count = COUNT(prefixes)};
    nio_filter *copy = nio_filter_copy(&filter);

    CHECK(copy != NULL);
    memset(tables, 0, sizeof(tables));
    memset(protocols, 0, sizeof(protocols));
    memset(indexes, 0, sizeof(indexes));
    memset(prefixes, 0xff, sizeof(prefixes));
    memset(&filter, 0xff, sizeof(filter));
    CHECK(accepts_route(copy, route("192.0.2.0", 25)));
    CHECK(accepts_route(copy, route("2001:db8::", 32)));
    CHECK(!accepts_route(copy, route("192.0.3.0", 25)));
    free(copy);
}

static void
filter_copy_keeps_empty_and_absent_arrays(void)
{
    const NET_IFINDEX indexes[] = {7};
    const nio_filter none = {.interfaces = indexes, .interface_count = 0};
    nio_filter *copy = nio_filter_copy(&none);

    CHECK(copy != NULL);
    CHECK(copy->interfaces != NULL);
    CHECK(copy->prefixes == NULL && copy->protocols == NULL);
    CHECK(!accepts_route(copy, route("192.0.2.0", 24)));
    free(copy);

    copy = nio_filter_copy(NULL);
    CHECK(copy != NULL);
    filter_without_conditions_accepts_all_but_the_local_table(copy);
    free(copy);
}

int
main(void)
{
    const nio_filter all = {.family = AF_UNSPEC};

    RUN(filter_without_conditions_accepts_all_but_the_local_table(NULL));
    RUN(filter_without_conditions_accepts_all_but_the_local_table(&all));
    RUN(family_applies_to_all_kinds());
    RUN(tables_apply_to_routes_only());
    RUN(interfaces_apply_to_all_kinds());
    RUN(protocols_apply_to_routes_only());
    RUN(covered_match_accepts_equal_and_more_specific_routes());
    RUN(exact_match_accepts_equal_routes_only());
    RUN(covering_match_accepts_equal_and_less_specific_routes());
    RUN(address_is_covered_by_each_prefix_that_contains_it());
    RUN(address_matches_as_a_prefix_of_full_length());
    RUN(row_without_a_family_matches_no_prefix());
    RUN(filter_with_several_conditions_accepts_only_if_all_hold());
    RUN(filter_copy_is_independent_of_the_original());
    RUN(filter_copy_keeps_empty_and_absent_arrays());
    puts("ok");
    return 0;
}

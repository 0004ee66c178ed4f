/* SPDX-License-Identifier: MIT */
/* The mapping of the kernel's values to the contract's in rows of routes and
 * addresses, every value of each table. The expected numbers are Microsoft's,
 * written out, so that no name that the code uses decides what is right. */
#define _GNU_SOURCE

#include "rtnetlink/decode/rows.h"

#include "check.h"

#include <linux/if_addr.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#define TEMPORARY 0x01u
#define PERMANENT 0x80u
#define MANAGE 0x100u  /* IFA_F_MANAGETEMPADDR */
#define PRIVACY 0x800u /* IFA_F_STABLE_PRIVACY */
#define GLOBAL "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
#define GLOBAL_EUI "\x20\x01\x0d\xb8\0\0\0\0\2\0\0\xff\xfe\0\0\1"
#define HALF_EUI "\x20\x01\x0d\xb8\0\0\0\0\2\0\0\xff\xfd\0\0\1"
#define OTHER_HALF_EUI "\x20\x01\x0d\xb8\0\0\0\0\2\0\0\xfe\xfe\0\0\1"
#define LOCAL "\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\1"
#define LOCAL_EUI "\xfe\x80\0\0\0\0\0\0\2\0\0\xff\xfe\0\0\1"
#define LAST_LOCAL "\xfe\xbf\0\0\0\0\0\0\0\0\0\0\0\0\0\1"
#define NO_LOCAL "\xfe\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"
#define FOUR "\xc0\0\2\1\0\0\0\0\0\0\0\0\0\0\0\0"
#define FOUR_LOCAL "\xfe\x80\0\1\0\0\0\0\0\0\0\0\0\0\0\0"

enum { LINK = 7 };
static nio_store links; /* LINK, an Ethernet */
static const uint8_t families[] = {AF_INET, AF_INET6};

/* ---- routes */
static MIB_IPFORWARD_ROW2
route_row(uint8_t family, uint8_t protocol, uint8_t type, uint32_t oif,
          uint32_t expires)
{
    MIB_IPFORWARD_ROW2 row;
    nio_route route = {.family = family,
                       .protocol = protocol,
                       .type = type,
                       .oif = oif,
                       .expires_s = expires};
    nio_route_row(&route, &links, 0, &row);
    return row;
}

static void
every_protocol_has_its_number_and_origin(void)
{
    static const struct {
        int kernel, protocol, origin;
    } known[] = {
        {1, 4, 0},    /* redirect: icmp */
        {2, 2, 1},    /* kernel: local, well known */
        {3, 3, 0},    /* boot: network management */
        {4, 3, 0},    /* static: network management */
        {9, 3, 3},    /* ra: network management, router advertisement */
        {16, 3, 2},   /* dhcp: network management, dhcp */
        {186, 14, 0}, /* bgp */
        {187, 9, 0},  /* isis */
        {188, 13, 0}, /* ospf */
        {189, 8, 0},  /* rip */
        {192, 16, 0}, /* eigrp */
    };
    for (int kernel = 0; kernel < 256; kernel++) {
        int protocol = 1, origin = 0; /* other, manual */
        for (size_t i = 0; i < LENGTH(known); i++) {
            if (known[i].kernel == kernel) {
                protocol = known[i].protocol;
                origin = known[i].origin;
            }
        }
        for (size_t i = 0; i < LENGTH(families); i++) {
            MIB_IPFORWARD_ROW2 row = route_row(families[i], (uint8_t)kernel,
                                               RTN_UNICAST, 2, NIO_INFINITE);
            CHECK_EQUAL(row.KernelProtocol, kernel);
            CHECK_EQUAL(row.Protocol, protocol);
            CHECK_EQUAL(row.Origin, origin);
            CHECK_EQUAL(row.AutoconfigureAddress, 0);
            CHECK_EQUAL(row.Immortal, 1);
            CHECK_EQUAL(row.ValidLifetime, 0xffffffff);
        }
    }
}

/* The on-link prefix of a router advertisement is the kernel's, IPv6, and
 * expires. */
static void
expiring_route_is_of_an_advertisement_if_the_kernel_made_it(void)
{
    static const struct {
        uint8_t family, kernel;
        int origin, autoconfigured;
    } cases[] = {
        {AF_INET6, 2, 3, 1},  {AF_INET, 2, 1, 0},  {AF_INET6, 4, 0, 0},
        {AF_INET6, 16, 2, 0}, {AF_INET6, 9, 3, 0},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        MIB_IPFORWARD_ROW2 row =
            route_row(cases[i].family, cases[i].kernel, RTN_UNICAST, 2, 1800);
        CHECK_EQUAL(row.Origin, cases[i].origin);
        CHECK_EQUAL(row.AutoconfigureAddress, cases[i].autoconfigured);
        CHECK_EQUAL(row.Immortal, 0);
        CHECK_EQUAL(row.ValidLifetime, 1800);
        CHECK_EQUAL(row.PreferredLifetime, 1800);
    }
}

/* Type 2 is local; interface 1 is lo. */
static void
route_is_loopback_if_it_is_local_or_on_lo(void)
{
    for (int type = 0; type < 256; type++) {
        for (uint32_t oif = 0; oif < 4; oif++) {
            MIB_IPFORWARD_ROW2 row =
                route_row(AF_INET, 4, (uint8_t)type, oif, NIO_INFINITE);
            CHECK_EQUAL(row.Type, type);
            CHECK_EQUAL(row.Loopback, type == 2 || oif == 1);
            CHECK_EQUAL(row.InterfaceIndex, oif);
        }
    }
}

static void
numbers_of_a_route_are_those_of_the_kernel(void)
{
    MIB_IPFORWARD_ROW2 row;
    nio_route route = {.family = AF_INET,
                       .gateway_family = AF_INET6,
                       .prefix_length = 24,
                       .priority = 11,
                       .table = 12,
                       .nexthop_id = 13,
                       .weight = 14,
                       .tos = 16,
                       .flags = 4,
                       .oif = LINK};
    memcpy(route.destination, FOUR, 16);
    memcpy(route.gateway, LOCAL, 16);
    nio_route_row(&route, &links, 0, &row);
    CHECK_EQUAL(row.InterfaceIndex, LINK);
    CHECK_EQUAL(row.InterfaceLuid.Value, UINT64_C(0x0006000007000000));
    CHECK_EQUAL(row.DestinationPrefix.Prefix.si_family, AF_INET);
    CHECK_EQUAL(row.DestinationPrefix.PrefixLength, 24);
    CHECK_EQUAL(memcmp(&row.DestinationPrefix.Prefix.Ipv4.sin_addr, FOUR, 4),
                0);
    CHECK_EQUAL(row.NextHop.si_family, AF_INET6);
    CHECK_EQUAL(memcmp(&row.NextHop.Ipv6.sin6_addr, LOCAL, 16), 0);
    CHECK_EQUAL(row.NextHop.Ipv6.sin6_scope_id, LINK);
    CHECK_EQUAL(row.Metric, 11);
    CHECK_EQUAL(row.Table, 12);
    CHECK_EQUAL(row.NexthopId, 13);
    CHECK_EQUAL(row.Weight, 14);
    CHECK_EQUAL(row.Tos, 16);
    CHECK_EQUAL(row.Flags, 4);
    CHECK_EQUAL(row.SitePrefixLength, 0);
    CHECK_EQUAL(row.Publish, 0);
    CHECK_EQUAL(row.Age, 0);
    route.gateway_family = AF_UNSPEC;
    nio_route_row(&route, &links, 0, &row);
    CHECK_EQUAL(row.NextHop.si_family, AF_INET);
}

/* ---- addresses */
static MIB_UNICASTIPADDRESS_ROW
address_row(const nio_address *address)
{
    MIB_UNICASTIPADDRESS_ROW row;
    nio_address_row(address, &links, 0, &row);
    return row;
}

/* 1 tentative, 2 duplicate, 3 deprecated, 4 preferred. The flags: 0x08 DAD has
 * failed, 0x20 deprecated, 0x40 tentative, 0x04 optimistic. */
static void
state_of_an_address_follows_its_flags(void)
{
    static const struct {
        uint32_t flags;
        int four, six;
    } cases[] = {
        {0, 4, 4},
        {0x80, 4, 4},
        {0x20, 3, 3},
        {0x40, 4, 1},
        {0x08, 4, 2},
        {0x08 | 0x40, 4, 2},
        {0x20 | 0x40, 3, 1},
        {0x20 | 0x08, 3, 2},
        {0x04 | 0x40, 4, 4},
        {0x04, 4, 4},
        {0x04 | 0x40 | 0x08, 4, 2},
        {0x04 | 0x40 | 0x20, 3, 3},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        nio_address address = {.index = 2, .flags = cases[i].flags};
        address.family = AF_INET;
        CHECK_EQUAL(address_row(&address).DadState, cases[i].four);
        CHECK_EQUAL(address_row(&address).Flags, cases[i].flags);
        address.family = AF_INET6;
        CHECK_EQUAL(address_row(&address).DadState, cases[i].six);
    }
}

/* Prefix: 1 manual, 2 well known, 3 dhcp, 4 advertisement. Suffix: 1 manual,
 * 2 well known, 3 dhcp, 4 link-layer address, 5 random. */
static void
origins_of_an_address_follow_its_flags_and_bits(void)
{
    static const struct {
        const char *bytes;
        uint8_t family, index, protocol; /* 2: of an advertisement */
        uint32_t flags;
        int prefix, suffix;
    } cases[] = {
        {FOUR, AF_INET, 2, 0, PERMANENT, 1, 1},
        {FOUR, AF_INET, 2, 0, 0, 3, 3},
        {FOUR, AF_INET, 1, 0, PERMANENT, 2, 2},
        {FOUR, AF_INET, 2, 0, PERMANENT | TEMPORARY, 1, 1}, /* secondary */
        {FOUR_LOCAL, AF_INET, 2, 0, PERMANENT, 1, 1},
        {GLOBAL, AF_INET6, 2, 0, PERMANENT, 1, 1},
        {GLOBAL_EUI, AF_INET6, 2, 0, PERMANENT, 1, 1},
        {GLOBAL, AF_INET6, 2, 0, 0, 3, 3},
        {GLOBAL, AF_INET6, 1, 0, PERMANENT, 2, 2},
        {GLOBAL, AF_INET6, 2, 2, 0, 4, 1},
        {GLOBAL, AF_INET6, 2, 1, 0, 3, 3},
        {GLOBAL, AF_INET6, 2, 3, 0, 3, 3},
        {GLOBAL_EUI, AF_INET6, 2, 2, 0, 4, 4},
        {HALF_EUI, AF_INET6, 2, 2, 0, 4, 1},
        {OTHER_HALF_EUI, AF_INET6, 2, 2, 0, 4, 1},
        {GLOBAL_EUI, AF_INET6, 2, 0, MANAGE, 4, 4},
        {GLOBAL, AF_INET6, 2, 0, TEMPORARY, 4, 5},
        {GLOBAL, AF_INET6, 2, 2, PRIVACY, 4, 5},
        {GLOBAL, AF_INET6, 2, 0, PERMANENT | PRIVACY, 1, 5},
        {LOCAL, AF_INET6, 2, 0, PERMANENT, 2, 1},
        {LOCAL, AF_INET6, 2, 0, 0, 2, 1},
        {LOCAL_EUI, AF_INET6, 2, 0, PERMANENT, 2, 4},
        {LOCAL, AF_INET6, 2, 0, PERMANENT | PRIVACY, 2, 5},
        {LOCAL_EUI, AF_INET6, 1, 0, PERMANENT, 2, 2},
        {LAST_LOCAL, AF_INET6, 2, 0, PERMANENT, 2, 1},
        {NO_LOCAL, AF_INET6, 2, 0, PERMANENT, 1, 1},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        nio_address address = {.index = cases[i].index,
                               .flags = cases[i].flags,
                               .family = cases[i].family,
                               .protocol = cases[i].protocol};
        memcpy(address.local, cases[i].bytes, 16);
        MIB_UNICASTIPADDRESS_ROW row = address_row(&address);
        CHECK_EQUAL(row.PrefixOrigin, cases[i].prefix);
        CHECK_EQUAL(row.SuffixOrigin, cases[i].suffix);
        bool scoped = memcmp(address.local, LOCAL, 1) == 0 &&
                      cases[i].family == AF_INET6 &&
                      (address.local[1] & 0xc0) == 0x80;
        CHECK_EQUAL(row.ScopeId.Parts.Zone, scoped ? cases[i].index : 0);
        CHECK_EQUAL(
            cases[i].family == AF_INET6 ? row.Address.Ipv6.sin6_scope_id : 0,
            scoped ? cases[i].index : 0);
    }
}

static void
numbers_of_an_address_are_those_of_the_kernel(void)
{
    nio_address address = {.index = 3,
                           .family = AF_INET,
                           .prefix_length = 24,
                           .valid_s = 100,
                           .preferred_s = 50};
    MIB_UNICASTIPADDRESS_ROW row = address_row(&address);
    CHECK_EQUAL(row.InterfaceIndex, 3);
    CHECK_EQUAL(row.OnLinkPrefixLength, 24);
    CHECK_EQUAL(row.ValidLifetime, 100);
    CHECK_EQUAL(row.PreferredLifetime, 50);
    CHECK_EQUAL(row.SkipAsSource, 0);
    CHECK_EQUAL(row.InterfaceLuid.Value, 0); /* the link is unknown */
    CHECK(memcmp(row.Peer, address.peer, 16) == 0);
    /* One hundredth of a second is 100,000 units of 100 ns. */
    int64_t boot = row.CreationTimeStamp.QuadPart;
    address.created = 7;
    CHECK_EQUAL(address_row(&address).CreationTimeStamp.QuadPart - boot,
                700000);
    address.index = LINK;
    memcpy(address.peer, FOUR, 16);
    row = address_row(&address);
    CHECK_EQUAL(row.InterfaceLuid.Value, UINT64_C(0x0006000007000000));
    CHECK(memcmp(row.Peer, FOUR, 16) == 0);
}

static void
bytes_of_an_address_are_padded(void)
{
    SOCKADDR_INET address;
    uint8_t bytes[16];
    nio_sockaddr(AF_INET, (const uint8_t *)LOCAL, 3, &address);
    nio_sockaddr_bytes(&address, bytes);
    CHECK_EQUAL(memcmp(bytes, "\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16), 0);
    nio_sockaddr(AF_INET6, (const uint8_t *)GLOBAL, 3, &address);
    nio_sockaddr_bytes(&address, bytes);
    CHECK_EQUAL(memcmp(bytes, GLOBAL, 16), 0);
    CHECK_EQUAL(address.Ipv6.sin6_scope_id, 0);
}

static void
index_of_32_bits_survives_in_the_luid(void)
{
    static const uint32_t indices[] = {0,         1,          0xffffff,
                                       0x1000000, 0x7f000001, 0xffffffff};
    for (size_t i = 0; i < LENGTH(indices); i++) {
        CHECK_EQUAL(nio_index_of_luid(nio_luid(indices[i], 1)), indices[i]);
    }
}

static uint64_t
no_hash(const void *record, uint64_t seed)
{
    (void)record;
    return seed;
}

int
main(void)
{
    nio_link link = {.record = {.generation = 1}, .index = LINK, .type = 1};
    nio_store_init(&links, sizeof(nio_link), no_hash);
    CHECK(nio_store_add(&links, &link) != NULL);
    link.index = LINK + 1; /* in the same bucket */
    link.type = 772;
    CHECK(nio_store_add(&links, &link) != NULL);
    RUN(every_protocol_has_its_number_and_origin());
    RUN(expiring_route_is_of_an_advertisement_if_the_kernel_made_it());
    RUN(route_is_loopback_if_it_is_local_or_on_lo());
    RUN(numbers_of_a_route_are_those_of_the_kernel());
    RUN(state_of_an_address_follows_its_flags());
    RUN(origins_of_an_address_follow_its_flags_and_bits());
    RUN(numbers_of_an_address_are_those_of_the_kernel());
    RUN(bytes_of_an_address_are_padded());
    RUN(index_of_32_bits_survives_in_the_luid());
    nio_store_done(&links);
    puts("ok");
    return 0;
}

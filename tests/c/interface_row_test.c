/* SPDX-License-Identifier: MIT */
/* The mapping of the kernel's values to the contract's in rows of interfaces,
 * every value of each table. The expected numbers are Microsoft's, written
 * out, so that no name that the code uses decides what is right. */
#define _GNU_SOURCE

#include "rtnetlink/decode/rows.h"

#include "check.h"

#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static const uint8_t families[] = {AF_INET, AF_INET6};

static void
every_hardware_type_has_its_interface_type(void)
{
    static const struct {
        int hardware, type;
    } known[] = {
        {1, 6},     /* Ethernet */
        {6, 9},     /* token ring */
        {19, 37},   /* ATM */
        {24, 144},  /* IEEE 1394 */
        {512, 23},  /* PPP */
        {768, 131}, /* IPv4 in IPv4, and further tunnels */
        {769, 131}, /* in IPv6 */
        {772, 24},  /* loopback */
        {776, 131}, /* IPv6 in IPv4 */
        {778, 131}, /* GRE */
        {801, 71},  /* IEEE 802.11 */
        {802, 71},    {803, 71}, {823, 131}, /* GRE over IPv6 */
        {65534, 131},                        /* none: tun, WireGuard */
    };
    for (int hardware = 0; hardware < 65536; hardware++) {
        int type = 1; /* other */
        for (size_t i = 0; i < LENGTH(known); i++) {
            type = known[i].hardware == hardware ? known[i].type : type;
        }
        NET_LUID luid = nio_luid(7, (uint16_t)hardware);
        CHECK_EQUAL(luid.Info.IfType, type);
        CHECK_EQUAL(luid.Info.NetLuidIndex, 7);
    }
}

/* A link of which nothing is set but what a check sets. */
static nio_link
plain_link(void)
{
    return (nio_link){.index = 5,
                      .type = 1,
                      .mtu = 1500,
                      .mtu6 = 1280,
                      .inet = {.present = true,
                               .base_reachable = 30000,
                               .retransmit = 1000,
                               .reachable = 29000},
                      .inet6 = {.present = true,
                                .base_reachable = 31000,
                                .retransmit = 1001,
                                .reachable = 29001}};
}

static MIB_IPINTERFACE_ROW
interface_row(const nio_link *link, uint8_t family)
{
    MIB_IPINTERFACE_ROW row;
    CHECK(nio_interface_row(link, family, &row));
    CHECK_EQUAL(row.Family, family);
    return row;
}

static void
interface_row_has_the_values_of_its_family(void)
{
    nio_link link = plain_link();
    link.max_reassembly6 = 65535;
    link.dad_transmits = 3;
    link.master = 9;
    link.oper_state = 6;
    memcpy(link.name, "eth0", 5);
    for (size_t i = 0; i < LENGTH(families); i++) {
        bool six = families[i] == AF_INET6;
        MIB_IPINTERFACE_ROW row = interface_row(&link, families[i]);
        CHECK_EQUAL(row.InterfaceIndex, 5);
        CHECK_EQUAL(row.InterfaceLuid.Info.IfType, 6);
        CHECK_EQUAL(row.MaxReassemblySize, six ? 65535 : 0);
        CHECK_EQUAL(row.WeakHostSend, 1);
        CHECK_EQUAL(row.WeakHostReceive, 1);
        CHECK_EQUAL(row.DadTransmits, six ? 3 : 0);
        CHECK_EQUAL(row.BaseReachableTime, six ? 31000 : 30000);
        CHECK_EQUAL(row.RetransmitTime, six ? 1001 : 1000);
        CHECK_EQUAL(row.ReachableTime, six ? 29001 : 29000);
        CHECK_EQUAL(row.PathMtuDiscoveryTimeout, 600000);
        for (int zone = 0; zone < 16; zone++) {
            CHECK_EQUAL(row.ZoneIndices[zone], zone == 1 || zone == 2 ? 5 : 0);
        }
        CHECK_EQUAL(row.NlMtu, six ? 1280 : 1500);
        CHECK_EQUAL(row.Master, 9);
        CHECK_EQUAL(row.HardwareType, 1);
        CHECK_EQUAL(row.OperState, 6);
        CHECK_EQUAL(strcmp(row.Name, "eth0"), 0);
        /* Linux says nothing of these. */
        CHECK_EQUAL(row.AdvertisingEnabled, 0);
        CHECK_EQUAL(row.UseAutomaticMetric, 0);
        CHECK_EQUAL(row.Metric, 0);
        CHECK_EQUAL(row.SitePrefixLength, 0);
        CHECK_EQUAL(row.DisableDefaultRoutes, 0);
    }
}

static void
link_outside_a_family_has_no_row_there(void)
{
    MIB_IPINTERFACE_ROW row;
    for (int present = 0; present < 4; present++) {
        nio_link link = plain_link();
        link.inet.present = (present & 1) != 0;
        link.inet6.present = (present & 2) != 0;
        CHECK_EQUAL(nio_interface_row(&link, AF_INET, &row), present & 1);
        CHECK_EQUAL(nio_interface_row(&link, AF_INET6, &row), present >> 1);
    }
}

/* Bit by bit: IFF_RUNNING is bit 6, IFF_NOARP is bit 7. */
static void
each_flag_of_a_link_means_what_it_says(void)
{
    for (int bit = 0; bit < 32; bit++) {
        nio_link link = plain_link();
        link.flags = 1u << bit;
        for (size_t i = 0; i < LENGTH(families); i++) {
            MIB_IPINTERFACE_ROW row = interface_row(&link, families[i]);
            CHECK_EQUAL(row.Flags, 1u << bit);
            CHECK_EQUAL(row.Connected, bit == 6);
            CHECK_EQUAL(row.UseNeighborUnreachabilityDetection, bit != 7);
            CHECK_EQUAL(row.SupportsNeighborDiscovery, bit != 7);
            CHECK_EQUAL(row.SupportsRouterDiscovery, bit != 7);
        }
    }
}

/* Of the flags of IPv6, bit 6 is "managed" and bit 7 "other". */
static void
each_flag_of_an_advertisement_means_what_it_says(void)
{
    for (int bit = 0; bit < 32; bit++) {
        nio_link link = plain_link();
        link.inet6_flags = 1u << bit;
        MIB_IPINTERFACE_ROW six = interface_row(&link, AF_INET6);
        MIB_IPINTERFACE_ROW four = interface_row(&link, AF_INET);
        CHECK_EQUAL(six.ManagedAddressConfigurationSupported, bit == 6);
        CHECK_EQUAL(six.OtherStatefulConfigurationSupported, bit == 7);
        CHECK_EQUAL(four.ManagedAddressConfigurationSupported, 0);
        CHECK_EQUAL(four.OtherStatefulConfigurationSupported, 0);
    }
}

/* accept_ra: 0 never, 1 unless the interface forwards, 2 always. Discovery is
 * 0, disabled, or 1, enabled. */
static void
router_discovery_follows_accept_ra_and_forwarding(void)
{
    static const int expected[][2] = {{0, 0}, {1, 0}, {1, 1}, {0, 0}};
    for (uint32_t accept = 0; accept < LENGTH(expected); accept++) {
        for (int forwards = 0; forwards < 2; forwards++) {
            nio_link link = plain_link();
            link.accept_ra = accept;
            link.inet6.forwarding = forwards != 0;
            MIB_IPINTERFACE_ROW six = interface_row(&link, AF_INET6);
            MIB_IPINTERFACE_ROW four = interface_row(&link, AF_INET);
            CHECK_EQUAL(six.RouterDiscoveryBehavior,
                        expected[accept][forwards]);
            CHECK_EQUAL(six.ForwardingEnabled, forwards);
            CHECK_EQUAL(four.RouterDiscoveryBehavior, 0);
            CHECK_EQUAL(four.ForwardingEnabled, 0);
            link.inet.forwarding = true;
            CHECK_EQUAL(interface_row(&link, AF_INET).ForwardingEnabled, 1);
        }
    }
}

/* addr_gen_mode: 1 is none. The behaviour is 0, always off, or 2, always on.
 */
static void
link_local_addresses_are_on_unless_no_mode_makes_them(void)
{
    for (uint8_t mode = 0; mode < 8; mode++) {
        nio_link link = plain_link();
        link.address_generation = mode;
        CHECK_EQUAL(interface_row(&link, AF_INET6).LinkLocalAddressBehavior,
                    mode == 1 ? 0 : 2);
        CHECK_EQUAL(interface_row(&link, AF_INET).LinkLocalAddressBehavior, 0);
    }
}

int
main(void)
{
    RUN(every_hardware_type_has_its_interface_type());
    RUN(interface_row_has_the_values_of_its_family());
    RUN(link_outside_a_family_has_no_row_there());
    RUN(each_flag_of_a_link_means_what_it_says());
    RUN(each_flag_of_an_advertisement_means_what_it_says());
    RUN(router_discovery_follows_accept_ra_and_forwarding());
    RUN(link_local_addresses_are_on_unless_no_mode_makes_them());
    puts("ok");
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* Prints the decoded datagrams of a corpus, field by field. From datagrams in
 * its own byte order every machine prints the same text. */
#include "replay.h"

#include "contract/tower.h"
#include "rtnetlink/engine/derived.h"
#include "rtnetlink/engine/engine.h"
#include "rtnetlink/decode/rows.h"

#include <inttypes.h>

#define SHOW(from, member)                                                    \
    printf(" " #member "=%" PRIu64, (uint64_t)(from)->member)

static void
show_bytes(const char *name, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    printf(" %s=", name);
    for (size_t i = 0; i < size; i++) {
        printf("%02x", at[i]);
    }
}

static void
show_sockaddr(const char *name, const SOCKADDR_INET *address)
{
    uint8_t bytes[16];
    nio_sockaddr_bytes(address, bytes);
    printf(" %s=%d", name, address->si_family);
    show_bytes("", bytes, sizeof(bytes));
    if (address->si_family == AF_INET6) {
        printf("%%%u", address->Ipv6.sin6_scope_id);
    }
}

/* Whole, and by its bit fields. */
static void
show_luid(const NET_LUID *luid)
{
    SHOW(luid, Value);
    SHOW(luid, Info.NetLuidIndex);
    SHOW(luid, Info.IfType);
}

/* What is rare, item by item; the digest is of this machine's bytes. */
static void
show_items(const nio_extra *extra)
{
    for (unsigned tag = 0; tag <= NIO_EXTRA_ALTERNATIVES; tag++) {
        size_t size;
        const uint8_t *bytes = nio_extra_find(extra, tag, &size);
        if (tag == NIO_EXTRA_ENCAPSULATION && bytes != NULL) {
            printf(" encapsulation=%.*s", (int)size, (const char *)bytes);
        } else if (tag == NIO_EXTRA_ROUTE_MTU && bytes != NULL) {
            uint32_t mtu;
            memcpy(&mtu, bytes, sizeof(mtu));
            printf(" route_mtu=%u", mtu);
        } else if (tag == NIO_EXTRA_SOURCE_PREFIX && bytes != NULL) {
            show_bytes("source_prefix", bytes, size);
        }
    }
}

static void
show_route(const nio_route *leg, const nio_store *links)
{
    MIB_IPFORWARD_ROW2 row;
    printf(" route");
    show_bytes("destination", leg->destination, 16);
    show_bytes("gateway", leg->gateway, 16);
    SHOW(leg, table);
    SHOW(leg, priority);
    SHOW(leg, oif);
    SHOW(leg, nexthop_id);
    SHOW(leg, family);
    SHOW(leg, prefix_length);
    SHOW(leg, tos);
    SHOW(leg, type);
    SHOW(leg, protocol);
    SHOW(leg, flags);
    SHOW(leg, gateway_family);
    SHOW(leg, legs);
    SHOW(leg, weight);
    SHOW(leg, expires_s);
    SHOW(leg, scope);
    SHOW(leg, preference);
    nio_route_row(leg, links, 0, &row);
    show_items(leg->extra);
    printf("\n  row");
    show_bytes("source", row.PreferredSource, 16);
    show_luid(&row.InterfaceLuid);
    show_sockaddr("destination", &row.DestinationPrefix.Prefix);
    show_sockaddr("next", &row.NextHop);
    SHOW(&row, DestinationPrefix.PrefixLength);
    SHOW(&row, ValidLifetime);
    SHOW(&row, Metric);
    SHOW(&row, Protocol);
    SHOW(&row, Loopback);
    SHOW(&row, AutoconfigureAddress);
    SHOW(&row, Immortal);
    SHOW(&row, Origin);
    SHOW(&row, Table);
    SHOW(&row, Weight);
    SHOW(&row, KernelProtocol);
    printf("\n");
}

static void
show_address(const nio_address *address, const nio_store *links)
{
    MIB_UNICASTIPADDRESS_ROW row;
    printf(" address");
    show_bytes("local", address->local, 16);
    show_bytes("peer", address->peer, 16);
    SHOW(address, index);
    SHOW(address, flags);
    SHOW(address, family);
    SHOW(address, prefix_length);
    SHOW(address, protocol);
    SHOW(address, valid_s);
    SHOW(address, preferred_s);
    SHOW(address, created);
    nio_address_row(address, links, 0, &row);
    printf("\n  row");
    show_luid(&row.InterfaceLuid);
    show_sockaddr("address", &row.Address);
    SHOW(&row, PrefixOrigin);
    SHOW(&row, SuffixOrigin);
    SHOW(&row, OnLinkPrefixLength);
    SHOW(&row, DadState);
    SHOW(&row, ScopeId.Value);
    printf("\n");
}

static void
show_link(const nio_link *link)
{
    MIB_IPINTERFACE_ROW row;
    printf(" link %s", link->name);
    SHOW(link, index);
    SHOW(link, flags);
    SHOW(link, mtu);
    SHOW(link, master);
    SHOW(link, mtu6);
    SHOW(link, inet6_flags);
    SHOW(link, max_reassembly6);
    SHOW(link, dad_transmits);
    SHOW(link, accept_ra);
    SHOW(link, type);
    SHOW(link, oper_state);
    SHOW(link, address_generation);
    printf("\n");
    for (int i = 0; i < 2; i++) {
        if (nio_interface_row(link, i == 0 ? AF_INET : AF_INET6, &row)) {
            printf("  row %s", row.Name);
            show_luid(&row.InterfaceLuid);
            SHOW(&row, Family);
            SHOW(&row, ForwardingEnabled);
            SHOW(&row, RouterDiscoveryBehavior);
            SHOW(&row, BaseReachableTime);
            SHOW(&row, RetransmitTime);
            SHOW(&row, ReachableTime);
            SHOW(&row, LinkLocalAddressBehavior);
            SHOW(&row, NlMtu);
            SHOW(&row, Connected);
            printf("\n");
        }
    }
}

static void
show_nexthop(const nio_nexthop *nexthop)
{
    printf(" nexthop");
    SHOW(nexthop, id);
    SHOW(nexthop, oif);
    SHOW(nexthop, gateway_family);
    SHOW(nexthop, flags);
    SHOW(nexthop, blackhole);
    show_bytes("gateway", nexthop->gateway, 16);
    for (size_t i = 0; i < nexthop->member_count; i++) {
        SHOW(&nexthop->members[i], id);
        SHOW(&nexthop->members[i], weight);
    }
    printf("\n");
}

/* Each message by the decoder of its type. */
static void
show_message(nio_engine *engine, uint16_t type, nio_bytes body)
{
    const nio_mirror *mirror = &engine->mirror;
    nio_address address;
    nio_link link;
    nio_nexthop nexthop;
    nio_link_family times;
    uint32_t index;
    uint8_t family;
    if ((type == RTM_NEWROUTE || type == RTM_DELROUTE) &&
        nio_decode_route(body, &mirror->decode, &engine->legs) == 0) {
        for (size_t i = 0; i < engine->legs.count + engine->legs.dead; i++) {
            show_route(&engine->legs.legs[i], &mirror->links);
        }
    } else if ((type == RTM_NEWADDR || type == RTM_DELADDR) &&
               nio_decode_address(body, 0, &address) == 0) {
        show_address(&address, &mirror->links);
    } else if ((type == RTM_NEWLINK || type == RTM_DELLINK) &&
               nio_decode_link(body, mirror->decode.extras, &link, &family) ==
                   0) {
        show_link(&link);
        nio_link_done(&link, mirror->decode.extras);
    } else if ((type == RTM_NEWNEXTHOP || type == RTM_DELNEXTHOP) &&
               nio_decode_nexthop(body, &mirror->decode, &nexthop) == 0) {
        show_nexthop(&nexthop);
        nio_nexthop_done(&nexthop, mirror->decode.extras);
    } else if (type == RTM_NEWNEIGHTBL &&
               nio_decode_neighbour_table(body, &family, &index, &times) ==
                   0) {
        printf(" times family=%d index=%u", family, index);
        SHOW(&times, base_reachable);
        SHOW(&times, retransmit);
        SHOW(&times, reachable);
        printf("\n");
    }
}

/* What the mirror makes of all datagrams: for attributes that no decoder but
 * the engine reads. */
static void
show_mirror(const nio_engine *engine)
{
    const nio_mirror *mirror = &engine->mirror;
    printf("ignored=%" PRIu64 " routes=%u links=%u addresses=%u nexthops=%u",
           engine->counted.ignored, mirror->routes.count, mirror->links.count,
           mirror->addresses.count, mirror->nexthops.count);
    for (size_t i = 0; i < mirror->dirty.link_count; i++) {
        printf(" dirty=%u", mirror->dirty.links[i]);
    }
    printf(" teredo=%d\n", nio_teredo_port_of(mirror));
}

static nio_engine engine;

static int
show(const uint8_t *bytes, size_t size)
{
    nio_bytes messages = {bytes, size};
    struct nlmsghdr header;
    nio_bytes body;
    while (nio_message_next(&messages, &header, &body)) {
        printf("%u %x\n", header.nlmsg_type, header.nlmsg_flags);
        show_message(&engine, header.nlmsg_type, body);
    }
    nio_apply(&engine, (nio_bytes){bytes, size});
    show_mirror(&engine);
    memset(&engine.mirror.dirty, 0, sizeof(engine.mirror.dirty));
    return 0;
}

int
main(int argc, char **argv)
{
    CHECK_EQUAL(argc, 2);
    nio_mirror_init(&engine.mirror);
    engine.mirror.wants_routes = true;
    engine.tables.all_others = engine.tables.local = true;
    CHECK(replay(argv[1], show) > 0);
    nio_legs_done(&engine.legs);
    nio_mirror_done(&engine.mirror);
    puts("ok");
    return 0;
}

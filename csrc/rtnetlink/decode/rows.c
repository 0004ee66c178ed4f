/* SPDX-License-Identifier: MIT */
/* The rows of addresses and routes: see rows.h. Interfaces have a file of
 * their own, interface_row.c. */
#include "rtnetlink/decode/rows.h"

#include "base/lock.h"

#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <string.h>

#define ADDRESS_PROTOCOL_RA 2     /* IFAPROT_KERNEL_RA */
#define FILETIME_PER_TICK 100000u /* 1/100 s in units of 100 ns */
#define FILETIME_1970 116444736000000000u

/* ARPHRD_* to IF_TYPE_*. */
static uint16_t
if_type_of(uint16_t hardware_type)
{
    switch (hardware_type) {
    case ARPHRD_ETHER:
        return 6;
    case ARPHRD_IEEE802:
        return 9;
    case ARPHRD_PPP:
        return 23;
    case ARPHRD_LOOPBACK:
        return 24;
    case ARPHRD_ATM:
        return 37;
    case ARPHRD_IEEE80211:
    case ARPHRD_IEEE80211_PRISM:
    case ARPHRD_IEEE80211_RADIOTAP:
        return 71;
    case ARPHRD_TUNNEL:
    case ARPHRD_TUNNEL6:
    case ARPHRD_SIT:
    case ARPHRD_IPGRE:
    case 823: /* ARPHRD_IP6GRE */
    case ARPHRD_NONE:
        return 131;
    case ARPHRD_IEEE1394:
        return 144;
    default:
        return 1; /* IF_TYPE_OTHER */
    }
}

/* By RTPROT_*. Any other protocol is RouteProtocolOther and NlroManual. */
static const struct {
    uint8_t protocol; /* NL_ROUTE_PROTOCOL; 0, which is none: no entry */
    uint8_t origin;   /* NL_ROUTE_ORIGIN */
} protocols[256] = {
    [RTPROT_REDIRECT] = {RouteProtocolIcmp, NlroManual},
    [RTPROT_KERNEL] = {RouteProtocolLocal, NlroWellKnown},
    [RTPROT_BOOT] = {RouteProtocolNetMgmt, NlroManual},
    [RTPROT_STATIC] = {RouteProtocolNetMgmt, NlroManual},
    [RTPROT_RA] = {RouteProtocolNetMgmt, NlroRouterAdvertisement},
    [RTPROT_DHCP] = {RouteProtocolNetMgmt, NlroDHCP},
    [186 /* RTPROT_BGP */] = {RouteProtocolBgp, NlroManual},
    [187 /* RTPROT_ISIS */] = {RouteProtocolIsIs, NlroManual},
    [188 /* RTPROT_OSPF */] = {RouteProtocolOspf, NlroManual},
    [189 /* RTPROT_RIP */] = {RouteProtocolRip, NlroManual},
    [192 /* RTPROT_EIGRP */] = {RouteProtocolEigrp, NlroManual},
};

static const uint8_t zero[16];

static bool
is_link_local(uint8_t family, const uint8_t bytes[16])
{
    return family == AF_INET6 && bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
}

NET_LUID
nio_luid(uint32_t index, uint16_t hardware_type)
{
    NET_LUID luid = {.Value = ((uint64_t)if_type_of(hardware_type) << 48) |
                              ((uint64_t)(index & 0xffffffu) << 24) |
                              index >> 24};
    return luid;
}

uint32_t
nio_index_of_luid(NET_LUID luid)
{
    return luid.Info.Reserved > 0xffu ? 0
                                      : (uint32_t)luid.Info.NetLuidIndex |
                                            (uint32_t)luid.Info.Reserved << 24;
}

const nio_link *
nio_link_in(const nio_store *links, uint32_t index)
{
    nio_link key; /* only the index is read, for each row: no time for zeros */
    key.index = index;
    const nio_link *link = nio_store_first(links, &key);
    while (link != NULL && link->index != index) {
        link = nio_store_next(links, link);
    }
    return link;
}

/* Fill an address whose bytes are all 0. */
static inline void
fill_sockaddr(uint8_t family, const uint8_t bytes[16], uint32_t index,
              SOCKADDR_INET *ret_address)
{
    ret_address->si_family = family;
    if (family == AF_INET) {
        memcpy(&ret_address->Ipv4.sin_addr, bytes, 4);
    } else {
        memcpy(&ret_address->Ipv6.sin6_addr, bytes, 16);
        if (is_link_local(family, bytes)) {
            ret_address->Ipv6.sin6_scope_id = index;
        }
    }
}

void
nio_sockaddr(uint8_t family, const uint8_t bytes[16], uint32_t index,
             SOCKADDR_INET *ret_address)
{
    memset(ret_address, 0, sizeof(*ret_address));
    fill_sockaddr(family, bytes, index, ret_address);
}

void
nio_sockaddr_bytes(const SOCKADDR_INET *address, uint8_t ret[16])
{
    memset(ret, 0, 16);
    if (address->si_family == AF_INET6) {
        memcpy(ret, &address->Ipv6.sin6_addr, 16);
    } else {
        memcpy(ret, &address->Ipv4.sin_addr, 4);
    }
}

static void
fill_from_extra(const nio_extra *extra, MIB_IPFORWARD_ROW2 *row)
{
    size_t size;
    const uint8_t *source =
        nio_extra_find(extra, NIO_EXTRA_PREFERRED_SOURCE, &size);
    if (source != NULL) {
        memcpy(row->PreferredSource, source, sizeof(row->PreferredSource));
    }
    row->Extra = extra->is_for_rows ? extra : NULL;
}

void
nio_route_row(const nio_route *route, const nio_store *links, uint32_t now_s,
              MIB_IPFORWARD_ROW2 *ret_row)
{
    MIB_IPFORWARD_ROW2 *row = ret_row;
    memset(row, 0, sizeof(*row));
    row->InterfaceIndex = route->oif;
    const nio_link *link = nio_link_in(links, route->oif);
    if (link != NULL) {
        row->InterfaceLuid = nio_luid(route->oif, link->type);
        memcpy(row->Name, link->name, sizeof(row->Name));
    }
    fill_sockaddr(route->family, route->destination, route->oif,
                  &row->DestinationPrefix.Prefix);
    row->DestinationPrefix.PrefixLength = route->prefix_length;
    fill_sockaddr(route->gateway_family == AF_UNSPEC ? route->family
                                                     : route->gateway_family,
                  route->gateway, route->oif, &row->NextHop);
    row->ValidLifetime = nio_left_until(route->expires_s, now_s);
    row->PreferredLifetime = row->ValidLifetime;
    row->Metric = route->priority;
    row->Protocol = RouteProtocolOther;
    if (protocols[route->protocol].protocol != 0) {
        row->Protocol = protocols[route->protocol].protocol;
        row->Origin = protocols[route->protocol].origin;
    }
    bool expires = route->expires_s != NIO_INFINITE;
    if (route->family == AF_INET6 && route->protocol == RTPROT_KERNEL &&
        expires) {
        row->AutoconfigureAddress = TRUE; /* the on-link prefix of an RA */
        row->Origin = NlroRouterAdvertisement;
    }
    row->Loopback =
        route->type == RTN_LOCAL || route->oif == NIO_LOOPBACK_INDEX;
    row->Immortal = !expires;
    row->Table = route->table;
    row->NexthopId = route->nexthop_id;
    row->Instances = route->instances;
    row->Scope = route->scope;
    row->Preference = route->preference;
    row->Weight = route->weight;
    row->Type = route->type;
    row->Tos = route->tos;
    row->Flags = route->flags;
    row->KernelProtocol = route->protocol;
    if (route->extra != NULL) {
        fill_from_extra(route->extra, row);
    }
}

static NL_DAD_STATE
dad_state(const nio_address *address)
{
    uint32_t flags = address->flags;
    if (address->family == AF_INET6 && (flags & IFA_F_DADFAILED)) {
        return IpDadStateDuplicate;
    }
    if (address->family == AF_INET6 && (flags & IFA_F_TENTATIVE) &&
        !(flags & IFA_F_OPTIMISTIC)) {
        return IpDadStateTentative;
    }
    return flags & IFA_F_DEPRECATED ? IpDadStateDeprecated
                                    : IpDadStatePreferred;
}

bool
nio_is_usable_address(const nio_address *address)
{
    NL_DAD_STATE state = dad_state(address);
    return state == IpDadStatePreferred || state == IpDadStateDeprecated;
}

/* An interface identifier made of a hardware address (EUI-64) has ff:fe in its
 * middle. */
static bool
is_eui64(const nio_address *address)
{
    return address->local[11] == 0xff && address->local[12] == 0xfe;
}

static void
fill_origins(const nio_address *address, MIB_UNICASTIPADDRESS_ROW *row)
{
    bool six = address->family == AF_INET6;
    bool temporary = six && (address->flags & IFA_F_TEMPORARY);
    bool link_local = is_link_local(address->family, address->local);
    bool advertised = address->protocol == ADDRESS_PROTOCOL_RA || temporary ||
                      (address->flags & IFA_F_MANAGETEMPADDR);
    bool dhcp = !(address->flags & IFA_F_PERMANENT);
    if (address->index == NIO_LOOPBACK_INDEX || link_local) {
        row->PrefixOrigin = IpPrefixOriginWellKnown;
    } else if (advertised) {
        row->PrefixOrigin = IpPrefixOriginRouterAdvertisement;
    } else {
        row->PrefixOrigin = dhcp ? IpPrefixOriginDhcp : IpPrefixOriginManual;
    }
    if (address->index == NIO_LOOPBACK_INDEX) {
        row->SuffixOrigin = IpSuffixOriginWellKnown;
    } else if (temporary || (address->flags & IFA_F_STABLE_PRIVACY)) {
        row->SuffixOrigin = IpSuffixOriginRandom;
    } else if ((link_local || advertised) && is_eui64(address)) {
        row->SuffixOrigin = IpSuffixOriginLinkLayerAddress;
    } else if (dhcp && !advertised && !link_local) {
        row->SuffixOrigin = IpSuffixOriginDhcp;
    } else {
        row->SuffixOrigin = IpSuffixOriginManual;
    }
}

/* The time of boot, from which the kernel's time stamps count, in FILETIME
 * units. Read once: else a step of the system's clock would change all rows.
 */
static uint64_t
boot_filetime(void)
{
    static nio_atomic boot;
    uint64_t time = nio_atomic_load(&boot);
    if (time == 0) {
        time = FILETIME_1970 + (nio_realtime_ns() - nio_monotonic_ns()) / 100;
        nio_atomic_store(&boot, time);
    }
    return time;
}

void
nio_address_row(const nio_address *address, const nio_store *links,
                uint32_t now_s, MIB_UNICASTIPADDRESS_ROW *ret_row)
{
    MIB_UNICASTIPADDRESS_ROW *row = ret_row;
    memset(row, 0, sizeof(*row));
    nio_sockaddr(address->family, address->local, address->index,
                 &row->Address);
    row->InterfaceIndex = address->index;
    const nio_link *link = nio_link_in(links, address->index);
    if (link != NULL) {
        row->InterfaceLuid = nio_luid(address->index, link->type);
        memcpy(row->Name, link->name, sizeof(row->Name));
    }
    fill_origins(address, row);
    row->ValidLifetime = nio_left_until(address->valid_s, now_s);
    row->PreferredLifetime = nio_left_until(address->preferred_s, now_s);
    row->OnLinkPrefixLength = address->prefix_length;
    row->DadState = dad_state(address);
    if (is_link_local(address->family, address->local)) {
        row->ScopeId.Parts.Zone = address->index & 0xfffffffu;
    }
    row->CreationTimeStamp.QuadPart =
        (int64_t)(boot_filetime() +
                  address->created * (uint64_t)FILETIME_PER_TICK);
    row->Flags = address->flags;
    row->Scope = address->scope;
    memcpy(row->Broadcast, address->broadcast, sizeof(row->Broadcast));
    memcpy(row->Label, address->label, sizeof(row->Label));
    if (memcmp(address->peer, zero, sizeof(zero)) != 0) {
        memcpy(row->Peer, address->peer, sizeof(row->Peer));
    }
}

/* SPDX-License-Identifier: MIT */
/* Compile-time checks of the layout of Microsoft's structs: the sizes and
 * offsets of x64, which Windows' header and our own must both have. Included
 * once by each tower. */
#pragma once

#include "contract/netio.h"

#include <assert.h>
#include <stddef.h>

#define NIO_AT(type, member, offset)                                          \
    static_assert(offsetof(type, member) == (offset), #type "." #member)
#define NIO_SIZE(type, size) static_assert(sizeof(type) == (size), #type)
/* The distance between the rows of a table is a multiple of it. */
#define NIO_ALIGN(type, bytes) static_assert(_Alignof(type) == (bytes), #type)

NIO_SIZE(BOOLEAN, 1);
NIO_SIZE(ADDRESS_FAMILY, 2);
NIO_SIZE(NET_IFINDEX, 4);
NIO_SIZE(MIB_NOTIFICATION_TYPE, 4);
NIO_SIZE(NL_ROUTE_PROTOCOL, 4);
NIO_SIZE(NL_ROUTE_ORIGIN, 4);
NIO_SIZE(NL_PREFIX_ORIGIN, 4);
NIO_SIZE(NL_SUFFIX_ORIGIN, 4);
NIO_SIZE(NL_DAD_STATE, 4);
NIO_SIZE(NL_ROUTER_DISCOVERY_BEHAVIOR, 4);
NIO_SIZE(NL_LINK_LOCAL_ADDRESS_BEHAVIOR, 4);
NIO_SIZE(NL_INTERFACE_OFFLOAD_ROD, 1);

NIO_SIZE(NET_LUID, 8);
NIO_ALIGN(NET_LUID, 8);
NIO_ALIGN(MIB_IPFORWARD_ROW2, 8);
NIO_ALIGN(MIB_UNICASTIPADDRESS_ROW, 8);
NIO_ALIGN(MIB_IPINTERFACE_ROW, 8);

/* The formats of buffers have these as text (binding/rows/fields.c). */
NIO_SIZE(SOCKADDR_INET, 28);
NIO_ALIGN(SOCKADDR_INET, 4);
NIO_AT(SOCKADDR_INET, si_family, 0);
NIO_AT(SOCKADDR_INET, Ipv4.sin_family, 0);
NIO_AT(SOCKADDR_INET, Ipv4.sin_port, 2);
NIO_AT(SOCKADDR_INET, Ipv4.sin_addr, 4);
NIO_AT(SOCKADDR_INET, Ipv6.sin6_family, 0);
NIO_AT(SOCKADDR_INET, Ipv6.sin6_port, 2);
NIO_AT(SOCKADDR_INET, Ipv6.sin6_flowinfo, 4);
NIO_AT(SOCKADDR_INET, Ipv6.sin6_addr, 8);
NIO_AT(SOCKADDR_INET, Ipv6.sin6_scope_id, 24);
NIO_SIZE(IP_ADDRESS_PREFIX, 32);
NIO_AT(IP_ADDRESS_PREFIX, Prefix, 0);
NIO_AT(IP_ADDRESS_PREFIX, PrefixLength, 28);
NIO_SIZE(SCOPE_ID, 4);
NIO_SIZE(NL_NETWORK_CONNECTIVITY_HINT, 12);
NIO_AT(NL_NETWORK_CONNECTIVITY_HINT, ConnectivityCost, 4);
NIO_AT(NL_NETWORK_CONNECTIVITY_HINT, ApproachingDataLimit, 8);
NIO_AT(NL_NETWORK_CONNECTIVITY_HINT, OverDataLimit, 9);
NIO_AT(NL_NETWORK_CONNECTIVITY_HINT, Roaming, 10);

NIO_AT(MIB_IPFORWARD_TABLE2, Table, 8);
NIO_AT(MIB_UNICASTIPADDRESS_TABLE, Table, 8);
NIO_AT(MIB_IPINTERFACE_TABLE, Table, 8);

NIO_AT(MIB_IPFORWARD_ROW2, InterfaceLuid, 0);
NIO_AT(MIB_IPFORWARD_ROW2, InterfaceIndex, 8);
NIO_AT(MIB_IPFORWARD_ROW2, DestinationPrefix, 12);
NIO_AT(MIB_IPFORWARD_ROW2, DestinationPrefix.PrefixLength, 40);
NIO_AT(MIB_IPFORWARD_ROW2, NextHop, 44);
NIO_AT(MIB_IPFORWARD_ROW2, SitePrefixLength, 72);
NIO_AT(MIB_IPFORWARD_ROW2, ValidLifetime, 76);
NIO_AT(MIB_IPFORWARD_ROW2, PreferredLifetime, 80);
NIO_AT(MIB_IPFORWARD_ROW2, Metric, 84);
NIO_AT(MIB_IPFORWARD_ROW2, Protocol, 88);
NIO_AT(MIB_IPFORWARD_ROW2, Loopback, 92);
NIO_AT(MIB_IPFORWARD_ROW2, AutoconfigureAddress, 93);
NIO_AT(MIB_IPFORWARD_ROW2, Publish, 94);
NIO_AT(MIB_IPFORWARD_ROW2, Immortal, 95);
NIO_AT(MIB_IPFORWARD_ROW2, Age, 96);
NIO_AT(MIB_IPFORWARD_ROW2, Origin, 100);

NIO_AT(MIB_UNICASTIPADDRESS_ROW, Address, 0);
NIO_AT(MIB_UNICASTIPADDRESS_ROW, InterfaceLuid, 32);
NIO_AT(MIB_UNICASTIPADDRESS_ROW, InterfaceIndex, 40);
NIO_AT(MIB_UNICASTIPADDRESS_ROW, PrefixOrigin, 44);
NIO_AT(MIB_UNICASTIPADDRESS_ROW, SuffixOrigin, 48);
NIO_AT(MIB_UNICASTIPADDRESS_ROW, ValidLifetime, 52);
NIO_AT(MIB_UNICASTIPADDRESS_ROW, PreferredLifetime, 56);
NIO_AT(MIB_UNICASTIPADDRESS_ROW, OnLinkPrefixLength, 60);
NIO_AT(MIB_UNICASTIPADDRESS_ROW, SkipAsSource, 61);
NIO_AT(MIB_UNICASTIPADDRESS_ROW, DadState, 64);
NIO_AT(MIB_UNICASTIPADDRESS_ROW, ScopeId, 68);
NIO_AT(MIB_UNICASTIPADDRESS_ROW, CreationTimeStamp, 72);

NIO_AT(MIB_IPINTERFACE_ROW, Family, 0);
NIO_AT(MIB_IPINTERFACE_ROW, InterfaceLuid, 8);
NIO_AT(MIB_IPINTERFACE_ROW, InterfaceIndex, 16);
NIO_AT(MIB_IPINTERFACE_ROW, MaxReassemblySize, 20);
NIO_AT(MIB_IPINTERFACE_ROW, InterfaceIdentifier, 24);
NIO_AT(MIB_IPINTERFACE_ROW, MinRouterAdvertisementInterval, 32);
NIO_AT(MIB_IPINTERFACE_ROW, MaxRouterAdvertisementInterval, 36);
NIO_AT(MIB_IPINTERFACE_ROW, AdvertisingEnabled, 40);
NIO_AT(MIB_IPINTERFACE_ROW, ForwardingEnabled, 41);
NIO_AT(MIB_IPINTERFACE_ROW, WeakHostSend, 42);
NIO_AT(MIB_IPINTERFACE_ROW, WeakHostReceive, 43);
NIO_AT(MIB_IPINTERFACE_ROW, UseAutomaticMetric, 44);
NIO_AT(MIB_IPINTERFACE_ROW, UseNeighborUnreachabilityDetection, 45);
NIO_AT(MIB_IPINTERFACE_ROW, ManagedAddressConfigurationSupported, 46);
NIO_AT(MIB_IPINTERFACE_ROW, OtherStatefulConfigurationSupported, 47);
NIO_AT(MIB_IPINTERFACE_ROW, AdvertiseDefaultRoute, 48);
NIO_AT(MIB_IPINTERFACE_ROW, RouterDiscoveryBehavior, 52);
NIO_AT(MIB_IPINTERFACE_ROW, DadTransmits, 56);
NIO_AT(MIB_IPINTERFACE_ROW, BaseReachableTime, 60);
NIO_AT(MIB_IPINTERFACE_ROW, RetransmitTime, 64);
NIO_AT(MIB_IPINTERFACE_ROW, PathMtuDiscoveryTimeout, 68);
NIO_AT(MIB_IPINTERFACE_ROW, LinkLocalAddressBehavior, 72);
NIO_AT(MIB_IPINTERFACE_ROW, LinkLocalAddressTimeout, 76);
NIO_AT(MIB_IPINTERFACE_ROW, ZoneIndices, 80);
NIO_AT(MIB_IPINTERFACE_ROW, SitePrefixLength, 144);
NIO_AT(MIB_IPINTERFACE_ROW, Metric, 148);
NIO_AT(MIB_IPINTERFACE_ROW, NlMtu, 152);
NIO_AT(MIB_IPINTERFACE_ROW, Connected, 156);
NIO_AT(MIB_IPINTERFACE_ROW, SupportsWakeUpPatterns, 157);
NIO_AT(MIB_IPINTERFACE_ROW, SupportsNeighborDiscovery, 158);
NIO_AT(MIB_IPINTERFACE_ROW, SupportsRouterDiscovery, 159);
NIO_AT(MIB_IPINTERFACE_ROW, ReachableTime, 160);
NIO_AT(MIB_IPINTERFACE_ROW, TransmitOffload, 164);
NIO_AT(MIB_IPINTERFACE_ROW, ReceiveOffload, 165);
NIO_AT(MIB_IPINTERFACE_ROW, DisableDefaultRoutes, 166);

# SPDX-License-Identifier: MIT
"""Rows of the tables as Windows fills them in: an Ethernet adapter, an address with the routes that
come with it, a manually added route."""

from __future__ import annotations

import time
from ipaddress import IPv4Interface, IPv6Interface, ip_network

from tests.windows.commands import IPNetwork
from tests.windows.structures import (
    AF_INET,
    AF_INET6,
    FOR_EVER,
    Address,
    Interface,
    IPAddress,
    Prefix,
    Route,
    Sockaddr,
)

__all__ = ["FOR_EVER", "address", "interface", "link_local", "on_link", "route", "routes_of"]

LOCAL = 2  # NL_ROUTE_PROTOCOL
WELL_KNOWN = 1  # NL_ROUTE_ORIGIN
ON_LINK_METRIC = 256
ETHERNET_METRIC = 25
TENTATIVE, DEPRECATED, PREFERRED = 1, 3, 4  # NL_DAD_STATE
PREFIX_MANUAL, PREFIX_WELL_KNOWN = 1, 2  # NL_PREFIX_ORIGIN
SUFFIX_MANUAL, SUFFIX_LINK_LAYER = 1, 4  # NL_SUFFIX_ORIGIN
FILETIME_EPOCH = 116444736000000000  # 1970, in 100 ns since 1601


def family_of(address: IPAddress | IPNetwork) -> int:
    return AF_INET if address.version == 4 else AF_INET6


def interface(family: int, index: int, mtu: int, connected: bool) -> Interface:
    """An interface row; the stand-in makes its LUID."""
    v6 = family == AF_INET6
    row = Interface(
        Family=family,
        InterfaceIndex=index,
        UseAutomaticMetric=1,
        UseNeighborUnreachabilityDetection=1,
        RouterDiscoveryBehavior=1 if v6 else 2,
        DadTransmits=1 if v6 else 3,
        BaseReachableTime=30000,
        RetransmitTime=1000,
        PathMtuDiscoveryTimeout=600000,
        LinkLocalAddressBehavior=2 if v6 else 1,
        LinkLocalAddressTimeout=0 if v6 else 6500,
        Metric=ETHERNET_METRIC,
        NlMtu=mtu,
        Connected=connected,
        SupportsNeighborDiscovery=1,
        SupportsRouterDiscovery=1,
        ReachableTime=30000,
    )
    row.ZoneIndices[1] = row.ZoneIndices[2] = index
    return row


def route(
    index: int, prefix: IPNetwork, via: IPAddress | None, metric: int, protocol: int
) -> Route:
    family = family_of(prefix)
    return Route(
        InterfaceIndex=index,
        DestinationPrefix=Prefix(Sockaddr.of(prefix.network_address), prefix.prefixlen),
        NextHop=Sockaddr.unspecified(family) if via is None else Sockaddr.of(via),
        ValidLifetime=FOR_EVER,
        PreferredLifetime=FOR_EVER,
        Metric=metric,
        Protocol=protocol,
        Immortal=1,
    )


def on_link(index: int, prefix: IPNetwork, *, loopback: bool = False) -> Route:
    """An on-link route that Windows makes."""
    row = route(index, prefix, None, ON_LINK_METRIC, LOCAL)
    row.Loopback, row.Origin = loopback, WELL_KNOWN
    return row


def prefix_of(row: Route) -> IPNetwork:
    prefix = row.DestinationPrefix
    return ip_network((prefix.Prefix.address, prefix.PrefixLength))


def route_key(row: Route) -> object:
    return row.InterfaceIndex, bytes(row.DestinationPrefix), bytes(row.NextHop)


def address(index: int, of: IPv4Interface | IPv6Interface) -> Address:
    scope = index if of.ip.is_link_local and of.version == 6 else 0
    return Address(
        Address=Sockaddr.of(of.ip, scope),
        InterfaceIndex=index,
        PrefixOrigin=PREFIX_MANUAL,
        SuffixOrigin=SUFFIX_MANUAL,
        ValidLifetime=FOR_EVER,
        PreferredLifetime=FOR_EVER,
        OnLinkPrefixLength=of.network.prefixlen,
        DadState=PREFERRED,
        ScopeId=scope,
        CreationTimeStamp=time.time_ns() // 100 + FILETIME_EPOCH,
    )


def link_local(index: int, of: IPAddress) -> Address:
    row = address(index, IPv6Interface(f"{of}/64"))
    row.PrefixOrigin, row.SuffixOrigin = PREFIX_WELL_KNOWN, SUFFIX_LINK_LAYER
    return row


def routes_of(row: Address) -> list[Route]:
    """The routes that an address brings: its prefix, itself, and for IPv4 the broadcast address."""
    of, length, index = row.Address.address, row.OnLinkPrefixLength, row.InterfaceIndex
    prefix = ip_network((of, length), strict=False)
    routes = [on_link(index, ip_network(of), loopback=True)]
    if length < of.max_prefixlen:
        routes.insert(0, on_link(index, prefix))
    if of.version == 4 and length < of.max_prefixlen - 1:
        routes.append(on_link(index, ip_network(prefix.broadcast_address)))
    return routes

# SPDX-License-Identifier: MIT
"""Microsoft's structs of netioapi.h for ctypes, with the member names of the header."""

from __future__ import annotations

import ctypes
from ctypes import c_int, c_int64, c_uint8, c_uint16, c_uint32, c_uint64
from ipaddress import IPv4Address, IPv6Address, ip_address

AF_UNSPEC, AF_INET, AF_INET6 = 0, 2, 23
FOR_EVER = 0xFFFFFFFF
IPAddress = IPv4Address | IPv6Address
WORDS = c_uint32 * 6


class Sockaddr(ctypes.Structure):
    """SOCKADDR_INET."""

    _fields_ = (
        ("Family", c_uint16),
        ("Port", c_uint16),
        ("Words", WORDS),  # IPv4: the address; IPv6: flow, address, scope
    )
    Family: int
    Words: ctypes.Array[c_uint32]

    @classmethod
    def of(cls, address: IPAddress, scope: int = 0) -> Sockaddr:
        packed = address.packed
        if len(packed) == 16:
            packed = bytes(4) + packed + scope.to_bytes(4, "little")
        words = WORDS.from_buffer_copy(packed.ljust(24, b"\0"))
        return cls(AF_INET if address.version == 4 else AF_INET6, 0, words)

    @classmethod
    def unspecified(cls, family: int) -> Sockaddr:
        return cls(family)

    @property
    def address(self) -> IPAddress:
        packed = bytes(self.Words)
        return ip_address(packed[:4] if self.Family == AF_INET else packed[4:20])


class Prefix(ctypes.Structure):
    """IP_ADDRESS_PREFIX."""

    _fields_ = (("Prefix", Sockaddr), ("PrefixLength", c_uint8))
    Prefix: Sockaddr
    PrefixLength: int


class Route(ctypes.Structure):
    """MIB_IPFORWARD_ROW2."""

    _fields_ = (
        ("InterfaceLuid", c_uint64),
        ("InterfaceIndex", c_uint32),
        ("DestinationPrefix", Prefix),
        ("NextHop", Sockaddr),
        ("SitePrefixLength", c_uint8),
        ("ValidLifetime", c_uint32),
        ("PreferredLifetime", c_uint32),
        ("Metric", c_uint32),
        ("Protocol", c_int),
        ("Loopback", c_uint8),
        ("AutoconfigureAddress", c_uint8),
        ("Publish", c_uint8),
        ("Immortal", c_uint8),
        ("Age", c_uint32),
        ("Origin", c_int),
    )
    InterfaceLuid: int
    InterfaceIndex: int
    DestinationPrefix: Prefix
    NextHop: Sockaddr
    Metric: int
    Protocol: int
    Loopback: int


class Address(ctypes.Structure):
    """MIB_UNICASTIPADDRESS_ROW."""

    _fields_ = (
        ("Address", Sockaddr),
        ("InterfaceLuid", c_uint64),
        ("InterfaceIndex", c_uint32),
        ("PrefixOrigin", c_int),
        ("SuffixOrigin", c_int),
        ("ValidLifetime", c_uint32),
        ("PreferredLifetime", c_uint32),
        ("OnLinkPrefixLength", c_uint8),
        ("SkipAsSource", c_uint8),
        ("DadState", c_int),
        ("ScopeId", c_uint32),
        ("CreationTimeStamp", c_int64),
    )
    Address: Sockaddr
    InterfaceLuid: int
    InterfaceIndex: int
    OnLinkPrefixLength: int
    DadState: int


class Interface(ctypes.Structure):
    """MIB_IPINTERFACE_ROW."""

    _fields_ = (
        ("Family", c_uint16),
        ("InterfaceLuid", c_uint64),
        ("InterfaceIndex", c_uint32),
        ("MaxReassemblySize", c_uint32),
        ("InterfaceIdentifier", c_uint64),
        ("MinRouterAdvertisementInterval", c_uint32),
        ("MaxRouterAdvertisementInterval", c_uint32),
        ("AdvertisingEnabled", c_uint8),
        ("ForwardingEnabled", c_uint8),
        ("WeakHostSend", c_uint8),
        ("WeakHostReceive", c_uint8),
        ("UseAutomaticMetric", c_uint8),
        ("UseNeighborUnreachabilityDetection", c_uint8),
        ("ManagedAddressConfigurationSupported", c_uint8),
        ("OtherStatefulConfigurationSupported", c_uint8),
        ("AdvertiseDefaultRoute", c_uint8),
        ("RouterDiscoveryBehavior", c_int),
        ("DadTransmits", c_uint32),
        ("BaseReachableTime", c_uint32),
        ("RetransmitTime", c_uint32),
        ("PathMtuDiscoveryTimeout", c_uint32),
        ("LinkLocalAddressBehavior", c_int),
        ("LinkLocalAddressTimeout", c_uint32),
        ("ZoneIndices", c_uint32 * 16),
        ("SitePrefixLength", c_uint32),
        ("Metric", c_uint32),
        ("NlMtu", c_uint32),
        ("Connected", c_uint8),
        ("SupportsWakeUpPatterns", c_uint8),
        ("SupportsNeighborDiscovery", c_uint8),
        ("SupportsRouterDiscovery", c_uint8),
        ("ReachableTime", c_uint32),
        ("TransmitOffload", c_uint8),
        ("ReceiveOffload", c_uint8),
        ("DisableDefaultRoutes", c_uint8),
    )
    Family: int
    InterfaceLuid: int
    InterfaceIndex: int
    ForwardingEnabled: int
    NlMtu: int
    Connected: int


class Hint(ctypes.Structure):
    """NL_NETWORK_CONNECTIVITY_HINT."""

    _fields_ = (
        ("ConnectivityLevel", c_int),
        ("ConnectivityCost", c_int),
        ("ApproachingDataLimit", c_uint8),
        ("OverDataLimit", c_uint8),
        ("Roaming", c_uint8),
    )


SIZES = {Sockaddr: 28, Prefix: 32, Route: 104, Address: 80, Interface: 168, Hint: 12}
assert {struct: ctypes.sizeof(struct) for struct in SIZES} == SIZES

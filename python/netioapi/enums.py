# SPDX-License-Identifier: MIT
"""The enums of Microsoft's header. A number that no member has stays a plain int.

The docstring of each class gives the header's own name of every member. The members are the same on
every system.
"""

from enum import IntEnum

TYPE_CHECKING = False  # the name that type checkers know; typing costs time at import
if TYPE_CHECKING:
    from typing import NoReturn, Self

__all__ = [
    "ConnectivityCost",
    "ConnectivityLevel",
    "DadState",
    "LinkLocalAddressBehavior",
    "NetworkConnectivityHint",
    "NotificationType",
    "PrefixOrigin",
    "RouteOrigin",
    "RouteProtocol",
    "RouteScope",
    "RouteType",
    "RouterDiscoveryBehavior",
    "RouterPreference",
    "SuffixOrigin",
]


class NotificationType(IntEnum):
    """What happened to a row: MIB_NOTIFICATION_TYPE.

    PARAMETER: MibParameterNotification, a field changed.
    ADD: MibAddInstance, the row is new.
    DELETE: MibDeleteInstance, the row was removed; a change holds its last state.
    INITIAL: MibInitialNotification, the registration has begun; there is no row.
    """

    PARAMETER = 0
    ADD = 1
    DELETE = 2
    INITIAL = 3


class RouteProtocol(IntEnum):
    """What added a route: NL_ROUTE_PROTOCOL. On Linux rtm_protocol, translated.

    OTHER: RouteProtocolOther. LOCAL: RouteProtocolLocal, the system itself.
    NET_MGMT: RouteProtocolNetMgmt, an administrator, a program or DHCP.
    ICMP: RouteProtocolIcmp, a redirect. EGP: RouteProtocolEgp. GGP: RouteProtocolGgp.
    HELLO: RouteProtocolHello. RIP: RouteProtocolRip. IS_IS: RouteProtocolIsIs.
    ES_IS: RouteProtocolEsIs. CISCO: RouteProtocolCisco. BBN: RouteProtocolBbn.
    OSPF: RouteProtocolOspf. BGP: RouteProtocolBgp. IDPR: RouteProtocolIdpr.
    EIGRP: RouteProtocolEigrp. DVMRP: RouteProtocolDvmrp. RPL: RouteProtocolRpl.
    DHCP: RouteProtocolDhcp. NT_AUTOSTATIC: RouteProtocolNTAutostatic.
    NT_STATIC: RouteProtocolNTStatic. NT_STATIC_NON_DOD: RouteProtocolNTStaticNonDOD.
    """

    OTHER = 1
    LOCAL = 2
    NET_MGMT = 3
    ICMP = 4
    EGP = 5
    GGP = 6
    HELLO = 7
    RIP = 8
    IS_IS = 9
    ES_IS = 10
    CISCO = 11
    BBN = 12
    OSPF = 13
    BGP = 14
    IDPR = 15
    EIGRP = 16
    DVMRP = 17
    RPL = 18
    DHCP = 19
    NT_AUTOSTATIC = 10002
    NT_STATIC = 10006
    NT_STATIC_NON_DOD = 10007


class RouteOrigin(IntEnum):
    """How a route was configured: NL_ROUTE_ORIGIN.

    MANUAL: NlroManual. WELL_KNOWN: NlroWellKnown. DHCP: NlroDHCP.
    ROUTER_ADVERTISEMENT: NlroRouterAdvertisement. SIX_TO_FOUR: Nlro6to4.
    """

    MANUAL = 0
    WELL_KNOWN = 1
    DHCP = 2
    ROUTER_ADVERTISEMENT = 3
    SIX_TO_FOUR = 4


class RouteType(IntEnum):
    """What happens to a packet that a route matches: rtm_type. Linux only.

    UNSPEC: RTN_UNSPEC. UNICAST: RTN_UNICAST, forwarded. LOCAL: RTN_LOCAL, delivered here.
    BROADCAST: RTN_BROADCAST. ANYCAST: RTN_ANYCAST. MULTICAST: RTN_MULTICAST.
    BLACKHOLE: RTN_BLACKHOLE, dropped without an error.
    UNREACHABLE: RTN_UNREACHABLE, dropped with "host unreachable".
    PROHIBIT: RTN_PROHIBIT, dropped with "communication prohibited".
    THROW: RTN_THROW, the lookup continues in the next table. NAT: RTN_NAT.
    XRESOLVE: RTN_XRESOLVE.
    """

    UNSPEC = 0
    UNICAST = 1
    LOCAL = 2
    BROADCAST = 3
    ANYCAST = 4
    MULTICAST = 5
    BLACKHOLE = 6
    UNREACHABLE = 7
    PROHIBIT = 8
    THROW = 9
    NAT = 10
    XRESOLVE = 11


class RouteScope(IntEnum):
    """How far a destination is, or where an address is valid: rtm_scope, ifa_scope. Linux only.

    UNIVERSE: RT_SCOPE_UNIVERSE, anywhere. SITE: RT_SCOPE_SITE. LINK: RT_SCOPE_LINK, on the link.
    HOST: RT_SCOPE_HOST, this machine. NOWHERE: RT_SCOPE_NOWHERE, no destination.
    """

    UNIVERSE = 0
    SITE = 200
    LINK = 253
    HOST = 254
    NOWHERE = 255


class RouterPreference(IntEnum):
    """The preference of an IPv6 router, of RFC 4191: RTA_PREF. Linux only.

    MEDIUM: ICMPV6_ROUTER_PREF_MEDIUM. HIGH: ICMPV6_ROUTER_PREF_HIGH.
    INVALID: ICMPV6_ROUTER_PREF_INVALID. LOW: ICMPV6_ROUTER_PREF_LOW.
    """

    MEDIUM = 0
    HIGH = 1
    INVALID = 2
    LOW = 3


class PrefixOrigin(IntEnum):
    """How the prefix of an address was configured: NL_PREFIX_ORIGIN.

    OTHER: IpPrefixOriginOther. MANUAL: IpPrefixOriginManual.
    WELL_KNOWN: IpPrefixOriginWellKnown. DHCP: IpPrefixOriginDhcp.
    ROUTER_ADVERTISEMENT: IpPrefixOriginRouterAdvertisement.
    UNCHANGED: IpPrefixOriginUnchanged.
    """

    OTHER = 0
    MANUAL = 1
    WELL_KNOWN = 2
    DHCP = 3
    ROUTER_ADVERTISEMENT = 4
    UNCHANGED = 16


class SuffixOrigin(IntEnum):
    """How the rest of an address was configured: NL_SUFFIX_ORIGIN.

    OTHER: IpSuffixOriginOther. MANUAL: IpSuffixOriginManual.
    WELL_KNOWN: IpSuffixOriginWellKnown. DHCP: IpSuffixOriginDhcp.
    LINK_LAYER_ADDRESS: IpSuffixOriginLinkLayerAddress.
    RANDOM: IpSuffixOriginRandom. UNCHANGED: IpSuffixOriginUnchanged.
    """

    OTHER = 0
    MANUAL = 1
    WELL_KNOWN = 2
    DHCP = 3
    LINK_LAYER_ADDRESS = 4
    RANDOM = 5
    UNCHANGED = 16


class DadState(IntEnum):
    """The result of duplicate address detection: NL_DAD_STATE.

    INVALID: IpDadStateInvalid. TENTATIVE: IpDadStateTentative, detection has not ended.
    DUPLICATE: IpDadStateDuplicate, another machine has the address.
    DEPRECATED: IpDadStateDeprecated, not for new connections.
    PREFERRED: IpDadStatePreferred, for all connections.
    """

    INVALID = 0
    TENTATIVE = 1
    DUPLICATE = 2
    DEPRECATED = 3
    PREFERRED = 4


class RouterDiscoveryBehavior(IntEnum):
    """Whether an interface discovers routers: NL_ROUTER_DISCOVERY_BEHAVIOR.

    DISABLED: RouterDiscoveryDisabled. ENABLED: RouterDiscoveryEnabled.
    DHCP: RouterDiscoveryDhcp. UNCHANGED: RouterDiscoveryUnchanged.
    """

    DISABLED = 0
    ENABLED = 1
    DHCP = 2
    UNCHANGED = -1


class LinkLocalAddressBehavior(IntEnum):
    """Whether an interface gets a link-local address: NL_LINK_LOCAL_ADDRESS_BEHAVIOR.

    ALWAYS_OFF: LinkLocalAlwaysOff. DELAYED: LinkLocalDelayed.
    ALWAYS_ON: LinkLocalAlwaysOn. UNCHANGED: LinkLocalUnchanged.
    """

    ALWAYS_OFF = 0
    DELAYED = 1
    ALWAYS_ON = 2
    UNCHANGED = -1


class ConnectivityLevel(IntEnum):
    """What the machine can reach: NL_NETWORK_CONNECTIVITY_LEVEL_HINT.

    UNKNOWN: NetworkConnectivityLevelHintUnknown.
    NONE: NetworkConnectivityLevelHintNone.
    LOCAL_ACCESS: NetworkConnectivityLevelHintLocalAccess.
    INTERNET_ACCESS: NetworkConnectivityLevelHintInternetAccess.
    CONSTRAINED_INTERNET_ACCESS: NetworkConnectivityLevelHintConstrainedInternetAccess.
    HIDDEN: NetworkConnectivityLevelHintHidden.
    """

    UNKNOWN = 0
    NONE = 1
    LOCAL_ACCESS = 2
    INTERNET_ACCESS = 3
    CONSTRAINED_INTERNET_ACCESS = 4
    HIDDEN = 5


class ConnectivityCost(IntEnum):
    """The cost of the network: NL_NETWORK_CONNECTIVITY_COST_HINT.

    UNKNOWN: NetworkConnectivityCostHintUnknown.
    UNRESTRICTED: NetworkConnectivityCostHintUnrestricted.
    FIXED: NetworkConnectivityCostHintFixed, a fixed price up to a limit.
    VARIABLE: NetworkConnectivityCostHintVariable, a price by usage.
    """

    UNKNOWN = 0
    UNRESTRICTED = 1
    FIXED = 2
    VARIABLE = 3


class NetworkConnectivityHint:
    """What the machine can reach, and at what cost: NL_NETWORK_CONNECTIVITY_HINT. Immutable.

    connectivity_level: a ConnectivityLevel. connectivity_cost: a ConnectivityCost.
    approaching_data_limit, over_data_limit, roaming: bool.
    """

    __match_args__ = __slots__ = (
        "connectivity_level",
        "connectivity_cost",
        "approaching_data_limit",
        "over_data_limit",
        "roaming",
    )

    connectivity_level: ConnectivityLevel | int
    connectivity_cost: ConnectivityCost | int
    approaching_data_limit: bool
    over_data_limit: bool
    roaming: bool

    def __new__(
        cls,
        connectivity_level: ConnectivityLevel | int,
        connectivity_cost: ConnectivityCost | int,
        approaching_data_limit: bool,
        over_data_limit: bool,
        roaming: bool,
    ) -> "Self":  # not __init__(), which could be called again
        self = object.__new__(cls)
        values = (
            connectivity_level,
            connectivity_cost,
            approaching_data_limit,
            over_data_limit,
            roaming,
        )
        for name, value in zip(self.__slots__, values, strict=True):
            object.__setattr__(self, name, value)
        return self

    def _values(self) -> tuple[int, int, bool, bool, bool]:
        return (
            self.connectivity_level,
            self.connectivity_cost,
            self.approaching_data_limit,
            self.over_data_limit,
            self.roaming,
        )

    def __setattr__(self, name: str, value: object) -> "NoReturn":
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __delattr__(self, name: str) -> "NoReturn":
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, NetworkConnectivityHint):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        pairs = zip(self.__slots__, self._values(), strict=True)
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in pairs)})"

    def __reduce__(self) -> "tuple[type[NetworkConnectivityHint], tuple[object, ...]]":
        return type(self), self._values()


# The enums whose members are values in the extension, by the names in its field tables.
ENUMS: dict[str, type[IntEnum]] = {
    kind.__name__: kind
    for kind in (
        NotificationType,
        RouteProtocol,
        RouteOrigin,
        RouteType,
        RouteScope,
        RouterPreference,
        PrefixOrigin,
        SuffixOrigin,
        DadState,
        RouterDiscoveryBehavior,
        LinkLocalAddressBehavior,
        ConnectivityLevel,
        ConnectivityCost,
    )
}

/* SPDX-License-Identifier: MIT */
/* The fields of MIB_IPINTERFACE_ROW, the row of an interface in one family. */
#include "binding/rows/row.h"

#define AT(member) offsetof(MIB_IPINTERFACE_ROW, member)
#define LINUX_AT(member) NIO_LINUX_OFFSET(MIB_IPINTERFACE_ROW, member)
#define ROW "MIB_IPINTERFACE_ROW."

#define FIELDS(X)                                                             \
    X(interface_name, NAME, LINUX_AT(Name), NIO_FIELD_KEY | NIO_FIELD_BRIEF,  \
      BOTH, NULL, "no unit",                                                  \
      "ConvertInterfaceLuidToAlias(" ROW "InterfaceLuid); IFLA_IFNAME",       \
      "The interface's name: on Linux the one it had when the row was "       \
      "made,\n"                                                               \
      "on Windows the one it has now; None when it is not known.")            \
    X(family, FAMILY, AT(Family), NIO_FIELD_KEY | NIO_FIELD_BRIEF, BOTH,      \
      NULL, "no unit", ROW "Family; IFLA_AF_SPEC",                            \
      "socket.AF_INET or socket.AF_INET6: an interface has a row for each.")  \
    X(interface_index, U32, AT(InterfaceIndex),                               \
      NIO_FIELD_KEY | NIO_FIELD_BRIEF, BOTH, NULL, "no unit",                 \
      ROW "InterfaceIndex; ifi_index",                                        \
      "The interface's index, as socket.if_nametoindex() gives it.")          \
    X(interface_luid, U64, AT(InterfaceLuid), NIO_FIELD_KEY, BOTH, NULL,      \
      "no unit", ROW "InterfaceLuid; ifi_type and ifi_index",                 \
      "The interface's locally unique identifier. On Windows it outlives\n"   \
      "a restart of the machine; on Linux it is made of the interface's\n"    \
      "type and index.")                                                      \
    X(connected, BOOL, AT(Connected), NIO_FIELD_BRIEF, BOTH, NULL, "no unit", \
      ROW "Connected; IFF_RUNNING",                                           \
      "True while the interface is up and its link is there.")                \
    X(metric, U32, AT(Metric), NIO_FIELD_BRIEF, BOTH, NULL, "no unit",        \
      ROW "Metric; always 0",                                                 \
      "What the interface adds to the metric of each of its routes.")         \
    X(nl_mtu, U32, AT(NlMtu), NIO_FIELD_BRIEF, BOTH, NULL, "bytes",           \
      ROW "NlMtu; IFLA_MTU, for IPv6 DEVCONF_MTU6",                           \
      "The largest packet of this family that the interface sends.")          \
    X(forwarding_enabled, BOOL, AT(ForwardingEnabled), 0, BOTH, NULL,         \
      "no unit", ROW "ForwardingEnabled; NETCONFA_FORWARDING",                \
      "True when packets for others are passed on.")                          \
    X(advertising_enabled, BOOL, AT(AdvertisingEnabled), 0, BOTH, NULL,       \
      "no unit", ROW "AdvertisingEnabled; always False",                      \
      "True when router advertisements are sent. The kernel of Linux never\n" \
      "does that itself.")                                                    \
    X(advertise_default_route, BOOL, AT(AdvertiseDefaultRoute), 0, BOTH,      \
      NULL, "no unit", ROW "AdvertiseDefaultRoute; always False",             \
      "True when a default route is advertised.")                             \
    X(weak_host_send, BOOL, AT(WeakHostSend), 0, BOTH, NULL, "no unit",       \
      ROW "WeakHostSend; always True",                                        \
      "True when packets with an address of another interface are sent.")     \
    X(weak_host_receive, BOOL, AT(WeakHostReceive), 0, BOTH, NULL, "no unit", \
      ROW "WeakHostReceive; always True",                                     \
      "True when packets to an address of another interface are taken.")      \
    X(use_automatic_metric, BOOL, AT(UseAutomaticMetric), 0, BOTH, NULL,      \
      "no unit", ROW "UseAutomaticMetric; always False",                      \
      "True when the system chose the metric.")                               \
    X(use_neighbor_unreachability_detection, BOOL,                            \
      AT(UseNeighborUnreachabilityDetection), 0, BOTH, NULL, "no unit",       \
      ROW "UseNeighborUnreachabilityDetection; not IFF_NOARP",                \
      "True when the system notices that a neighbour is gone.")               \
    X(managed_address_configuration_supported, BOOL,                          \
      AT(ManagedAddressConfigurationSupported), 0, BOTH, NULL, "no unit",     \
      ROW "ManagedAddressConfigurationSupported; IFLA_INET6_FLAGS",           \
      "True when routers say that addresses come from DHCP (M flag).")        \
    X(other_stateful_configuration_supported, BOOL,                           \
      AT(OtherStatefulConfigurationSupported), 0, BOTH, NULL, "no unit",      \
      ROW "OtherStatefulConfigurationSupported; IFLA_INET6_FLAGS",            \
      "True when routers say that other settings come from DHCP (O flag).")   \
    X(router_discovery_behavior, ENUM32, AT(RouterDiscoveryBehavior), 0,      \
      BOTH, RouterDiscoveryBehavior, "no unit",                               \
      ROW "RouterDiscoveryBehavior; DEVCONF_ACCEPT_RA",                       \
      "Whether routers are looked for, as a RouterDiscoveryBehavior.")        \
    X(dad_transmits, U32, AT(DadTransmits), 0, BOTH, NULL, "messages",        \
      ROW "DadTransmits; DEVCONF_DAD_TRANSMITS",                              \
      "How many probes duplicate address detection sends; 0: none.")          \
    X(base_reachable_time, U32, AT(BaseReachableTime), 0, BOTH, NULL,         \
      "milliseconds", ROW "BaseReachableTime; NDTPA_BASE_REACHABLE_TIME",     \
      "What reachable_time is drawn around.")                                 \
    X(reachable_time, U32, AT(ReachableTime), NIO_FIELD_VOLATILE, BOTH, NULL, \
      "milliseconds",                                                         \
      ROW "ReachableTime; NDTPA_REACHABLE_TIME or IFLA_INET6_CACHEINFO",      \
      "How long a neighbour counts as reachable after a sign of life.\n"      \
      "Drawn anew at random now and then, so it is not compared.")            \
    X(retransmit_time, U32, AT(RetransmitTime), 0, BOTH, NULL,                \
      "milliseconds",                                                         \
      ROW "RetransmitTime; NDTPA_RETRANS_TIME or IFLA_INET6_CACHEINFO",       \
      "The time between two neighbour solicitations.")                        \
    X(path_mtu_discovery_timeout, U32, AT(PathMtuDiscoveryTimeout), 0, BOTH,  \
      NULL, "milliseconds",                                                   \
      ROW "PathMtuDiscoveryTimeout; the default of mtu_expires",              \
      "How long a discovered path MTU is kept.")                              \
    X(link_local_address_behavior, ENUM32, AT(LinkLocalAddressBehavior), 0,   \
      BOTH, LinkLocalAddressBehavior, "no unit",                              \
      ROW "LinkLocalAddressBehavior; IFLA_INET6_ADDR_GEN_MODE",               \
      "Whether a link-local address is made, as a\n"                          \
      "LinkLocalAddressBehavior.")                                            \
    X(link_local_address_timeout, U32, AT(LinkLocalAddressTimeout), 0, BOTH,  \
      NULL, "milliseconds", ROW "LinkLocalAddressTimeout; always 0",          \
      "How long the system waits before it makes a link-local address.")      \
    X(zone_indices, ZONES, AT(ZoneIndices), 0, BOTH, NULL, "no unit",         \
      ROW "ZoneIndices; ifi_index",                                           \
      "The zone of each of the 16 scope levels, as a tuple of int.")          \
    X(supports_neighbor_discovery, BOOL, AT(SupportsNeighborDiscovery), 0,    \
      BOTH, NULL, "no unit", ROW "SupportsNeighborDiscovery; not IFF_NOARP",  \
      "True when the link has neighbours to discover.")                       \
    X(supports_router_discovery, BOOL, AT(SupportsRouterDiscovery), 0, BOTH,  \
      NULL, "no unit", ROW "SupportsRouterDiscovery; not IFF_NOARP",          \
      "True when the link can have routers to discover.")                     \
    X(max_reassembly_size, U32, AT(MaxReassemblySize), 0, IPV6, NULL,         \
      "bytes", ROW "MaxReassemblySize; IFLA_INET6_CACHEINFO",                 \
      "The largest packet that can be put together from fragments.")          \
    X(interface_identifier, U64, AT(InterfaceIdentifier), 0, WINDOWS, NULL,   \
      "no unit", ROW "InterfaceIdentifier; none",                             \
      "The identifier that addresses of this interface are made with.")       \
    X(min_router_advertisement_interval, U32,                                 \
      AT(MinRouterAdvertisementInterval), 0, WINDOWS, NULL, "milliseconds",   \
      ROW "MinRouterAdvertisementInterval; none",                             \
      "The shortest time between two router advertisements.")                 \
    X(max_router_advertisement_interval, U32,                                 \
      AT(MaxRouterAdvertisementInterval), 0, WINDOWS, NULL, "milliseconds",   \
      ROW "MaxRouterAdvertisementInterval; none",                             \
      "The longest time between two router advertisements.")                  \
    X(site_prefix_length, U32, AT(SitePrefixLength), 0, WINDOWS, NULL,        \
      "bits", ROW "SitePrefixLength; none", "The length of the site prefix.") \
    X(supports_wake_up_patterns, BOOL, AT(SupportsWakeUpPatterns), 0,         \
      WINDOWS, NULL, "no unit", ROW "SupportsWakeUpPatterns; none",           \
      "True when a packet can wake the machine.")                             \
    X(transmit_offload, U8, AT(TransmitOffload), 0, WINDOWS, NULL, "no unit", \
      ROW "TransmitOffload; none",                                            \
      "What the interface does for outgoing packets: the bits of\n"           \
      "NL_INTERFACE_OFFLOAD_ROD, the first member is 1.")                     \
    X(receive_offload, U8, AT(ReceiveOffload), 0, WINDOWS, NULL, "no unit",   \
      ROW "ReceiveOffload; none",                                             \
      "What the interface does for incoming packets, in the same bits.")      \
    X(disable_default_routes, BOOL, AT(DisableDefaultRoutes), 0, WINDOWS,     \
      NULL, "no unit", ROW "DisableDefaultRoutes; none",                      \
      "True when default routes through the interface are not used.")         \
    X(flags, U32, LINUX_AT(Flags), 0, LINUX, NULL, "no unit", "ifi_flags",    \
      "The bits IFF_*: 1 up, 8 loopback, 0x10 point-to-point, 0x40 "          \
      "running,\n"                                                            \
      "...")                                                                  \
    X(master, U32, LINUX_AT(Master), NIO_FIELD_OPTIONAL, LINUX, NULL,         \
      "no unit", "IFLA_MASTER",                                               \
      "The index of the bridge, bond or VRF that the interface is a part\n"   \
      "of; None when it is part of none.")                                    \
    X(hardware_type, U16, LINUX_AT(HardwareType), 0, LINUX, NULL, "no unit",  \
      "ifi_type", "The kind of link, in the kernel's numbers ARPHRD_*.")      \
    X(oper_state, U8, LINUX_AT(OperState), 0, LINUX, NULL, "no unit",         \
      "IFLA_OPERSTATE",                                                       \
      "The state of RFC 2863 in the kernel's numbers IF_OPER_*: 0 unknown,\n" \
      "2 down, 3 lower layer down, 5 dormant, 6 up, ...")                     \
    X(key, IDENTITY, NIO_ABSENT, NIO_FIELD_KEY | NIO_FIELD_HIDDEN, BOTH,      \
      NULL, "no unit", ROW "Family, InterfaceLuid",                           \
      "The identity of the row: two rows with the same key are two states\n"  \
      "of one interface in one family. Bytes, to key a dict of the current\n" \
      "state by.")

enum { FIELDS(NIO_FIELD_INDEX) FIELD_COUNT };

static const nio_field fields[FIELD_COUNT] = {FIELDS(NIO_FIELD_ROW)};

static PyGetSetDef getters[FIELD_COUNT + 1] = {
    FIELDS(NIO_FIELD_GETTER){NULL, NULL, NULL, NULL, NULL}};

const nio_schema nio_interface_schema = {
    .kind = NIO_INTERFACE,
    .type_name = "netioapi.IpInterfaceRow",
    .noun = "interface",
    .doc =
        "IpInterfaceRow(family, *, interface_index=0, "
        "interface_luid=0)\n--\n\n"
        "An interface, as one address family sees it: MIB_IPINTERFACE_ROW.\n"
        "Immutable; a field is decoded when it is read.\n\n"
        "Rows come from get_ip_interface_table(), from callbacks and from\n"
        "Watcher. One made by hand is a key to look up with\n"
        "get_ip_interface_entry(): family is socket.AF_INET or AF_INET6, and\n"
        "one of interface_index and interface_luid is not 0. Its other\n"
        "fields, as those of a row with details=False, read as None. None\n"
        "also means that this system does not say.\n\n"
        "Two rows are equal when all fields are that do not change by\n"
        "themselves (reachable_time does); `key` tells whether two rows are\n"
        "of the same interface and family.\n\n"
        "Raises: InvalidParameterError, TypeError.\n"
        "Source: MIB_IPINTERFACE_ROW; RTM_NEWLINK, RTM_DELLINK.",
    .fields = fields,
    .field_count = FIELD_COUNT,
    .getters = getters,
    .row_size = sizeof(MIB_IPINTERFACE_ROW),
    .family_offset = AT(Family),
    .luid_offset = AT(InterfaceLuid),
    .index_offset = AT(InterfaceIndex),
};

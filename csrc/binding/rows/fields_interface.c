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
      "The interface's name: on Linux at the time of the row, on Windows "    \
      "at\n"                                                                  \
      "the time when this field is read; None when it is not known.")         \
    X(family, FAMILY, AT(Family), NIO_FIELD_KEY | NIO_FIELD_BRIEF, BOTH,      \
      NULL, "no unit", ROW "Family; IFLA_AF_SPEC",                            \
      "socket.AF_INET or socket.AF_INET6: an interface has one row for "      \
      "each.")                                                                \
    X(interface_index, U32, AT(InterfaceIndex),                               \
      NIO_FIELD_KEY | NIO_FIELD_BRIEF, BOTH, NULL, "no unit",                 \
      ROW "InterfaceIndex; ifi_index",                                        \
      "The interface's index, as socket.if_nametoindex() gives it.")          \
    X(interface_luid, U64, AT(InterfaceLuid), NIO_FIELD_KEY, BOTH, NULL,      \
      "no unit", ROW "InterfaceLuid; ifi_type and ifi_index",                 \
      "The interface's locally unique identifier. On Windows it stays the\n"  \
      "same after a restart of the machine; on Linux it consists of the\n"    \
      "interface's type and index.")                                          \
    X(connected, BOOL, AT(Connected), NIO_FIELD_BRIEF, BOTH, NULL, "no unit", \
      ROW "Connected; IFF_RUNNING",                                           \
      "True while the interface is up and its link has a carrier.")           \
    X(metric, U32, AT(Metric), NIO_FIELD_BRIEF, BOTH, NULL, "no unit",        \
      ROW "Metric; always 0",                                                 \
      "The number that is added to the metric of each of its routes.")        \
    X(nl_mtu, U32, AT(NlMtu), NIO_FIELD_BRIEF, BOTH, NULL, "bytes",           \
      ROW "NlMtu; IFLA_MTU, for IPv6 DEVCONF_MTU6",                           \
      "The largest packet of this family that the interface sends.")          \
    X(forwarding_enabled, BOOL, AT(ForwardingEnabled), 0, BOTH, NULL,         \
      "no unit", ROW "ForwardingEnabled; NETCONFA_FORWARDING",                \
      "True when packets for other hosts are forwarded.")                     \
    X(advertising_enabled, BOOL, AT(AdvertisingEnabled), 0, BOTH, NULL,       \
      "no unit", ROW "AdvertisingEnabled; always False",                      \
      "True when router advertisements are sent. The Linux kernel sends\n"    \
      "none.")                                                                \
    X(advertise_default_route, BOOL, AT(AdvertiseDefaultRoute), 0, BOTH,      \
      NULL, "no unit", ROW "AdvertiseDefaultRoute; always False",             \
      "True when a default route is advertised.")                             \
    X(weak_host_send, BOOL, AT(WeakHostSend), 0, BOTH, NULL, "no unit",       \
      ROW "WeakHostSend; always True",                                        \
      "True when the interface sends packets whose source is an address of\n" \
      "another interface.")                                                   \
    X(weak_host_receive, BOOL, AT(WeakHostReceive), 0, BOTH, NULL, "no unit", \
      ROW "WeakHostReceive; always True",                                     \
      "True when the interface accepts packets to an address of another\n"    \
      "interface.")                                                           \
    X(use_automatic_metric, BOOL, AT(UseAutomaticMetric), 0, BOTH, NULL,      \
      "no unit", ROW "UseAutomaticMetric; always False",                      \
      "True when the system chose the metric.")                               \
    X(use_neighbor_unreachability_detection, BOOL,                            \
      AT(UseNeighborUnreachabilityDetection), 0, BOTH, NULL, "no unit",       \
      ROW "UseNeighborUnreachabilityDetection; not IFF_NOARP",                \
      "True when the system detects that a neighbour is unreachable.")        \
    X(managed_address_configuration_supported, BOOL,                          \
      AT(ManagedAddressConfigurationSupported), 0, BOTH, NULL, "no unit",     \
      ROW "ManagedAddressConfigurationSupported; IFLA_INET6_FLAGS",           \
      "True when router advertisements have the M flag: addresses come "      \
      "from\n"                                                                \
      "DHCP.")                                                                \
    X(other_stateful_configuration_supported, BOOL,                           \
      AT(OtherStatefulConfigurationSupported), 0, BOTH, NULL, "no unit",      \
      ROW "OtherStatefulConfigurationSupported; IFLA_INET6_FLAGS",            \
      "True when router advertisements have the O flag: other settings "      \
      "come\n"                                                                \
      "from DHCP.")                                                           \
    X(router_discovery_behavior, ENUM32, AT(RouterDiscoveryBehavior), 0,      \
      BOTH, RouterDiscoveryBehavior, "no unit",                               \
      ROW "RouterDiscoveryBehavior; DEVCONF_ACCEPT_RA",                       \
      "Whether the interface discovers routers, as a\n"                       \
      "RouterDiscoveryBehavior.")                                             \
    X(dad_transmits, U32, AT(DadTransmits), 0, BOTH, NULL, "messages",        \
      ROW "DadTransmits; DEVCONF_DAD_TRANSMITS",                              \
      "How many probes duplicate address detection sends; 0 disables it.")    \
    X(base_reachable_time, U32, AT(BaseReachableTime), 0, BOTH, NULL,         \
      "milliseconds", ROW "BaseReachableTime; NDTPA_BASE_REACHABLE_TIME",     \
      "The mean of reachable_time.")                                          \
    X(reachable_time, U32, AT(ReachableTime), NIO_FIELD_VOLATILE, BOTH, NULL, \
      "milliseconds",                                                         \
      ROW "ReachableTime; NDTPA_REACHABLE_TIME or IFLA_INET6_CACHEINFO",      \
      "How long a neighbour is considered reachable after a confirmation.\n"  \
      "The system draws it at random now and then, so it is not compared.")   \
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
      "Whether a link-local address is configured, as a\n"                    \
      "LinkLocalAddressBehavior.")                                            \
    X(link_local_address_timeout, U32, AT(LinkLocalAddressTimeout), 0, BOTH,  \
      NULL, "milliseconds", ROW "LinkLocalAddressTimeout; always 0",          \
      "How long the system waits before it adds a link-local address.")       \
    X(zone_indices, ZONES, AT(ZoneIndices), 0, BOTH, NULL, "no unit",         \
      ROW "ZoneIndices; ifi_index",                                           \
      "The zone of each of the 16 scope levels, as a tuple of int.")          \
    X(supports_neighbor_discovery, BOOL, AT(SupportsNeighborDiscovery), 0,    \
      BOTH, NULL, "no unit", ROW "SupportsNeighborDiscovery; not IFF_NOARP",  \
      "True when neighbour discovery works on the link.")                     \
    X(supports_router_discovery, BOOL, AT(SupportsRouterDiscovery), 0, BOTH,  \
      NULL, "no unit", ROW "SupportsRouterDiscovery; not IFF_NOARP",          \
      "True when router discovery works on the link.")                        \
    X(max_reassembly_size, U32, AT(MaxReassemblySize), 0, IPV6, NULL,         \
      "bytes", ROW "MaxReassemblySize; IFLA_INET6_CACHEINFO",                 \
      "The largest packet that can be reassembled from fragments.")           \
    X(interface_identifier, U64, AT(InterfaceIdentifier), 0, WINDOWS, NULL,   \
      "no unit", ROW "InterfaceIdentifier; none",                             \
      "The identifier in the addresses of this interface.")                   \
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
      "The offloads for outgoing packets: the bits of\n"                      \
      "NL_INTERFACE_OFFLOAD_ROD, of which the first member is 1.")            \
    X(receive_offload, U8, AT(ReceiveOffload), 0, WINDOWS, NULL, "no unit",   \
      ROW "ReceiveOffload; none",                                             \
      "The offloads for incoming packets, in the same bits.")                 \
    X(disable_default_routes, BOOL, AT(DisableDefaultRoutes), 0, WINDOWS,     \
      NULL, "no unit", ROW "DisableDefaultRoutes; none",                      \
      "True when default routes through the interface are not used.")         \
    X(flags, U32, LINUX_AT(Flags), 0, LINUX, NULL, "no unit", "ifi_flags",    \
      "The bits IFF_*: 1 up, 8 loopback, 0x10 point-to-point, 0x40 "          \
      "running,\n"                                                            \
      "...")                                                                  \
    X(master, U32, LINUX_AT(Master), NIO_FIELD_OPTIONAL, LINUX, NULL,         \
      "no unit", "IFLA_MASTER",                                               \
      "The index of the bridge, bond or VRF that the interface belongs to;\n" \
      "None when it belongs to none.")                                        \
    X(master_name, LABEL, LINUX_AT(MasterName), NIO_FIELD_OPTIONAL, LINUX,    \
      NULL, "no unit", "IFLA_IFNAME of the link IFLA_MASTER",                 \
      "The name of the bridge, bond or VRF that the interface belongs to;\n"  \
      "None when it belongs to none.")                                        \
    X(hardware_address, ITEM_HARDWARE, LINUX_AT(Extra),                       \
      NIO_FIELD_ITEM(NIO_EXTRA_HARDWARE), LINUX, NULL, "no unit",             \
      "IFLA_ADDRESS",                                                         \
      "The link-layer address, as in \"02:00:00:00:00:01\"; None when the\n"  \
      "link has none.")                                                       \
    X(link_kind, ITEM_TEXT, LINUX_AT(Extra),                                  \
      NIO_FIELD_ITEM(NIO_EXTRA_LINK_KIND), LINUX, NULL, "no unit",            \
      "IFLA_INFO_KIND",                                                       \
      "The kind of a virtual link: \"veth\", \"bridge\", \"wireguard\", "     \
      "...;\n"                                                                \
      "None for other links.")                                                \
    X(alternative_names, ITEM_TEXTS, LINUX_AT(Extra),                         \
      NIO_FIELD_ITEM(NIO_EXTRA_ALTERNATIVES), LINUX, NULL, "no unit",         \
      "IFLA_ALT_IFNAME",                                                      \
      "The other names of the interface, a tuple of str; None when it has\n"  \
      "none.")                                                                \
    X(hardware_type, U16, LINUX_AT(HardwareType), 0, LINUX, NULL, "no unit",  \
      "ifi_type", "The type of link, as a number ARPHRD_* of the kernel.")    \
    X(oper_state, U8, LINUX_AT(OperState), 0, LINUX, NULL, "no unit",         \
      "IFLA_OPERSTATE",                                                       \
      "The state of RFC 2863, as a number IF_OPER_* of the kernel: 0 "        \
      "unknown,\n"                                                            \
      "2 down, 3 lower layer down, 5 dormant, 6 up, ...")                     \
    X(key, IDENTITY, NIO_ABSENT, NIO_FIELD_KEY | NIO_FIELD_HIDDEN, BOTH,      \
      NULL, "no unit", ROW "Family, InterfaceLuid",                           \
      "The identity of the row as bytes: two rows with the same key are "     \
      "two\n"                                                                 \
      "states of the same interface and family. A dict of the current "       \
      "state\n"                                                               \
      "can use it as its key.")

enum { FIELDS(NIO_FIELD_INDEX) FIELD_COUNT };

static const nio_field fields[FIELD_COUNT] = {FIELDS(NIO_FIELD_ROW)};

static PyGetSetDef getters[FIELD_COUNT + 1] = {
    FIELDS(NIO_FIELD_GETTER){NULL, NULL, NULL, NULL, NULL}};

const nio_schema nio_interface_schema = {
    .kind = NIO_INTERFACE,
    .type_name = "netioapi.IpInterfaceRow",
    .kind_name = "interface",
    .doc =
        "IpInterfaceRow(family, *, interface_index=0, "
        "interface_luid=0)\n--\n\n"
        "An interface, as one address family sees it: MIB_IPINTERFACE_ROW.\n"
        "Immutable; a field is converted when it is read.\n\n"
        "Rows come from get_ip_interface_table(), from callbacks and from\n"
        "Watcher. A row that a program creates is a key for\n"
        "get_ip_interface_entry(): family is socket.AF_INET or AF_INET6, and\n"
        "one of interface_index and interface_luid is not 0. Its other\n"
        "fields are None, as in a row with details=False. A field that this\n"
        "system does not provide is None, too.\n\n"
        "Two rows are equal when all their fields are, except those that\n"
        "change by themselves (reachable_time). Two rows with the same `key`\n"
        "are states of the same interface and family.\n\n"
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

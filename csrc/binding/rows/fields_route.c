/* SPDX-License-Identifier: MIT */
/* The fields of MIB_IPFORWARD_ROW2, the row of a route. */
#include "binding/rows/row.h"

#define AT(member) offsetof(MIB_IPFORWARD_ROW2, member)
#define LINUX_AT(member) NIO_LINUX_OFFSET(MIB_IPFORWARD_ROW2, member)
#define ROW "MIB_IPFORWARD_ROW2."

#define FIELDS(X)                                                             \
    X(destination_prefix, PREFIX, AT(DestinationPrefix),                      \
      NIO_FIELD_KEY | NIO_FIELD_BRIEF, BOTH, NULL, "no unit",                 \
      ROW "DestinationPrefix; RTA_DST and rtm_dst_len",                       \
      "The addresses that this route leads to, as an ipaddress network.\n"    \
      "The default route is 0.0.0.0/0 or ::/0.")                              \
    X(next_hop, ADDRESS, AT(NextHop), NIO_FIELD_KEY | NIO_FIELD_BRIEF, BOTH,  \
      NULL, "no unit", ROW "NextHop; RTA_GATEWAY or RTA_VIA",                 \
      "The gateway, as an ipaddress address; 0.0.0.0 or :: where the\n"       \
      "destination is on the link itself. On Linux a route of IPv4 can\n"     \
      "have a gateway of IPv6. The zone of a link-local gateway is the\n"     \
      "interface of the row.")                                                \
    X(interface_name, NAME, NIO_ABSENT, NIO_FIELD_KEY | NIO_FIELD_BRIEF,      \
      BOTH, NULL, "no unit",                                                  \
      "ConvertInterfaceLuidToAlias(" ROW "InterfaceLuid); IFLA_IFNAME",       \
      "The name of the interface now, at the time of reading; None when\n"    \
      "the interface is gone, or is in another network namespace than the\n"  \
      "thread that asks.")                                                    \
    X(interface_index, U32, AT(InterfaceIndex),                               \
      NIO_FIELD_KEY | NIO_FIELD_BRIEF, BOTH, NULL, "no unit",                 \
      ROW "InterfaceIndex; RTA_OIF or rtnh_ifindex",                          \
      "The interface's index, as socket.if_nametoindex() gives it.")          \
    X(interface_luid, U64, AT(InterfaceLuid), NIO_FIELD_KEY, BOTH, NULL,      \
      "no unit", ROW "InterfaceLuid; ifi_type and RTA_OIF",                   \
      "The interface's locally unique identifier. On Windows it outlives\n"   \
      "a restart of the machine; on Linux it is made of the interface's\n"    \
      "type and index.")                                                      \
    X(family, FAMILY, AT(DestinationPrefix.Prefix.si_family),                 \
      NIO_FIELD_KEY | NIO_FIELD_VIRTUAL, BOTH, NULL, "no unit",               \
      ROW "DestinationPrefix.Prefix.si_family; rtm_family",                   \
      "socket.AF_INET or socket.AF_INET6.")                                   \
    X(metric, U32, AT(Metric), NIO_FIELD_BRIEF, BOTH, NULL, "no unit",        \
      ROW "Metric; RTA_PRIORITY",                                             \
      "What this route costs: of two to one destination the lower wins.\n"    \
      "On Windows the metric of the interface is added to it.")               \
    X(protocol, ENUM32, AT(Protocol), NIO_FIELD_BRIEF, BOTH, RouteProtocol,   \
      "no unit", ROW "Protocol; rtm_protocol",                                \
      "Who made the route, as a RouteProtocol. What Linux calls it is in\n"   \
      "kernel_protocol.")                                                     \
    X(origin, ENUM32, AT(Origin), 0, BOTH, RouteOrigin, "no unit",            \
      ROW "Origin; rtm_protocol",                                             \
      "Where the route comes from, as a RouteOrigin.")                        \
    X(valid_lifetime, U32, AT(ValidLifetime), NIO_FIELD_VOLATILE, BOTH, NULL, \
      "seconds", ROW "ValidLifetime; RTA_CACHEINFO rta_expires",              \
      "How long the route is valid from when the row was made; INFINITE\n"    \
      "when it does not expire. Counts down, so it is not compared.")         \
    X(preferred_lifetime, U32, AT(PreferredLifetime), NIO_FIELD_VOLATILE,     \
      BOTH, NULL, "seconds",                                                  \
      ROW "PreferredLifetime; RTA_CACHEINFO rta_expires",                     \
      "How long the route is preferred from when the row was made;\n"         \
      "INFINITE when that does not end. Not compared.")                       \
    X(site_prefix_length, U8, AT(SitePrefixLength), 0, WINDOWS, NULL, "bits", \
      ROW "SitePrefixLength; none", "The length of the site prefix.")         \
    X(loopback, BOOL, AT(Loopback), 0, BOTH, NULL, "no unit",                 \
      ROW "Loopback; rtm_type and RTA_OIF",                                   \
      "True for a route that stays on this machine.")                         \
    X(autoconfigure_address, BOOL, AT(AutoconfigureAddress), 0, BOTH, NULL,   \
      "no unit", ROW "AutoconfigureAddress; RTPROT_KERNEL with an expiry",    \
      "True when addresses are made from this prefix on their own.")          \
    X(publish, BOOL, AT(Publish), 0, BOTH, NULL, "no unit",                   \
      ROW "Publish; always False",                                            \
      "True when the route is sent in router advertisements. The kernel\n"    \
      "of Linux never does that itself.")                                     \
    X(immortal, BOOL, AT(Immortal), 0, BOTH, NULL, "no unit",                 \
      ROW "Immortal; no rta_expires", "True when the route does not expire.") \
    X(age, U32, AT(Age), NIO_FIELD_VOLATILE, WINDOWS, NULL, "seconds",        \
      ROW "Age; none",                                                        \
      "How long ago the route was made or changed. Not compared.")            \
    X(table, U32, LINUX_AT(Table), NIO_FIELD_BRIEF, LINUX, NULL, "no unit",   \
      "RTA_TABLE", "The routing table: 254 is main, 253 default, 255 local.") \
    X(type, ENUM8, LINUX_AT(Type), NIO_FIELD_BRIEF, LINUX, RouteType,         \
      "no unit", "rtm_type",                                                  \
      "What becomes of a packet, as a RouteType: UNICAST, BLACKHOLE, ...")    \
    X(tos, U8, LINUX_AT(Tos), 0, LINUX, NULL, "no unit", "rtm_tos",           \
      "The type of service that the route is for; 0: any.")                   \
    X(preferred_source, RAW_ADDRESS, LINUX_AT(PreferredSource),               \
      NIO_FIELD_OPTIONAL, LINUX, NULL, "no unit", "RTA_PREFSRC",              \
      "The source address that this route asks for; None: no wish.")          \
    X(nexthop_id, U32, LINUX_AT(NexthopId), NIO_FIELD_OPTIONAL, LINUX, NULL,  \
      "no unit", "RTA_NH_ID",                                                 \
      "The nexthop object that the route uses; None when it uses none.")      \
    X(weight, U16, LINUX_AT(Weight), 0, LINUX, NULL, "no unit",               \
      "rtnh_hops + 1",                                                        \
      "The share of this leg in a multipath route; 1 in one of one leg.")     \
    X(flags, U8, LINUX_AT(Flags), 0, LINUX, NULL, "no unit",                  \
      "rtm_flags or rtnh_flags",                                              \
      "The bits RTNH_F_*: 1 dead, 4 onlink, 8 offload, 16 linkdown, ...")     \
    X(kernel_protocol, U8, LINUX_AT(KernelProtocol), 0, LINUX, NULL,          \
      "no unit", "rtm_protocol",                                              \
      "Who made the route, in the kernel's numbers RTPROT_*.")                \
    X(key, IDENTITY, NIO_ABSENT, NIO_FIELD_KEY | NIO_FIELD_HIDDEN, BOTH,      \
      NULL, "no unit",                                                        \
      ROW "DestinationPrefix, NextHop, InterfaceLuid; with RTA_TABLE,\n"      \
          "rtm_tos and RTA_PRIORITY",                                         \
      "The identity of the route: two rows with the same key are two\n"       \
      "states of one route. Bytes, to key a dict of the current state by.")

enum { FIELDS(NIO_FIELD_INDEX) FIELD_COUNT };

static const nio_field fields[FIELD_COUNT] = {FIELDS(NIO_FIELD_ROW)};

static PyGetSetDef getters[FIELD_COUNT + 1] = {
    FIELDS(NIO_FIELD_GETTER){NULL, NULL, NULL, NULL, NULL}};

const nio_schema nio_route_schema = {
    .kind = NIO_ROUTE,
    .type_name = "netioapi.IpForwardRow",
    .noun = "route",
    .doc =
        "IpForwardRow(destination_prefix, next_hop=None, *, "
        "interface_index=0, interface_luid=0)\n--\n\n"
        "A route: MIB_IPFORWARD_ROW2. Immutable; a field is decoded when it\n"
        "is read.\n\n"
        "Rows come from get_ip_forward_table2(), from callbacks and from\n"
        "Watcher. One made by hand is a key to look up with\n"
        "get_ip_forward_entry2(): destination_prefix is an ipaddress network\n"
        "or a str, next_hop an address (None: on the link), and one of\n"
        "interface_index and interface_luid is not 0. Its other fields, as\n"
        "those of a row with details=False, read as None. None also means\n"
        "that this system does not say.\n\n"
        "Two rows are equal when all fields are that do not change by\n"
        "themselves (lifetimes and age do); `key` tells whether two rows\n"
        "are of the same route.\n\n"
        "Raises: InvalidParameterError, TypeError.\n"
        "Source: MIB_IPFORWARD_ROW2; RTM_NEWROUTE, RTM_DELROUTE.",
    .fields = fields,
    .field_count = FIELD_COUNT,
    .getters = getters,
    .row_size = sizeof(MIB_IPFORWARD_ROW2),
    .family_offset = AT(DestinationPrefix.Prefix.si_family),
    .luid_offset = AT(InterfaceLuid),
    .index_offset = AT(InterfaceIndex),
};

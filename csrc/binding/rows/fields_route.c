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
      "The destination of the route, as an ipaddress network.\n"              \
      "The default route is 0.0.0.0/0 or ::/0.")                              \
    X(next_hop, ADDRESS, AT(NextHop), NIO_FIELD_KEY | NIO_FIELD_BRIEF, BOTH,  \
      NULL, "no unit", ROW "NextHop; RTA_GATEWAY or RTA_VIA",                 \
      "The gateway, as an ipaddress address; 0.0.0.0 or :: when the\n"        \
      "destination is on the link. On Linux an IPv4 route can have an IPv6\n" \
      "gateway. The zone of a link-local gateway is the row's interface.")    \
    X(interface_name, NAME, LINUX_AT(Name),                                   \
      NIO_FIELD_KEY | NIO_FIELD_BRIEF | NIO_FIELD_VOLATILE, BOTH, NULL,       \
      "no unit",                                                              \
      "ConvertInterfaceLuidToAlias(" ROW "InterfaceLuid); IFLA_IFNAME",       \
      "The interface's name. On Linux as it was when the row was made, "      \
      "also\n"                                                                \
      "in a change that is read later or in another network namespace; "      \
      "None\n"                                                                \
      "when the interface was not known then. On Windows, and in a row "      \
      "that\n"                                                                \
      "a program created, the name at the time when this field is read; "     \
      "None\n"                                                                \
      "when there is no such interface. Not compared: a rename is a change\n" \
      "of the interface.")                                                    \
    X(interface_index, U32, AT(InterfaceIndex),                               \
      NIO_FIELD_KEY | NIO_FIELD_BRIEF, BOTH, NULL, "no unit",                 \
      ROW "InterfaceIndex; RTA_OIF or rtnh_ifindex",                          \
      "The interface's index, as socket.if_nametoindex() gives it. On "       \
      "Linux\n"                                                               \
      "a route that leads nowhere (blackhole, unreachable, prohibit, "        \
      "throw)\n"                                                              \
      "has that of lo, 1: for IPv6 the kernel says so, and for IPv4, where\n" \
      "it names no interface, netioapi does.")                                \
    X(interface_luid, U64, AT(InterfaceLuid), NIO_FIELD_KEY, BOTH, NULL,      \
      "no unit", ROW "InterfaceLuid; ifi_type and RTA_OIF",                   \
      "The interface's locally unique identifier. On Windows it stays the\n"  \
      "same after a restart of the machine; on Linux it consists of the\n"    \
      "interface's type and index.")                                          \
    X(family, FAMILY, AT(DestinationPrefix.Prefix.si_family),                 \
      NIO_FIELD_KEY | NIO_FIELD_VIRTUAL, BOTH, NULL, "no unit",               \
      ROW "DestinationPrefix.Prefix.si_family; rtm_family",                   \
      "socket.AF_INET or socket.AF_INET6.")                                   \
    X(metric, U32, AT(Metric), NIO_FIELD_BRIEF, BOTH, NULL, "no unit",        \
      ROW "Metric; RTA_PRIORITY",                                             \
      "The cost of the route: of two routes to the same destination the\n"    \
      "system uses that with the lower metric. On Windows the interface's\n"  \
      "metric is added to it.")                                               \
    X(protocol, ENUM32, AT(Protocol), NIO_FIELD_BRIEF, BOTH, RouteProtocol,   \
      "no unit", ROW "Protocol; rtm_protocol",                                \
      "What added the route, as a RouteProtocol. The kernel's own number "    \
      "is\n"                                                                  \
      "in kernel_protocol.")                                                  \
    X(origin, ENUM32, AT(Origin), 0, BOTH, RouteOrigin, "no unit",            \
      ROW "Origin; rtm_protocol",                                             \
      "How the route was configured, as a RouteOrigin.")                      \
    X(valid_lifetime, U32, AT(ValidLifetime), NIO_FIELD_VOLATILE, BOTH, NULL, \
      "seconds", ROW "ValidLifetime; RTA_CACHEINFO rta_expires",              \
      "How long the route is valid, counted from the time of the row;\n"      \
      "INFINITE when it does not expire. Counts down, so it is not "          \
      "compared.")                                                            \
    X(preferred_lifetime, U32, AT(PreferredLifetime), NIO_FIELD_VOLATILE,     \
      BOTH, NULL, "seconds",                                                  \
      ROW "PreferredLifetime; RTA_CACHEINFO rta_expires",                     \
      "How long the route is preferred, counted from the time of the row;\n"  \
      "INFINITE without an end. Not compared.")                               \
    X(site_prefix_length, U8, AT(SitePrefixLength), 0, WINDOWS, NULL, "bits", \
      ROW "SitePrefixLength; none", "The length of the site prefix.")         \
    X(loopback, BOOL, AT(Loopback), 0, BOTH, NULL, "no unit",                 \
      ROW "Loopback; rtm_type and RTA_OIF",                                   \
      "True for a route to this machine itself.")                             \
    X(autoconfigure_address, BOOL, AT(AutoconfigureAddress), 0, BOTH, NULL,   \
      "no unit", ROW "AutoconfigureAddress; RTPROT_KERNEL with an expiry",    \
      "True when the system configures addresses from this prefix itself.")   \
    X(publish, BOOL, AT(Publish), 0, BOTH, NULL, "no unit",                   \
      ROW "Publish; always False",                                            \
      "True when router advertisements contain the route. The Linux kernel\n" \
      "sends none.")                                                          \
    X(immortal, BOOL, AT(Immortal), 0, BOTH, NULL, "no unit",                 \
      ROW "Immortal; no rta_expires", "True when the route does not expire.") \
    X(age, U32, AT(Age), NIO_FIELD_VOLATILE, WINDOWS, NULL, "seconds",        \
      ROW "Age; none",                                                        \
      "The time since the route was added or changed. Not compared.")         \
    X(table, U32, LINUX_AT(Table), NIO_FIELD_BRIEF, LINUX, NULL, "no unit",   \
      "RTA_TABLE", "The routing table: 254 is main, 253 default, 255 local.") \
    X(type, ENUM8, LINUX_AT(Type), NIO_FIELD_BRIEF, LINUX, RouteType,         \
      "no unit", "rtm_type",                                                  \
      "What happens to a packet, as a RouteType: UNICAST, BLACKHOLE, ...")    \
    X(tos, U8, LINUX_AT(Tos), 0, LINUX, NULL, "no unit", "rtm_tos",           \
      "The type of service that the route is for; 0: any.")                   \
    X(preferred_source, RAW_ADDRESS, LINUX_AT(PreferredSource),               \
      NIO_FIELD_OPTIONAL, LINUX, NULL, "no unit", "RTA_PREFSRC",              \
      "The preferred source address; None when the route has none.")          \
    X(nexthop_id, U32, LINUX_AT(NexthopId), NIO_FIELD_OPTIONAL, LINUX, NULL,  \
      "no unit", "RTA_NH_ID",                                                 \
      "The nexthop object that the route uses; None when it uses none.")      \
    X(weight, U16, LINUX_AT(Weight), 0, LINUX, NULL, "no unit",               \
      "rtnh_hops + 1",                                                        \
      "The weight of this leg of a multipath route; 1 in a route of one\n"    \
      "leg.")                                                                 \
    X(flags, U8, LINUX_AT(Flags), 0, LINUX, NULL, "no unit",                  \
      "rtm_flags or rtnh_flags",                                              \
      "The bits RTNH_F_*: 1 dead, 4 onlink, 8 offload, 16 linkdown, ...")     \
    X(onlink, BIT, LINUX_AT(Flags), NIO_FIELD_VIRTUAL | NIO_FIELD_NUMBER(2),  \
      LINUX, NULL, "no unit", "RTNH_F_ONLINK",                                \
      "True when the gateway counts as being on the link, whatever the\n"     \
      "addresses say.")                                                       \
    X(dead, BIT, LINUX_AT(Flags), NIO_FIELD_VIRTUAL | NIO_FIELD_NUMBER(0),    \
      LINUX, NULL, "no unit", "RTNH_F_DEAD",                                  \
      "True when the leg cannot be used. Always False: a dead leg is no\n"    \
      "row, and a leg that dies is deleted.")                                 \
    X(linkdown, BIT, LINUX_AT(Flags),                                         \
      NIO_FIELD_VIRTUAL | NIO_FIELD_NUMBER(4), LINUX, NULL, "no unit",        \
      "RTNH_F_LINKDOWN", "True while the interface has no carrier.")          \
    X(offload, BIT, LINUX_AT(Flags), NIO_FIELD_VIRTUAL | NIO_FIELD_NUMBER(3), \
      LINUX, NULL, "no unit", "RTNH_F_OFFLOAD, RTM_F_OFFLOAD",                \
      "True when hardware forwards by this route.")                           \
    X(scope, ENUM8, LINUX_AT(Scope), 0, LINUX, RouteScope, "no unit",         \
      "rtm_scope",                                                            \
      "How far the destination is, as a RouteScope: HOST for an address of\n" \
      "this machine, LINK for one on the link, UNIVERSE behind a gateway.\n"  \
      "IPv6 routes have UNIVERSE.")                                           \
    X(preference, ENUM8, LINUX_AT(Preference), 0, LINUX_IPV6,                 \
      RouterPreference, "no unit", "RTA_PREF",                                \
      "The preference of the router (RFC 4191), as a RouterPreference;\n"     \
      "MEDIUM where none was given.")                                         \
    X(instances, U16, LINUX_AT(Instances), 0, LINUX, NULL, "no unit",         \
      "the number of routes in RTM_GETROUTE",                                 \
      "How many routes of the kernel have this row's key; at most 65535. "    \
      "See\n"                                                                 \
      "docs/identity.md.")                                                    \
    X(source_prefix, ITEM_PREFIX, LINUX_AT(Extra),                            \
      NIO_FIELD_ITEM(NIO_EXTRA_SOURCE_PREFIX), LINUX, NULL, "no unit",        \
      "RTA_SRC and rtm_src_len",                                              \
      "The source addresses that the route is for, as an ipaddress "          \
      "network;\n"                                                            \
      "None for all. IPv6 only.")                                             \
    X(encapsulation, ITEM_TEXT, LINUX_AT(Extra),                              \
      NIO_FIELD_ITEM(NIO_EXTRA_ENCAPSULATION), LINUX, NULL, "no unit",        \
      "RTA_ENCAP_TYPE and RTA_ENCAP",                                         \
      "The tunnel that packets enter, as `ip route` writes it: its kind,\n"   \
      "then its text, as in \"mpls 100/200\", \"seg6 mode encap segs 1\n"     \
      "[ fc00::1 ]\" or \"ip id 7 dst 192.0.2.1\"; None for none.")           \
    X(route_mtu, ITEM_U32, LINUX_AT(Extra),                                   \
      NIO_FIELD_ITEM(NIO_EXTRA_ROUTE_MTU), LINUX, NULL, "bytes", "RTAX_MTU",  \
      "The largest packet to this destination; None where the route sets\n"   \
      "none.")                                                                \
    X(kernel_protocol, U8, LINUX_AT(KernelProtocol), 0, LINUX, NULL,          \
      "no unit", "rtm_protocol",                                              \
      "What added the route, as a number RTPROT_* of the kernel.")            \
    X(key, IDENTITY, NIO_ABSENT, NIO_FIELD_KEY | NIO_FIELD_HIDDEN, BOTH,      \
      NULL, "no unit",                                                        \
      ROW                                                                     \
      "DestinationPrefix, NextHop, InterfaceLuid; with RTA_TABLE,\n"          \
      "rtm_tos, RTA_PRIORITY, RTA_SRC, rtm_type, rtm_protocol, RTA_ENCAP",    \
      "The identity of the route as bytes: two rows with the same key are\n"  \
      "two states of the same route. A dict of the current state can use "    \
      "it\n"                                                                  \
      "as its key.")

enum { FIELDS(NIO_FIELD_INDEX) FIELD_COUNT };

static const nio_field fields[FIELD_COUNT] = {FIELDS(NIO_FIELD_ROW)};

static PyGetSetDef getters[FIELD_COUNT + 1] = {
    FIELDS(NIO_FIELD_GETTER){NULL, NULL, NULL, NULL, NULL}};

const nio_schema nio_route_schema = {
    .kind = NIO_ROUTE,
    .type_name = "netioapi.IpForwardRow",
    .kind_name = "route",
    .doc =
        "IpForwardRow(destination_prefix, next_hop=None, *, "
        "interface_index=0, interface_luid=0)\n--\n\n"
        "A route: MIB_IPFORWARD_ROW2. Immutable; a field is converted when "
        "it\n"
        "is read.\n\n"
        "Rows come from get_ip_forward_table2(), from callbacks and from\n"
        "Watcher. A row that a program creates is a key for\n"
        "get_ip_forward_entry2(): destination_prefix is an ipaddress network\n"
        "or a str, next_hop an address (None: on the link), and one of\n"
        "interface_index and interface_luid is not 0. Its other fields are\n"
        "None, as in a row with details=False. A field that this system does\n"
        "not provide is None, too.\n\n"
        "Two rows are equal when all their fields are, except those that\n"
        "change by themselves (lifetimes and age). Two rows with the same\n"
        "`key` are states of the same route.\n\n"
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

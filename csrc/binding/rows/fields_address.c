/* SPDX-License-Identifier: MIT */
/* The fields of MIB_UNICASTIPADDRESS_ROW, the row of an address. */
#include "binding/rows/row.h"

#define AT(member) offsetof(MIB_UNICASTIPADDRESS_ROW, member)
#define LINUX_AT(member) NIO_LINUX_OFFSET(MIB_UNICASTIPADDRESS_ROW, member)
#define ROW "MIB_UNICASTIPADDRESS_ROW."

#define FIELDS(X)                                                             \
    X(address, ADDRESS, AT(Address), NIO_FIELD_KEY | NIO_FIELD_BRIEF, BOTH,   \
      NULL, "no unit", ROW "Address; IFA_LOCAL or IFA_ADDRESS",               \
      "The address, as an ipaddress address. The zone of a link-local\n"      \
      "address is the row's interface.")                                      \
    X(on_link_prefix_length, U8, AT(OnLinkPrefixLength), NIO_FIELD_BRIEF,     \
      BOTH, NULL, "bits", ROW "OnLinkPrefixLength; ifa_prefixlen",            \
      "How many leading bits are the same in all addresses on the link.")     \
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
      ROW "InterfaceIndex; ifa_index",                                        \
      "The interface's index, as socket.if_nametoindex() gives it.")          \
    X(interface_luid, U64, AT(InterfaceLuid), NIO_FIELD_KEY, BOTH, NULL,      \
      "no unit", ROW "InterfaceLuid; ifi_type and ifa_index",                 \
      "The interface's locally unique identifier. On Windows it stays the\n"  \
      "same after a restart of the machine; on Linux it consists of the\n"    \
      "interface's type and index.")                                          \
    X(family, FAMILY, AT(Address.si_family),                                  \
      NIO_FIELD_KEY | NIO_FIELD_VIRTUAL, BOTH, NULL, "no unit",               \
      ROW "Address.si_family; ifa_family",                                    \
      "socket.AF_INET or socket.AF_INET6.")                                   \
    X(dad_state, ENUM32, AT(DadState), NIO_FIELD_BRIEF, BOTH, DadState,       \
      "no unit", ROW "DadState; IFA_FLAGS",                                   \
      "The result of duplicate address detection, as a DadState: only a\n"    \
      "PREFERRED or DEPRECATED address can be used.")                         \
    X(prefix_origin, ENUM32, AT(PrefixOrigin), 0, BOTH, PrefixOrigin,         \
      "no unit", ROW "PrefixOrigin; IFA_PROTO and IFA_FLAGS",                 \
      "How the prefix was configured, as a PrefixOrigin. The Linux kernel\n"  \
      "does not record DHCP: a manual address with a lifetime has DHCP.")     \
    X(suffix_origin, ENUM32, AT(SuffixOrigin), 0, BOTH, SuffixOrigin,         \
      "no unit", ROW "SuffixOrigin; IFA_PROTO and IFA_FLAGS",                 \
      "How the rest of the address was configured, as a SuffixOrigin.")       \
    X(valid_lifetime, U32, AT(ValidLifetime), NIO_FIELD_VOLATILE, BOTH, NULL, \
      "seconds", ROW "ValidLifetime; IFA_CACHEINFO ifa_valid",                \
      "How long the address is valid, counted from the time of the row;\n"    \
      "INFINITE when it does not expire. Counts down, so it is not "          \
      "compared.")                                                            \
    X(preferred_lifetime, U32, AT(PreferredLifetime), NIO_FIELD_VOLATILE,     \
      BOTH, NULL, "seconds",                                                  \
      ROW "PreferredLifetime; IFA_CACHEINFO ifa_prefered",                    \
      "How long the address is preferred, counted from the time of the\n"     \
      "row; INFINITE without an end. Not compared.")                          \
    X(skip_as_source, BOOL, AT(SkipAsSource), 0, BOTH, NULL, "no unit",       \
      ROW "SkipAsSource; always False",                                       \
      "True when the system does not use it as a source address by itself.\n" \
      "Linux has no such flag.")                                              \
    X(scope_id, U32, AT(ScopeId), 0, BOTH, NULL, "no unit",                   \
      ROW "ScopeId; ifa_index if link-local",                                 \
      "For a link-local address its zone, in the lower 28 bits; otherwise "   \
      "0.")                                                                   \
    X(creation_time_stamp, TIME, AT(CreationTimeStamp), 0, BOTH, NULL,        \
      "100 nanoseconds since 1601-01-01 UTC",                                 \
      ROW "CreationTimeStamp; IFA_CACHEINFO cstamp",                          \
      "When the address was added.")                                          \
    X(flags, U32, LINUX_AT(Flags), 0, LINUX, NULL, "no unit", "IFA_FLAGS",    \
      "The bits IFA_F_*: 1 temporary or secondary, 0x40 tentative,\n"         \
      "0x80 permanent, ...")                                                  \
    X(peer, RAW_ADDRESS, LINUX_AT(Peer), NIO_FIELD_OPTIONAL, LINUX, NULL,     \
      "no unit", "IFA_ADDRESS where it is not IFA_LOCAL",                     \
      "The other end of a point-to-point link; None when there is none.")     \
    X(label, LABEL, LINUX_AT(Label), NIO_FIELD_OPTIONAL, LINUX, NULL,         \
      "no unit", "IFA_LABEL",                                                 \
      "The label of an IPv4 address: the interface's name, or an alias "      \
      "such\n"                                                                \
      "as \"eth0:1\"; None in IPv6.")                                         \
    X(scope, ENUM8, LINUX_AT(Scope), 0, LINUX, RouteScope, "no unit",         \
      "ifa_scope", "Where the address is valid, as a RouteScope.")            \
    X(broadcast, RAW_ADDRESS, LINUX_AT(Broadcast), NIO_FIELD_OPTIONAL, LINUX, \
      NULL, "no unit", "IFA_BROADCAST",                                       \
      "The broadcast address; None when there is none, and in IPv6.")         \
    X(key, IDENTITY, NIO_ABSENT, NIO_FIELD_KEY | NIO_FIELD_HIDDEN, BOTH,      \
      NULL, "no unit",                                                        \
      ROW "Address, InterfaceLuid; with ifa_prefixlen and IFA_ADDRESS",       \
      "The identity of the address as bytes: two rows with the same key "     \
      "are\n"                                                                 \
      "two states of the same address. A dict of the current state can use\n" \
      "it as its key.")

enum { FIELDS(NIO_FIELD_INDEX) FIELD_COUNT };

static const nio_field fields[FIELD_COUNT] = {FIELDS(NIO_FIELD_ROW)};

static PyGetSetDef getters[FIELD_COUNT + 1] = {
    FIELDS(NIO_FIELD_GETTER){NULL, NULL, NULL, NULL, NULL}};

const nio_schema nio_address_schema = {
    .kind = NIO_ADDRESS,
    .type_name = "netioapi.UnicastIpAddressRow",
    .kind_name = "address",
    .doc =
        "UnicastIpAddressRow(address, *, interface_index=0, "
        "interface_luid=0)\n--\n\n"
        "An address of an interface: MIB_UNICASTIPADDRESS_ROW. Immutable; a\n"
        "field is converted when it is read.\n\n"
        "Rows come from get_unicast_ip_address_table(), from callbacks and\n"
        "from Watcher. A row that a program creates is a key for\n"
        "get_unicast_ip_address_entry(): address is an ipaddress address, a\n"
        "str or packed bytes, and one of interface_index and interface_luid\n"
        "is not 0. Its other fields are None, as in a row with\n"
        "details=False. A field that this system does not provide is None,\n"
        "too.\n\n"
        "Two rows are equal when all their fields are, except those that\n"
        "change by themselves (lifetimes). Two rows with the same `key` are\n"
        "states of the same address.\n\n"
        "Raises: InvalidParameterError, TypeError.\n"
        "Source: MIB_UNICASTIPADDRESS_ROW; RTM_NEWADDR, RTM_DELADDR.",
    .fields = fields,
    .field_count = FIELD_COUNT,
    .getters = getters,
    .row_size = sizeof(MIB_UNICASTIPADDRESS_ROW),
    .family_offset = AT(Address.si_family),
    .luid_offset = AT(InterfaceLuid),
    .index_offset = AT(InterfaceIndex),
};

/* SPDX-License-Identifier: MIT */
/* The fields of MIB_UNICASTIPADDRESS_ROW, the row of an address. */
#include "binding/rows/row.h"

#define AT(member) offsetof(MIB_UNICASTIPADDRESS_ROW, member)
#define LINUX_AT(member) NIO_LINUX_OFFSET(MIB_UNICASTIPADDRESS_ROW, member)
#define ROW "MIB_UNICASTIPADDRESS_ROW."

#define FIELDS(X)                                                             \
    X(address, ADDRESS, AT(Address), NIO_FIELD_KEY | NIO_FIELD_BRIEF, BOTH,   \
      NULL, "no unit", ROW "Address; IFA_LOCAL or IFA_ADDRESS",               \
      "The address, as an ipaddress address. The zone of a link-local one\n"  \
      "is the interface of the row.")                                         \
    X(on_link_prefix_length, U8, AT(OnLinkPrefixLength), NIO_FIELD_BRIEF,     \
      BOTH, NULL, "bits", ROW "OnLinkPrefixLength; ifa_prefixlen",            \
      "How many leading bits the addresses on the link have in common.")      \
    X(interface_name, NAME, NIO_ABSENT, NIO_FIELD_KEY | NIO_FIELD_BRIEF,      \
      BOTH, NULL, "no unit",                                                  \
      "ConvertInterfaceLuidToAlias(" ROW "InterfaceLuid); IFLA_IFNAME",       \
      "The name of the interface now, at the time of reading; None when\n"    \
      "the interface is gone, or is in another network namespace than the\n"  \
      "thread that asks.")                                                    \
    X(interface_index, U32, AT(InterfaceIndex),                               \
      NIO_FIELD_KEY | NIO_FIELD_BRIEF, BOTH, NULL, "no unit",                 \
      ROW "InterfaceIndex; ifa_index",                                        \
      "The interface's index, as socket.if_nametoindex() gives it.")          \
    X(interface_luid, U64, AT(InterfaceLuid), NIO_FIELD_KEY, BOTH, NULL,      \
      "no unit", ROW "InterfaceLuid; ifi_type and ifa_index",                 \
      "The interface's locally unique identifier. On Windows it outlives\n"   \
      "a restart of the machine; on Linux it is made of the interface's\n"    \
      "type and index.")                                                      \
    X(family, FAMILY, AT(Address.si_family),                                  \
      NIO_FIELD_KEY | NIO_FIELD_VIRTUAL, BOTH, NULL, "no unit",               \
      ROW "Address.si_family; ifa_family",                                    \
      "socket.AF_INET or socket.AF_INET6.")                                   \
    X(dad_state, ENUM32, AT(DadState), NIO_FIELD_BRIEF, BOTH, DadState,       \
      "no unit", ROW "DadState; IFA_FLAGS",                                   \
      "What duplicate address detection says, as a DadState: only a\n"        \
      "PREFERRED or DEPRECATED address can be used.")                         \
    X(prefix_origin, ENUM32, AT(PrefixOrigin), 0, BOTH, PrefixOrigin,         \
      "no unit", ROW "PrefixOrigin; IFA_PROTO and IFA_FLAGS",                 \
      "Where the prefix comes from, as a PrefixOrigin. Linux does not know\n" \
      "DHCP: there a manual address with a lifetime is taken for one.")       \
    X(suffix_origin, ENUM32, AT(SuffixOrigin), 0, BOTH, SuffixOrigin,         \
      "no unit", ROW "SuffixOrigin; IFA_PROTO and IFA_FLAGS",                 \
      "Where the rest of the address comes from, as a SuffixOrigin.")         \
    X(valid_lifetime, U32, AT(ValidLifetime), NIO_FIELD_VOLATILE, BOTH, NULL, \
      "seconds", ROW "ValidLifetime; IFA_CACHEINFO ifa_valid",                \
      "How long the address is valid from when the row was made; INFINITE\n"  \
      "when it does not expire. Counts down, so it is not compared.")         \
    X(preferred_lifetime, U32, AT(PreferredLifetime), NIO_FIELD_VOLATILE,     \
      BOTH, NULL, "seconds",                                                  \
      ROW "PreferredLifetime; IFA_CACHEINFO ifa_prefered",                    \
      "How long the address is preferred from when the row was made;\n"       \
      "INFINITE when that does not end. Not compared.")                       \
    X(skip_as_source, BOOL, AT(SkipAsSource), 0, BOTH, NULL, "no unit",       \
      ROW "SkipAsSource; always False",                                       \
      "True when the address is not to be a source address. Linux has no\n"   \
      "such mark.")                                                           \
    X(scope_id, U32, AT(ScopeId), 0, BOTH, NULL, "no unit",                   \
      ROW "ScopeId; ifa_index if link-local",                                 \
      "The zone of a link-local address in the lower 28 bits; 0 for others.") \
    X(creation_time_stamp, TIME, AT(CreationTimeStamp), 0, BOTH, NULL,        \
      "100 nanoseconds since 1601-01-01 UTC",                                 \
      ROW "CreationTimeStamp; IFA_CACHEINFO cstamp",                          \
      "When the address was made.")                                           \
    X(flags, U32, LINUX_AT(Flags), 0, LINUX, NULL, "no unit", "IFA_FLAGS",    \
      "The bits IFA_F_*: 1 temporary or secondary, 0x40 tentative,\n"         \
      "0x80 permanent, ...")                                                  \
    X(peer, RAW_ADDRESS, LINUX_AT(Peer), NIO_FIELD_OPTIONAL, LINUX, NULL,     \
      "no unit", "IFA_ADDRESS where it is not IFA_LOCAL",                     \
      "The other end of a point-to-point link; None when there is none.")     \
    X(key, IDENTITY, NIO_ABSENT, NIO_FIELD_KEY | NIO_FIELD_HIDDEN, BOTH,      \
      NULL, "no unit",                                                        \
      ROW "Address, InterfaceLuid; with ifa_prefixlen and IFA_ADDRESS",       \
      "The identity of the address: two rows with the same key are two\n"     \
      "states of one address. Bytes, to key a dict of the current state by.")

enum { FIELDS(NIO_FIELD_INDEX) FIELD_COUNT };

static const nio_field fields[FIELD_COUNT] = {FIELDS(NIO_FIELD_ROW)};

static PyGetSetDef getters[FIELD_COUNT + 1] = {
    FIELDS(NIO_FIELD_GETTER){NULL, NULL, NULL, NULL, NULL}};

const nio_schema nio_address_schema = {
    .kind = NIO_ADDRESS,
    .type_name = "netioapi.UnicastIpAddressRow",
    .noun = "address",
    .doc =
        "UnicastIpAddressRow(address, *, interface_index=0, "
        "interface_luid=0)\n--\n\n"
        "An address of an interface: MIB_UNICASTIPADDRESS_ROW. Immutable; a\n"
        "field is decoded when it is read.\n\n"
        "Rows come from get_unicast_ip_address_table(), from callbacks and\n"
        "from Watcher. One made by hand is a key to look up with\n"
        "get_unicast_ip_address_entry(): address is an ipaddress address, a\n"
        "str or packed bytes, and one of interface_index and interface_luid\n"
        "is not 0. Its other fields, as those of a row with details=False,\n"
        "read as None. None also means that this system does not say.\n\n"
        "Two rows are equal when all fields are that do not change by\n"
        "themselves (lifetimes do); `key` tells whether two rows are of the\n"
        "same address.\n\n"
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

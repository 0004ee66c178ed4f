/* SPDX-License-Identifier: MIT */
/* Evaluating a filter, and copying it. nio_filter_accepts runs on the system's
 * thread for every change: it takes no lock, allocates nothing and makes no
 * system call. */
#include "base/filter.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

/* RT_TABLE_LOCAL of Linux, the table of the machine's own addresses. On
 * Windows nio_row_table() is always 0. */
enum { LOCAL_TABLE = 255 };

static bool
contains(const ULONG *numbers, size_t count, ULONG wanted)
{
    for (size_t i = 0; i < count; i++) {
        if (numbers[i] == wanted) {
            return true;
        }
    }
    return false;
}

static bool
same_bits(const uint8_t *left, const uint8_t *right, unsigned bits)
{
    unsigned bytes = bits / 8, rest = bits % 8;

    if (memcmp(left, right, bytes) != 0) {
        return false;
    }
    return rest == 0 || ((left[bytes] ^ right[bytes]) >> (8 - rest)) == 0;
}

/* The bytes of an address and its number of bits; NULL for a family other than
 * AF_INET and AF_INET6. */
static const uint8_t *
address_bytes(const SOCKADDR_INET *address, unsigned *ret_bits)
{
    if (address->si_family == AF_INET) {
        *ret_bits = 32;
        return (const uint8_t *)&address->Ipv4.sin_addr;
    }
    if (address->si_family == AF_INET6) {
        *ret_bits = 128;
        return (const uint8_t *)&address->Ipv6.sin6_addr;
    }
    return NULL;
}

static bool
lengths_match(nio_prefix_match match, unsigned row, unsigned wanted)
{
    switch (match) {
    case NIO_EXACT:
        return row == wanted;
    case NIO_COVERING:
        return row <= wanted;
    case NIO_COVERED:
        break;
    }
    return row >= wanted;
}

/* True when address/length relates to one of the filter's prefixes as
 * prefix_match says: the lengths fit, and the bits that both have are equal.
 */
static bool
accepts_prefix(const nio_filter *filter, const SOCKADDR_INET *address,
               unsigned length)
{
    unsigned bits = 0;
    const uint8_t *bytes = address_bytes(address, &bits);

    if (filter->prefixes == NULL) {
        return true;
    }
    if (bytes == NULL || length > bits) {
        return false;
    }
    for (size_t i = 0; i < filter->prefix_count; i++) {
        const nio_prefix *prefix = &filter->prefixes[i];
        unsigned common = prefix->length < length ? prefix->length : length;
        if (prefix->family == address->si_family &&
            lengths_match(filter->prefix_match, length, prefix->length) &&
            same_bits(prefix->address, bytes, common)) {
            return true;
        }
    }
    return false;
}

static bool
accepts_family(const nio_filter *filter, ADDRESS_FAMILY family)
{
    return filter->family == AF_UNSPEC || filter->family == family;
}

bool
nio_filter_accepts_interface(const nio_filter *filter, NET_IFINDEX index)
{
    if (filter->interfaces == NULL && filter->names == NULL) {
        return true;
    }
    return (filter->interfaces != NULL &&
            contains(filter->interfaces, filter->interface_count, index)) ||
           (filter->bearers != NULL && index != 0 &&
            contains(filter->bearers, filter->name_count, index));
}

const WCHAR *
nio_filter_next_name(const nio_filter *filter, const WCHAR *name)
{
    const WCHAR *next = name == NULL ? filter->names : name + wcslen(name) + 1;
    return filter->names == NULL || next == filter->names + filter->name_size
               ? NULL
               : next;
}

static bool
accepts_route(const nio_filter *filter, const MIB_IPFORWARD_ROW2 *row)
{
    const IP_ADDRESS_PREFIX *destination = &row->DestinationPrefix;
    ULONG table = nio_row_table(row);

    if (filter->has_tables
            ? !contains(filter->tables, filter->table_count, table)
            : table == LOCAL_TABLE) {
        return false;
    }
    return accepts_family(filter, destination->Prefix.si_family) &&
           nio_filter_accepts_interface(filter, row->InterfaceIndex) &&
           (filter->protocols == NULL ||
            contains(filter->protocols, filter->protocol_count,
                     (ULONG)row->Protocol)) &&
           accepts_prefix(filter, &destination->Prefix,
                          destination->PrefixLength);
}

static bool
accepts_address(const nio_filter *filter, const MIB_UNICASTIPADDRESS_ROW *row)
{
    unsigned bits = row->Address.si_family == AF_INET ? 32 : 128;

    return accepts_family(filter, row->Address.si_family) &&
           nio_filter_accepts_interface(filter, row->InterfaceIndex) &&
           accepts_prefix(filter, &row->Address, bits);
}

bool
nio_filter_accepts(const nio_filter *filter, nio_kind kind, const void *row)
{
    static const nio_filter everything = {.family = AF_UNSPEC};
    const MIB_IPINTERFACE_ROW *interface = row;

    if (filter == NULL) {
        filter = &everything;
    }
    switch (kind) {
    case NIO_ROUTE:
        return accepts_route(filter, row);
    case NIO_ADDRESS:
        return accepts_address(filter, row);
    case NIO_INTERFACE:
        return accepts_family(filter, interface->Family) &&
               nio_filter_accepts_interface(filter, interface->InterfaceIndex);
    case NIO_KINDS:
        break;
    }
    return true;
}

/* Copies an array to `*at` and moves `*at` behind the copy. NULL stays NULL,
 * and an array without items stays an array: it accepts nothing. */
static const void *
copy_array(const void *array, size_t size, uint8_t **at)
{
    void *copy = *at;

    if (array == NULL) {
        return NULL;
    }
    if (size > 0) {
        memcpy(copy, array, size);
    }
    *at += size;
    return copy;
}

nio_filter *
nio_filter_copy(const nio_filter *filter)
{
    static const nio_filter everything = {.family = AF_UNSPEC};
    nio_filter *copy = NULL;
    uint8_t *at = NULL;

    if (filter == NULL) {
        filter = &everything;
    }
    const size_t tables = filter->table_count * sizeof(*filter->tables);
    const size_t interfaces =
        filter->interface_count * sizeof(*filter->interfaces);
    const size_t bearers = filter->name_count * sizeof(*filter->bearers);
    const size_t names = filter->name_size * sizeof(*filter->names);
    const size_t protocols =
        filter->protocol_count * sizeof(*filter->protocols);
    const size_t prefixes = filter->prefix_count * sizeof(*filter->prefixes);

    copy = malloc(sizeof(*copy) + tables + interfaces + bearers + protocols +
                  names + prefixes);
    if (copy == NULL) {
        return NULL;
    }
    *copy = *filter;
    /* In the order of decreasing alignment. */
    at = (uint8_t *)(copy + 1);
    copy->tables = copy_array(filter->tables, tables, &at);
    copy->interfaces = copy_array(filter->interfaces, interfaces, &at);
    copy->protocols = copy_array(filter->protocols, protocols, &at);
    copy->bearers = filter->names == NULL ? NULL : (NET_IFINDEX *)at;
    memset(at, 0, bearers);
    at += bearers;
    copy->names = copy_array(filter->names, names, &at);
    copy->prefixes = copy_array(filter->prefixes, prefixes, &at);
    return copy;
}

/* SPDX-License-Identifier: MIT */
/* Filters (base/filter.h) as a library for ctypes, for their comparison with a
 * model in Python (tests/linux/test_filter_model.py). */
#include "base/filter.h"

#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

/* A filter as numbers; a count of -1 means no array. */
typedef struct library_filter {
    int32_t family, match;
    int32_t table_count, interface_count, protocol_count, prefix_count;
    uint32_t tables[8], interfaces[8], protocols[8];
    nio_prefix prefixes[8];
} library_filter;

typedef struct library_row {
    int32_t kind, family, length;
    uint32_t table, interface, protocol;
    uint8_t address[16];
} library_row;

static size_t
items(int32_t count)
{
    return count < 0 ? 0 : (size_t)count;
}

static void
set_address(SOCKADDR_INET *ret, const library_row *row)
{
    ret->si_family = (ADDRESS_FAMILY)row->family;
    if (row->family == AF_INET) {
        memcpy(&ret->Ipv4.sin_addr, row->address, 4);
    } else {
        memcpy(&ret->Ipv6.sin6_addr, row->address, 16);
    }
}

static bool
accepts(const nio_filter *filter, const library_row *row)
{
    MIB_IPFORWARD_ROW2 route = {.InterfaceIndex = row->interface,
                                .Table = row->table};
    MIB_UNICASTIPADDRESS_ROW address = {.InterfaceIndex = row->interface};
    MIB_IPINTERFACE_ROW interface = {.InterfaceIndex = row->interface};

    switch (row->kind) {
    case NIO_ROUTE:
        route.Protocol = (NL_ROUTE_PROTOCOL)row->protocol;
        route.DestinationPrefix.PrefixLength = (UINT8)row->length;
        set_address(&route.DestinationPrefix.Prefix, row);
        return nio_filter_accepts(filter, NIO_ROUTE, &route);
    case NIO_ADDRESS:
        address.OnLinkPrefixLength = (UINT8)row->length;
        set_address(&address.Address, row);
        return nio_filter_accepts(filter, NIO_ADDRESS, &address);
    default:
        interface.Family = (ADDRESS_FAMILY)row->family;
        return nio_filter_accepts(filter, NIO_INTERFACE, &interface);
    }
}

/* Bit i of the result: the filter and a copy of it accept row i. -1: the two
 * differ. */
EXPORT int64_t
library_accepts(const library_filter *given, const library_row *rows,
                int32_t count)
{
    const nio_filter filter = {
        .family = (ADDRESS_FAMILY)given->family,
        .has_tables = given->table_count >= 0,
        .tables = given->table_count < 0 ? NULL : given->tables,
        .table_count = items(given->table_count),
        .interfaces = given->interface_count < 0 ? NULL : given->interfaces,
        .interface_count = items(given->interface_count),
        .protocols = given->protocol_count < 0 ? NULL : given->protocols,
        .protocol_count = items(given->protocol_count),
        .prefixes = given->prefix_count < 0 ? NULL : given->prefixes,
        .prefix_count = items(given->prefix_count),
        .prefix_match = (nio_prefix_match)given->match};
    nio_filter *copy = nio_filter_copy(&filter);
    int64_t accepted = copy == NULL ? -1 : 0;

    for (int32_t i = 0; i < count && accepted >= 0; i++) {
        const bool does = accepts(copy, &rows[i]);
        if (does != accepts(&filter, &rows[i])) {
            accepted = -1;
        } else if (does) {
            accepted |= INT64_C(1) << i;
        }
    }
    free(copy);
    return accepted;
}

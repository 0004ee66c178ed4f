/* SPDX-License-Identifier: MIT */
/* GetBestRoute2: the route with the longest prefix, then with the lowest sum
 * of its metric and its interface's; and the source address. */
#include "tables.h"

#include <string.h>

typedef struct search {
    const SOCKADDR_INET *destination;
    const SOCKADDR_INET *source; /* NULL: any */
    NET_LUID luid;               /* 0: any interface */
    const MIB_IPFORWARD_ROW2 *route;
    ULONG metric;
    const MIB_UNICASTIPADDRESS_ROW *address;
} search;

static size_t
common_bits(const SOCKADDR_INET *a, const SOCKADDR_INET *b)
{
    const UCHAR *of_a, *of_b;
    size_t size = standin_address_bytes(a, &of_a), bits = 0;
    standin_address_bytes(b, &of_b);
    while (bits < size * 8 &&
           ((of_a[bits / 8] ^ of_b[bits / 8]) & (0x80 >> bits % 8)) == 0) {
        bits++;
    }
    return bits;
}

/* The address of the route's interface that shares most bits with the
 * destination. */
static const MIB_UNICASTIPADDRESS_ROW *
find_source_locked(const search *in, const MIB_IPFORWARD_ROW2 *route)
{
    const store *rows = standin_table_locked(STANDIN_ADDRESS);
    const MIB_UNICASTIPADDRESS_ROW *best = NULL;
    size_t most = 0;
    for (size_t i = 0; i < rows->count; i++) {
        const MIB_UNICASTIPADDRESS_ROW *row = store_row(rows, i);
        if (row->InterfaceLuid.Value != route->InterfaceLuid.Value ||
            row->Address.si_family != in->destination->si_family ||
            (in->source != NULL &&
             !standin_same_address(&row->Address, in->source))) {
            continue;
        }
        size_t bits = common_bits(&row->Address, in->destination) * 2 +
                      (row->DadState == IpDadStatePreferred);
        if (best == NULL || bits > most) {
            best = row;
            most = bits;
        }
    }
    return best;
}

static void
consider_locked(search *in, const MIB_IPFORWARD_ROW2 *route)
{
    const IP_ADDRESS_PREFIX *prefix = &route->DestinationPrefix;
    MIB_IPINTERFACE_ROW key = {.Family = prefix->Prefix.si_family,
                               .InterfaceLuid = route->InterfaceLuid};
    if (prefix->Prefix.si_family != in->destination->si_family ||
        (in->luid.Value != 0 &&
         in->luid.Value != route->InterfaceLuid.Value) ||
        common_bits(&prefix->Prefix, in->destination) < prefix->PrefixLength) {
        return;
    }
    const MIB_IPINTERFACE_ROW *interface_row =
        standin_find_row_locked(STANDIN_INTERFACE, &key);
    if (interface_row == NULL || !interface_row->Connected) {
        return;
    }
    ULONG metric = route->Metric + interface_row->Metric;
    if (in->route != NULL) {
        UINT8 length = in->route->DestinationPrefix.PrefixLength;
        if (prefix->PrefixLength < length ||
            (prefix->PrefixLength == length && metric >= in->metric)) {
            return;
        }
    }
    const MIB_UNICASTIPADDRESS_ROW *address = find_source_locked(in, route);
    if (address != NULL) {
        in->route = route;
        in->metric = metric;
        in->address = address;
    }
}

static bool
is_unspecified(const SOCKADDR_INET *address)
{
    static const UCHAR zeros[16];
    const UCHAR *bytes;
    size_t size = standin_address_bytes(address, &bytes);
    return memcmp(bytes, zeros, size) == 0;
}

static DWORD
search_locked(search *in, const NET_LUID *luid, NET_IFINDEX index,
              MIB_IPFORWARD_ROW2 *ret_route, SOCKADDR_INET *ret_source)
{
    const store *rows = standin_table_locked(STANDIN_ROUTE);
    if (luid != NULL) {
        in->luid = *luid;
    }
    if (in->luid.Value != 0 || index != 0) {
        const standin_link *link = standin_find_link_locked(in->luid, index);
        if (link == NULL) {
            return ERROR_FILE_NOT_FOUND;
        }
        in->luid = link->luid;
    }
    for (size_t i = 0; i < rows->count; i++) {
        consider_locked(in, store_row(rows, i));
    }
    if (in->route == NULL) {
        return ERROR_NETWORK_UNREACHABLE;
    }
    *ret_route = *in->route;
    *ret_source = in->address->Address;
    return NO_ERROR;
}

EXPORT DWORD WINAPI
GetBestRoute2(NET_LUID *luid, NET_IFINDEX index, const SOCKADDR_INET *source,
              const SOCKADDR_INET *destination, ULONG options,
              PMIB_IPFORWARD_ROW2 ret_route, SOCKADDR_INET *ret_source)
{
    DWORD code = standin_failure(__func__);
    search in = {.destination = destination, .source = source};
    (void)options; /* unused, by Microsoft's documentation */
    if (destination == NULL || ret_route == NULL || ret_source == NULL ||
        !standin_is_plain_family(destination->si_family)) {
        return ERROR_INVALID_PARAMETER;
    }
    if (source != NULL && source->si_family != AF_UNSPEC &&
        source->si_family != destination->si_family) {
        return ERROR_INVALID_PARAMETER;
    }
    if (source != NULL && is_unspecified(source)) {
        in.source = NULL;
    }
    standin_lock();
    if (code == NO_ERROR) {
        code = search_locked(&in, luid, index, ret_route, ret_source);
    }
    standin_unlock();
    return code;
}

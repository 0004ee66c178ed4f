/* SPDX-License-Identifier: MIT */
/* GetIpForwardEntry2, GetUnicastIpAddressEntry, GetIpInterfaceEntry: one row,
 * named by its key members, as it is now. */
#include "rtnetlink/api/one_shot.h"

#include "rtnetlink/decode/rows.h"

#include <string.h>
#include <sys/socket.h>

#define LOOPBACK_INDEX 1u

static bool
is_link(const nio_one_shot *reading, uint32_t index, NET_LUID luid)
{
    const nio_link *link = nio_mirror_link(&reading->mirror, index);
    return link != NULL && (luid.Value == 0 ||
                            nio_luid(index, link->type).Value == luid.Value);
}

/* The interface that the caller means: the LUID if there is one, else the
 * index. 0 where it does not exist. A LUID has room for the low bits of a
 * large index only: the index tells then, if it is of that LUID. */
static uint32_t
find_interface(const nio_one_shot *reading, NET_LUID luid, NET_IFINDEX index)
{
    if (!is_link(reading, index, luid) && luid.Value != 0) {
        index = (NET_IFINDEX)luid.Info.NetLuidIndex;
    }
    return is_link(reading, index, luid) ? index : 0;
}

typedef struct route_search {
    const MIB_IPFORWARD_ROW2 *key;
    uint32_t index;
    bool found;
    nio_route route;
} route_search;

/* What a packet that no rule sends elsewhere would meet first. */
static bool
comes_before(const nio_route *a, const nio_route *b)
{
    bool a_is_main = a->table == RT_TABLE_MAIN;
    bool b_is_main = b->table == RT_TABLE_MAIN;
    return a_is_main != b_is_main ? a_is_main : a->priority < b->priority;
}

/* A row that we gave names its table, and so the one route that it was; one
 * that a program made as on Windows means the first that matches. */
static int
match_route(void *context, const nio_route *leg)
{
    route_search *search = context;
    const MIB_IPFORWARD_ROW2 *key = search->key;
    uint8_t destination[16], gateway[16];
    nio_sockaddr_bytes(&key->DestinationPrefix.Prefix, destination);
    nio_sockaddr_bytes(&key->NextHop, gateway);
    if (leg->family != key->DestinationPrefix.Prefix.si_family ||
        leg->prefix_length != key->DestinationPrefix.PrefixLength ||
        leg->oif != search->index ||
        memcmp(leg->destination, destination, 16) != 0 ||
        memcmp(leg->gateway, gateway, 16) != 0) {
        return 0;
    }
    if (key->Table != 0
            ? (leg->table != key->Table || leg->tos != key->Tos ||
               leg->priority != key->Metric)
            : (leg->table == RT_TABLE_LOCAL ||
               (search->found && !comes_before(leg, &search->route)))) {
        return 0;
    }
    search->route = *leg;
    search->found = true;
    return 0;
}

/* Of the first that matches there may be a better one. */
static bool
is_found(const void *context)
{
    const route_search *search = context;
    return search->found && search->key->Table != 0;
}

/* Rows on lo may be routes without an interface, which the kernel would not
 * find there: then all are read. */
static uint32_t
blackholes_too(uint32_t index)
{
    return index == LOOPBACK_INDEX ? 0 : index;
}

NETIO_STATUS NETIOAPI_API_
GetIpForwardEntry2(PMIB_IPFORWARD_ROW2 row)
{
    nio_one_shot reading;
    if (row == NULL || (row->DestinationPrefix.Prefix.si_family != AF_INET &&
                        row->DestinationPrefix.Prefix.si_family != AF_INET6)) {
        return ERROR_INVALID_PARAMETER;
    }
    DWORD code = nio_one_shot_open(&reading);
    if (code != NO_ERROR) {
        return code;
    }
    route_search search = {.key = row};
    search.index =
        find_interface(&reading, row->InterfaceLuid, row->InterfaceIndex);
    code = search.index == 0 ? ERROR_NOT_FOUND : nio_read_nexthops(&reading);
    if (code == NO_ERROR) {
        code = nio_find_routes(
            &reading, row->DestinationPrefix.Prefix.si_family,
            blackholes_too(search.index), match_route, is_found, &search);
    }
    if (code == NO_ERROR && !search.found) {
        code = ERROR_NOT_FOUND;
    }
    if (code == NO_ERROR) {
        nio_route_row(&search.route, &reading.mirror.links, row);
    }
    nio_one_shot_close(&reading);
    return code;
}

static const nio_address *
find_address(const nio_one_shot *reading, const MIB_UNICASTIPADDRESS_ROW *key,
             uint32_t index)
{
    static const uint8_t zero[16];
    bool exact = key->OnLinkPrefixLength != 0 &&
                 memcmp(key->Peer, zero, sizeof(zero)) != 0;
    uint8_t local[16];
    uint32_t cursor = 0;
    nio_address *address;
    nio_sockaddr_bytes(&key->Address, local);
    while ((address = nio_store_each(&reading->mirror.addresses, &cursor)) !=
           NULL) {
        if (address->index == index &&
            address->family == key->Address.si_family &&
            memcmp(address->local, local, 16) == 0 &&
            (!exact || memcmp(address->peer, key->Peer, 16) == 0) &&
            (key->OnLinkPrefixLength == 0 ||
             key->OnLinkPrefixLength == address->prefix_length)) {
            return address;
        }
    }
    return NULL;
}

NETIO_STATUS NETIOAPI_API_
GetUnicastIpAddressEntry(PMIB_UNICASTIPADDRESS_ROW row)
{
    nio_one_shot reading;
    if (row == NULL || (row->Address.si_family != AF_INET &&
                        row->Address.si_family != AF_INET6)) {
        return ERROR_INVALID_PARAMETER;
    }
    DWORD code = nio_one_shot_open(&reading);
    if (code != NO_ERROR) {
        return code;
    }
    uint32_t index =
        find_interface(&reading, row->InterfaceLuid, row->InterfaceIndex);
    code = index == 0 ? ERROR_FILE_NOT_FOUND : nio_read_addresses(&reading);
    if (code == NO_ERROR) {
        const nio_address *address = find_address(&reading, row, index);
        if (address == NULL) {
            code = ERROR_NOT_FOUND;
        } else {
            nio_address_row(address, &reading.mirror.links, row);
        }
    }
    nio_one_shot_close(&reading);
    return code;
}

NETIO_STATUS NETIOAPI_API_
GetIpInterfaceEntry(PMIB_IPINTERFACE_ROW row)
{
    nio_one_shot reading;
    if (row == NULL || (row->Family != AF_INET && row->Family != AF_INET6)) {
        return ERROR_INVALID_PARAMETER;
    }
    DWORD code = nio_one_shot_open(&reading);
    if (code != NO_ERROR) {
        return code;
    }
    uint32_t index =
        find_interface(&reading, row->InterfaceLuid, row->InterfaceIndex);
    code = index == 0 ? ERROR_FILE_NOT_FOUND : nio_read_times(&reading);
    if (code == NO_ERROR &&
        !nio_interface_row(nio_mirror_link(&reading.mirror, index),
                           row->Family, row)) {
        code = ERROR_NOT_FOUND;
    }
    nio_one_shot_close(&reading);
    return code;
}

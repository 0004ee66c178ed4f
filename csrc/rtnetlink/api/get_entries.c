/* SPDX-License-Identifier: MIT */
/* GetIpForwardEntry2, GetUnicastIpAddressEntry and GetIpInterfaceEntry: one
 * row, named by its key members, as it is now. The `Extra` of the key is
 * borrowed; that of the result is a reference of the caller's. */
#include "rtnetlink/api/route_reader.h"

#include "rtnetlink/decode/rows.h"

#include <string.h>
#include <sys/socket.h>

static bool
is_link(const nio_one_shot *one_shot, uint32_t index, NET_LUID luid)
{
    const nio_link *link = nio_mirror_link(&one_shot->mirror, index);
    return link != NULL && (luid.Value == 0 ||
                            nio_luid(index, link->type).Value == luid.Value);
}

/* Open a one-shot, and find the interface that a row names: by its LUID if
 * that is not zero, else by its index. `absent` is the code if
 * there is no such interface. To be closed on failure, too. */
static DWORD
open_for(nio_one_shot *one_shot, const nio_read_limit *limit, NET_LUID luid,
         NET_IFINDEX index, DWORD absent, uint32_t *ret_index)
{
    DWORD code = nio_one_shot_open(one_shot, limit);
    if (code != NO_ERROR) {
        return code;
    }
    if (!is_link(one_shot, index, luid) && luid.Value != 0) {
        index = nio_index_of_luid(luid);
    }
    *ret_index = index;
    return is_link(one_shot, index, luid) ? NO_ERROR : absent;
}

typedef struct route_search {
    const MIB_IPFORWARD_ROW2 *key;
    uint32_t index;
    bool found;
    nio_route route; /* with a reference to its block */
} route_search;

/* The order in which the kernel's default rules try routes of one prefix. */
static bool
comes_before(const nio_route *a, const nio_route *b)
{
    bool a_is_main = a->table == RT_TABLE_MAIN;
    bool b_is_main = b->table == RT_TABLE_MAIN;
    return a_is_main != b_is_main ? a_is_main : a->priority < b->priority;
}

/* The members that only a row of ours has, which names one route, or several
 * that count as its instances. */
static bool
matches_exactly(const nio_route *leg, const MIB_IPFORWARD_ROW2 *key)
{
    return leg->table == key->Table && leg->tos == key->Tos &&
           leg->priority == key->Metric && leg->type == key->Type &&
           leg->protocol == key->KernelProtocol &&
           nio_extra_same_key(leg->extra, key->Extra, NIO_EXTRA_LAST_OF_KEY);
}

/* A row that we made has a table. A row that a program made as on Windows has
 * none: it names the first route that matches. */
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
            ? !matches_exactly(leg, key)
            : (leg->table == RT_TABLE_LOCAL ||
               (search->found && !comes_before(leg, &search->route)))) {
        return 0;
    }
    if (search->found && key->Table != 0) {
        /* Another one of this key: the first one is the row. */
        search->route.instances =
            (uint16_t)(search->route.instances +
                       (search->route.instances < UINT16_MAX));
        return 0;
    }
    (void)nio_extra_keep(leg->extra);
    nio_extra_drop(search->route.extra);
    search->route = *leg;
    search->found = true;
    return 0;
}

/* Without a table in the key a later route may come first. */
static bool
is_found(const void *context)
{
    const route_search *search = context;
    return search->found && search->key->Table != 0;
}

/* Rows on lo may be of routes without an interface (blackholes), which a dump
 * of one interface's routes does not contain: then all routes are read. */
static uint32_t
index_to_dump(uint32_t index)
{
    return index == NIO_LOOPBACK_INDEX ? 0 : index;
}

NETIO_STATUS NETIOAPI_API_
GetIpForwardEntry2(PMIB_IPFORWARD_ROW2 row)
{
    return nio_get_route_entry(row, NULL);
}

NETIO_STATUS
nio_get_route_entry(PMIB_IPFORWARD_ROW2 row, const nio_read_limit *limit)
{
    nio_one_shot one_shot;
    if (row == NULL || (row->DestinationPrefix.Prefix.si_family != AF_INET &&
                        row->DestinationPrefix.Prefix.si_family != AF_INET6)) {
        return ERROR_INVALID_PARAMETER;
    }
    route_search search = {.key = row};
    DWORD code = open_for(&one_shot, limit, row->InterfaceLuid,
                          row->InterfaceIndex, ERROR_NOT_FOUND, &search.index);
    if (code == NO_ERROR) {
        const nio_route_query query = {.index = index_to_dump(search.index),
                                       .leg = match_route,
                                       .context = &search};
        code =
            nio_find_routes(&one_shot, row->DestinationPrefix.Prefix.si_family,
                            query, is_found);
    }
    if (code == NO_ERROR && !search.found) {
        code = ERROR_NOT_FOUND;
    }
    if (code == NO_ERROR) {
        nio_route_row(&search.route, &one_shot.mirror.links, 0, row);
        (void)nio_extra_keep(row->Extra);
    }
    nio_extra_drop(search.route.extra);
    nio_one_shot_close(&one_shot);
    return code;
}

/* The key may leave the prefix length at zero, and with it the peer. */
static const nio_address *
find_address(const nio_one_shot *one_shot, const MIB_UNICASTIPADDRESS_ROW *key,
             uint32_t index)
{
    static const uint8_t zero[16];
    bool exact = key->OnLinkPrefixLength != 0 &&
                 memcmp(key->Peer, zero, sizeof(zero)) != 0;
    uint8_t local[16];
    uint32_t cursor = 0;
    nio_address *address;
    nio_sockaddr_bytes(&key->Address, local);
    while ((address = nio_store_each(&one_shot->mirror.addresses, &cursor)) !=
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
    nio_one_shot one_shot;
    uint32_t index;
    if (row == NULL || (row->Address.si_family != AF_INET &&
                        row->Address.si_family != AF_INET6)) {
        return ERROR_INVALID_PARAMETER;
    }
    DWORD code = open_for(&one_shot, NULL, row->InterfaceLuid,
                          row->InterfaceIndex, ERROR_FILE_NOT_FOUND, &index);
    if (code == NO_ERROR) {
        code = nio_read_addresses(&one_shot);
    }
    if (code == NO_ERROR) {
        const nio_address *address = find_address(&one_shot, row, index);
        if (address == NULL) {
            code = ERROR_NOT_FOUND;
        } else {
            nio_address_row(address, &one_shot.mirror.links, 0, row);
        }
    }
    nio_one_shot_close(&one_shot);
    return code;
}

NETIO_STATUS NETIOAPI_API_
GetIpInterfaceEntry(PMIB_IPINTERFACE_ROW row)
{
    nio_one_shot one_shot;
    uint32_t index;
    if (row == NULL || (row->Family != AF_INET && row->Family != AF_INET6)) {
        return ERROR_INVALID_PARAMETER;
    }
    DWORD code = open_for(&one_shot, NULL, row->InterfaceLuid,
                          row->InterfaceIndex, ERROR_FILE_NOT_FOUND, &index);
    if (code == NO_ERROR) {
        code = nio_read_neighbour_times(&one_shot);
    }
    if (code == NO_ERROR &&
        !nio_interface_row(nio_mirror_link(&one_shot.mirror, index),
                           row->Family, row)) {
        code = ERROR_NOT_FOUND;
    }
    if (code == NO_ERROR) {
        (void)nio_extra_keep(row->Extra);
    }
    nio_one_shot_close(&one_shot);
    return code;
}

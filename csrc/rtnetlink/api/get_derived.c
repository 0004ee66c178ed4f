/* SPDX-License-Identifier: MIT */
/* GetTeredoPort, GetNetworkConnectivityHint and the stable address table: the
 * kernel keeps none of them, they are derived from its tables. */
#include "rtnetlink/api/get_derived.h"

#include "rtnetlink/api/errors.h"
#include "rtnetlink/api/route_reader.h"
#include "rtnetlink/engine/derived.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

/* To be closed on failure, too. */
static DWORD
open_with_addresses(nio_one_shot *one_shot, const nio_read_limit *limit)
{
    DWORD code = nio_one_shot_open(one_shot, limit);
    return code == NO_ERROR ? nio_read_addresses(one_shot) : code;
}

NETIO_STATUS NETIOAPI_API_
GetTeredoPort(USHORT *port)
{
    nio_one_shot one_shot;
    if (port == NULL) {
        return ERROR_INVALID_PARAMETER;
    }
    DWORD code = open_with_addresses(&one_shot, NULL);
    if (code == NO_ERROR) {
        *port = nio_teredo_port_of(&one_shot.mirror);
        code = *port == MIB_INVALID_TEREDO_PORT_NUMBER ? ERROR_NOT_READY
                                                       : NO_ERROR;
    }
    nio_one_shot_close(&one_shot);
    return code;
}

static int
keep_default_route(void *context, const nio_route *leg)
{
    nio_mirror *mirror = context;
    nio_route route = *leg;
    route.record.generation = mirror->generation;
    if (route.prefix_length != 0) {
        return 0;
    }
    if (nio_store_add(&mirror->routes, &route) == NULL) {
        return -ENOMEM;
    }
    (void)nio_extra_pool_use(route.extra); /* until the mirror ends */
    return 0;
}

static bool
has_internet(const void *context)
{
    return nio_hint_of(context).ConnectivityLevel ==
           NetworkConnectivityLevelHintInternetAccess;
}

NETIO_STATUS NETIOAPI_API_
GetNetworkConnectivityHint(NL_NETWORK_CONNECTIVITY_HINT *hint)
{
    return nio_get_connectivity_hint(hint, NULL);
}

NETIO_STATUS
nio_get_connectivity_hint(NL_NETWORK_CONNECTIVITY_HINT *hint,
                          const nio_read_limit *limit)
{
    nio_one_shot one_shot;
    if (hint == NULL) {
        return ERROR_INVALID_PARAMETER;
    }
    DWORD code = open_with_addresses(&one_shot, limit);
    if (code == NO_ERROR) {
        const nio_route_query query = {.leg = keep_default_route,
                                       .context = &one_shot.mirror};
        code = nio_find_routes(&one_shot, AF_UNSPEC, query, has_internet);
    }
    if (code == NO_ERROR) {
        *hint = nio_hint_of(&one_shot.mirror);
    }
    nio_one_shot_close(&one_shot);
    return code;
}

DWORD
nio_read_stable(ADDRESS_FAMILY family, bool *ret_stable)
{
    nio_one_shot one_shot;
    DWORD code = open_with_addresses(&one_shot, NULL);
    if (code == NO_ERROR) {
        *ret_stable = nio_is_stable(&one_shot.mirror, family);
    }
    nio_one_shot_close(&one_shot);
    return code;
}

static bool
is_usable(const MIB_UNICASTIPADDRESS_ROW *row)
{
    return row->DadState == IpDadStatePreferred ||
           row->DadState == IpDadStateDeprecated;
}

DWORD
nio_read_stable_table(ADDRESS_FAMILY family,
                      PMIB_UNICASTIPADDRESS_TABLE *ret_table)
{
    DWORD code = GetUnicastIpAddressTable(family, ret_table);
    if (code == ERROR_NOT_FOUND) {
        *ret_table = calloc(1, sizeof(**ret_table));
        return *ret_table == NULL ? ERROR_NOT_ENOUGH_MEMORY : NO_ERROR;
    }
    if (code != NO_ERROR) {
        return code;
    }
    PMIB_UNICASTIPADDRESS_TABLE table = *ret_table;
    ULONG kept = 0;
    for (ULONG i = 0; i < table->NumEntries; i++) {
        if (is_usable(&table->Table[i])) {
            table->Table[kept++] = table->Table[i];
        }
    }
    table->NumEntries = kept;
    return NO_ERROR;
}

uint64_t
nio_stable_table_digest(const MIB_UNICASTIPADDRESS_TABLE *table)
{
    uint64_t sum = 1; /* of the rows in any order; 0 is no digest */
    for (ULONG i = 0; i < table->NumEntries; i++) {
        const MIB_UNICASTIPADDRESS_ROW *row = &table->Table[i];
        uint64_t hash = nio_hash(&row->Address, sizeof(row->Address), 0);
        hash = nio_hash(row->Peer, sizeof(row->Peer), hash);
        hash = nio_mix(hash, (uint64_t)row->InterfaceIndex << 32 |
                                 row->OnLinkPrefixLength);
        sum += nio_mix(hash, (uint64_t)row->DadState);
    }
    return sum == 0 ? 1 : sum;
}

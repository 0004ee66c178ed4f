/* SPDX-License-Identifier: MIT */
/* GetTeredoPort, GetNetworkConnectivityHint and the stable address table: the
 * kernel keeps none of them, they are derived from its tables. */
#include "rtnetlink/api/get_derived.h"

#include "rtnetlink/api/errors.h"
#include "rtnetlink/api/one_shot.h"
#include "rtnetlink/engine/derived.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

/* To be closed on failure, too. */
static DWORD
open_with_addresses(nio_one_shot *one_shot)
{
    DWORD code = nio_one_shot_open(one_shot);
    return code == NO_ERROR ? nio_read_addresses(one_shot) : code;
}

NETIO_STATUS NETIOAPI_API_
GetTeredoPort(USHORT *port)
{
    nio_one_shot one_shot;
    if (port == NULL) {
        return ERROR_INVALID_PARAMETER;
    }
    DWORD code = open_with_addresses(&one_shot);
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
    route.extra = NULL; /* ends with the legs */
    route.record.generation = mirror->generation;
    if (route.prefix_length == 0 &&
        nio_store_add(&mirror->routes, &route) == NULL) {
        return -ENOMEM;
    }
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
    nio_one_shot one_shot;
    if (hint == NULL) {
        return ERROR_INVALID_PARAMETER;
    }
    DWORD code = open_with_addresses(&one_shot);
    if (code == NO_ERROR) {
        code = nio_read_nexthops(&one_shot);
    }
    if (code == NO_ERROR) {
        code = nio_find_routes(&one_shot, AF_UNSPEC, 0, keep_default_route,
                               has_internet, &one_shot.mirror);
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
    DWORD code = open_with_addresses(&one_shot);
    if (code == NO_ERROR) {
        *ret_stable = nio_is_stable(&one_shot.mirror, family);
    }
    nio_one_shot_close(&one_shot);
    return code;
}

DWORD
nio_read_address_table(ADDRESS_FAMILY family,
                       PMIB_UNICASTIPADDRESS_TABLE *ret_table)
{
    DWORD code = GetUnicastIpAddressTable(family, ret_table);
    if (code != ERROR_NOT_FOUND) {
        return code;
    }
    *ret_table = calloc(1, sizeof(**ret_table));
    return *ret_table == NULL ? ERROR_NOT_ENOUGH_MEMORY : NO_ERROR;
}

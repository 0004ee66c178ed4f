/* SPDX-License-Identifier: MIT */
/* GetTeredoPort, GetNetworkConnectivityHint and the stable address table: what
 * Windows keeps and the kernel does not, derived from the kernel's tables. */
#include "rtnetlink/api/get_derived.h"

#include "rtnetlink/api/errors.h"
#include "rtnetlink/api/one_shot.h"
#include "rtnetlink/engine/derived.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

NETIO_STATUS NETIOAPI_API_
GetTeredoPort(USHORT *port)
{
    nio_one_shot reading;
    if (port == NULL) {
        return ERROR_INVALID_PARAMETER;
    }
    DWORD code = nio_one_shot_open(&reading);
    if (code != NO_ERROR) {
        return code;
    }
    code = nio_read_addresses(&reading);
    if (code == NO_ERROR) {
        *port = nio_teredo_port_of(&reading.mirror);
        code = *port == MIB_INVALID_TEREDO_PORT_NUMBER ? ERROR_NOT_READY
                                                       : NO_ERROR;
    }
    nio_one_shot_close(&reading);
    return code;
}

static int
keep_default(void *context, const nio_route *leg)
{
    nio_mirror *mirror = context;
    nio_route route = *leg;
    route.record.mark = mirror->mark;
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
    nio_one_shot reading;
    if (hint == NULL) {
        return ERROR_INVALID_PARAMETER;
    }
    DWORD code = nio_one_shot_open(&reading);
    if (code != NO_ERROR) {
        return code;
    }
    code = nio_read_addresses(&reading);
    if (code == NO_ERROR) {
        code = nio_read_nexthops(&reading);
    }
    if (code == NO_ERROR) {
        code = nio_find_routes(&reading, AF_UNSPEC, 0, keep_default,
                               has_internet, &reading.mirror);
    }
    if (code == NO_ERROR) {
        *hint = nio_hint_of(&reading.mirror);
    }
    nio_one_shot_close(&reading);
    return code;
}

DWORD
nio_read_stable(ADDRESS_FAMILY family, bool *ret_stable)
{
    nio_one_shot reading;
    DWORD code = nio_one_shot_open(&reading);
    if (code != NO_ERROR) {
        return code;
    }
    code = nio_read_addresses(&reading);
    if (code == NO_ERROR) {
        *ret_stable = nio_is_stable(&reading.mirror, family);
    }
    nio_one_shot_close(&reading);
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

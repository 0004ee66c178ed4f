/* SPDX-License-Identifier: MIT */
/* Where IPv4 or IPv6 was removed from the machine, the system may refuse a
 * registration for both. Which family is left is found out by registrations
 * without an effect. */
#include "iphlpapi/families.h"

static nio_functions system_functions; /* as the system exports them */

static VOID NETIOAPI_API_
ignore(PVOID context, PMIB_IPINTERFACE_ROW row, MIB_NOTIFICATION_TYPE type)
{
    (void)context;
    (void)row;
    (void)type;
}

static bool
is_there(ADDRESS_FAMILY family)
{
    HANDLE handle = NULL;
    const NETIO_STATUS status =
        NIO_CALL(&system_functions, NotifyIpInterfaceChange, family, ignore,
                 NULL, FALSE, &handle);

    if (status == NO_ERROR && handle != NULL) {
        (void)NIO_CALL(&system_functions, CancelMibChangeNotify2, handle);
    }
    return status == NO_ERROR;
}

/* The family for which to register instead; AF_UNSPEC: the error stays. */
static ADDRESS_FAMILY
family_left(ADDRESS_FAMILY family, NETIO_STATUS status)
{
    if (family != AF_UNSPEC ||
        (status != ERROR_NOT_FOUND && status != ERROR_NOT_SUPPORTED)) {
        return AF_UNSPEC;
    }
    const bool ipv4 = is_there(AF_INET), ipv6 = is_there(AF_INET6);
    return ipv4 == ipv6 ? AF_UNSPEC : ipv4 ? AF_INET : AF_INET6;
}

#define NOTIFY(name, callback_type)                                           \
    static NETIO_STATUS NETIOAPI_API_ name##_wrapped(                         \
        ADDRESS_FAMILY family, callback_type callback, PVOID context,         \
        BOOLEAN initial, HANDLE *ret_handle)                                  \
    {                                                                         \
        NETIO_STATUS status = system_functions.name(                          \
            family, callback, context, initial, ret_handle);                  \
        const ADDRESS_FAMILY left = family_left(family, status);              \
        return left == AF_UNSPEC                                              \
                   ? status                                                   \
                   : system_functions.name(left, callback, context, initial,  \
                                           ret_handle);                       \
    }
NOTIFY(NotifyIpInterfaceChange, PIPINTERFACE_CHANGE_CALLBACK)
NOTIFY(NotifyUnicastIpAddressChange, PUNICAST_IPADDRESS_CHANGE_CALLBACK)
NOTIFY(NotifyRouteChange2, PIPFORWARD_CHANGE_CALLBACK)

static NETIO_STATUS NETIOAPI_API_
NotifyStableUnicastIpAddressTable_wrapped(
    ADDRESS_FAMILY family, PMIB_UNICASTIPADDRESS_TABLE *ret_table,
    PSTABLE_UNICAST_IPADDRESS_TABLE_CALLBACK callback, PVOID context,
    HANDLE *ret_handle)
{
    NETIO_STATUS status = system_functions.NotifyStableUnicastIpAddressTable(
        family, ret_table, callback, context, ret_handle);
    const ADDRESS_FAMILY left = family_left(family, status);
    return left == AF_UNSPEC
               ? status
               : system_functions.NotifyStableUnicastIpAddressTable(
                     left, ret_table, callback, context, ret_handle);
}

#define WRAP(name)                                                            \
    functions->name = functions->name == NULL ? NULL : name##_wrapped

void
nio_families_wrap(nio_functions *functions)
{
    system_functions = *functions;
    WRAP(NotifyIpInterfaceChange);
    WRAP(NotifyUnicastIpAddressChange);
    WRAP(NotifyRouteChange2);
    WRAP(NotifyStableUnicastIpAddressTable);
}

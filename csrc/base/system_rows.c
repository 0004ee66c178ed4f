/* SPDX-License-Identifier: MIT */
/* Reading rows by kind: see reading.h. */
#include "base/system_rows.h"

/* Calls a function of the system, if it has it. */
#define SYSTEM(function, ...)                                                 \
    (nio_system()->function == NULL ? ERROR_PROC_NOT_FOUND                    \
                                    : nio_system()->function(__VA_ARGS__))

NETIO_STATUS
nio_read_table(nio_kind kind, ADDRESS_FAMILY family, PVOID *ret_memory,
               const void **ret_rows, size_t *ret_count)
{
    PMIB_IPINTERFACE_TABLE interfaces = NULL;
    PMIB_UNICASTIPADDRESS_TABLE addresses = NULL;
    PMIB_IPFORWARD_TABLE2 routes = NULL;
    NETIO_STATUS status;

    *ret_memory = NULL;
    *ret_rows = NULL;
    *ret_count = 0;
    if (kind == NIO_INTERFACE) {
        status = SYSTEM(GetIpInterfaceTable, family, &interfaces);
    } else if (kind == NIO_ADDRESS) {
        status = SYSTEM(GetUnicastIpAddressTable, family, &addresses);
    } else {
        status = SYSTEM(GetIpForwardTable2, family, &routes);
    }
    if (status == ERROR_NOT_FOUND) {
        return NO_ERROR; /* no row is no failure */
    }
    if (status != NO_ERROR) {
        return status; /* what the pointers are then is not said */
    }
    if (interfaces != NULL) {
        *ret_memory = interfaces;
        *ret_rows = interfaces->Table;
        *ret_count = interfaces->NumEntries;
    } else if (addresses != NULL) {
        *ret_memory = addresses;
        *ret_rows = addresses->Table;
        *ret_count = addresses->NumEntries;
    } else if (routes != NULL) {
        *ret_memory = routes;
        *ret_rows = routes->Table;
        *ret_count = routes->NumEntries;
    }
    return NO_ERROR;
}

NETIO_STATUS
nio_read_entry(nio_kind kind, nio_any_row *row)
{
    if (kind == NIO_INTERFACE) {
        return SYSTEM(GetIpInterfaceEntry, &row->ip_interface);
    }
    if (kind == NIO_ADDRESS) {
        return SYSTEM(GetUnicastIpAddressEntry, &row->ip_address);
    }
    return SYSTEM(GetIpForwardEntry2, &row->route);
}

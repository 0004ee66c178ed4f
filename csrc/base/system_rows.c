/* SPDX-License-Identifier: MIT */
/* Which of the header's functions reads the rows of which kind. */
#include "base/system_rows.h"

NETIO_STATUS
nio_read_table(const nio_functions *system, nio_kind kind,
               ADDRESS_FAMILY family, PVOID *ret_memory, const void **ret_rows,
               size_t *ret_count)
{
    PMIB_IPINTERFACE_TABLE interfaces = NULL;
    PMIB_UNICASTIPADDRESS_TABLE addresses = NULL;
    PMIB_IPFORWARD_TABLE2 routes = NULL;
    NETIO_STATUS status;

    *ret_memory = NULL;
    *ret_rows = NULL;
    *ret_count = 0;
    if (kind == NIO_INTERFACE) {
        status = NIO_CALL(system, GetIpInterfaceTable, family, &interfaces);
    } else if (kind == NIO_ADDRESS) {
        status =
            NIO_CALL(system, GetUnicastIpAddressTable, family, &addresses);
    } else {
        status = NIO_CALL(system, GetIpForwardTable2, family, &routes);
    }
    if (status == ERROR_NOT_FOUND) {
        return NO_ERROR; /* an empty table is no failure */
    }
    if (status != NO_ERROR) {
        return status; /* the pointers are undefined then */
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
nio_read_entry(const nio_functions *system, nio_kind kind, nio_any_row *row)
{
    if (kind == NIO_INTERFACE) {
        return NIO_CALL(system, GetIpInterfaceEntry, &row->ip_interface);
    }
    if (kind == NIO_ADDRESS) {
        return NIO_CALL(system, GetUnicastIpAddressEntry, &row->ip_address);
    }
    return NIO_CALL(system, GetIpForwardEntry2, &row->route);
}

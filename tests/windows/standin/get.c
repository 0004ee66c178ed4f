/* SPDX-License-Identifier: MIT */
/* Get*Table, Get*Entry and the two functions for one value, as Windows exports
 * them. */
#include "registry.h"
#include "tables.h"

#include <string.h>

static bool
wanted(standin_kind kind, const void *row, ADDRESS_FAMILY family)
{
    return family == AF_UNSPEC || family == standin_family_of(kind, row);
}

void *
get_table_locked(standin_kind kind, ADDRESS_FAMILY family)
{
    const store *rows = standin_table_locked(kind);
    size_t count = 0;
    for (size_t i = 0; i < rows->count; i++) {
        count += wanted(kind, store_row(rows, i), family);
    }
    unsigned char *table = standin_table_new(rows->row_size, count);
    unsigned char *at = table + offsetof(MIB_IPFORWARD_TABLE2, Table);
    for (size_t i = 0; i < rows->count; i++) {
        const void *row = store_row(rows, i);
        if (wanted(kind, row, family)) {
            memcpy(at, row, rows->row_size);
            at += rows->row_size;
        }
    }
    return table;
}

static DWORD
get_table(const char *function, standin_kind kind, ADDRESS_FAMILY family,
          void **ret_table)
{
    DWORD code = standin_failure(function);
    if (ret_table == NULL) {
        return ERROR_INVALID_PARAMETER;
    }
    *ret_table = NULL;
    if (code == NO_ERROR && !standin_is_family(family)) {
        code = ERROR_INVALID_PARAMETER;
    }
    standin_lock();
    standin_figures[STANDIN_TABLE_CALLS]++;
    if (code == NO_ERROR) {
        void *table = get_table_locked(kind, family);
        if (*(const ULONG *)table == 0 || !standin_is_here_locked()) {
            standin_table_free(table);
            code = ERROR_NOT_FOUND;
        } else {
            standin_table_give_locked(table);
            *ret_table = table;
        }
    }
    standin_unlock();
    return code;
}

EXPORT DWORD WINAPI
GetIpInterfaceTable(ADDRESS_FAMILY family, PMIB_IPINTERFACE_TABLE *ret_table)
{
    return get_table(__func__, STANDIN_INTERFACE, family, (void **)ret_table);
}

EXPORT DWORD WINAPI
GetUnicastIpAddressTable(ADDRESS_FAMILY family,
                         PMIB_UNICASTIPADDRESS_TABLE *ret_table)
{
    return get_table(__func__, STANDIN_ADDRESS, family, (void **)ret_table);
}

EXPORT DWORD WINAPI
GetIpForwardTable2(ADDRESS_FAMILY family, PMIB_IPFORWARD_TABLE2 *ret_table)
{
    return get_table(__func__, STANDIN_ROUTE, family, (void **)ret_table);
}

/* `unknown`: the code for an interface that does not exist. */
static DWORD
get_entry(const char *function, standin_kind kind, void *row, NET_LUID luid,
          NET_IFINDEX index, DWORD unknown)
{
    DWORD code = standin_failure(function);
    standin_lock();
    while (standin_settings[STANDIN_READ_UNTIL] != 0 &&
           (DWORD)standin_figures[STANDIN_ENTRY_CALLS] >=
               standin_settings[STANDIN_READ_UNTIL]) {
        standin_figures[STANDIN_HELD]++;
        standin_wait_locked(INFINITE);
        standin_figures[STANDIN_HELD]--;
    }
    standin_figures[STANDIN_ENTRY_CALLS]++;
    if (code != NO_ERROR) {
        goto done;
    }
    if (!standin_is_plain_family(standin_family_of(kind, row)) ||
        (luid.Value == 0 && index == 0)) {
        code = ERROR_INVALID_PARAMETER;
        goto done;
    }
    if (!standin_is_here_locked()) {
        code = unknown;
        goto done;
    }
    const void *found = standin_find_row_locked(kind, row);
    if (found != NULL) {
        memcpy(row, found, standin_row_sizes[kind]);
    } else {
        code = standin_find_link_locked(luid, index) == NULL ? unknown
                                                             : ERROR_NOT_FOUND;
    }
done:
    standin_unlock();
    return code;
}

EXPORT DWORD WINAPI
GetIpInterfaceEntry(PMIB_IPINTERFACE_ROW row)
{
    return row == NULL ? ERROR_INVALID_PARAMETER
                       : get_entry(__func__, STANDIN_INTERFACE, row,
                                   row->InterfaceLuid, row->InterfaceIndex,
                                   ERROR_FILE_NOT_FOUND);
}

EXPORT DWORD WINAPI
GetUnicastIpAddressEntry(PMIB_UNICASTIPADDRESS_ROW row)
{
    return row == NULL
               ? ERROR_INVALID_PARAMETER
               : get_entry(__func__, STANDIN_ADDRESS, row, row->InterfaceLuid,
                           row->InterfaceIndex, ERROR_FILE_NOT_FOUND);
}

EXPORT DWORD WINAPI
GetIpForwardEntry2(PMIB_IPFORWARD_ROW2 row)
{
    return row == NULL
               ? ERROR_INVALID_PARAMETER
               : get_entry(__func__, STANDIN_ROUTE, row, row->InterfaceLuid,
                           row->InterfaceIndex, ERROR_NOT_FOUND);
}

EXPORT DWORD WINAPI
GetTeredoPort(USHORT *ret_port)
{
    DWORD code = standin_failure(__func__);
    if (ret_port == NULL) {
        return ERROR_INVALID_PARAMETER;
    }
    if (code != NO_ERROR) {
        return code;
    }
    standin_lock();
    *ret_port = standin_teredo_locked();
    standin_unlock();
    return *ret_port == 0 ? ERROR_NOT_READY : NO_ERROR;
}

EXPORT DWORD WINAPI
GetNetworkConnectivityHint(standin_hint *ret_hint)
{
    DWORD code = standin_failure(__func__);
    if (ret_hint == NULL) {
        return ERROR_INVALID_PARAMETER;
    }
    if (code != NO_ERROR) {
        return code;
    }
    standin_lock();
    *ret_hint = standin_hint_locked();
    standin_unlock();
    return NO_ERROR;
}

/* SPDX-License-Identifier: MIT */
/* GetIpForwardTable2, GetUnicastIpAddressTable, GetIpInterfaceTable and
 * FreeMibTable: the kernel's tables as they are now, in one block. */
#include "rtnetlink/api/one_shot.h"

#include "rtnetlink/decode/rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* A table while it grows: NumEntries, padding, then the rows. All three
 * tables of the contract begin like this. */
typedef struct growing {
    uint8_t *block; /* owned */
    size_t row_size;
    size_t count;
    size_t capacity;
    ADDRESS_FAMILY family;
    const nio_one_shot *reading;
} growing;

#define ROWS_OFFSET 8u

/* Room for one more row; NULL when memory is short. */
static void *
next_row(growing *table)
{
    if (table->count == table->capacity || table->block == NULL) {
        size_t capacity = table->capacity == 0 ? 64 : table->capacity * 2;
        uint8_t *block =
            realloc(table->block, ROWS_OFFSET + capacity * table->row_size);
        if (block == NULL) {
            return NULL;
        }
        table->block = block;
        table->capacity = capacity;
    }
    return table->block + ROWS_OFFSET + table->count++ * table->row_size;
}

/* Hand the block over: the caller frees it with FreeMibTable. */
static DWORD
finish(growing *table, DWORD code, void *ret_table)
{
    ULONG count = (ULONG)table->count;
    if (code == NO_ERROR && table->count == 0) {
        code = ERROR_NOT_FOUND; /* as Windows says it */
    }
    if (code != NO_ERROR) {
        free(table->block);
        return code;
    }
    memset(table->block, 0, ROWS_OFFSET);
    memcpy(table->block, &count, sizeof(count));
    /* Give back what growing in steps took too much of. */
    uint8_t *block =
        realloc(table->block, ROWS_OFFSET + table->count * table->row_size);
    block = block == NULL ? table->block : block;
    memcpy(ret_table, &block, sizeof(block));
    return NO_ERROR;
}

static bool
is_family(ADDRESS_FAMILY family)
{
    return family == AF_UNSPEC || family == AF_INET || family == AF_INET6;
}

/* The local table says what the addresses say already. */
static int
take_route(void *context, const nio_route *leg)
{
    growing *table = context;
    if (leg->table == RT_TABLE_LOCAL) {
        return 0;
    }
    MIB_IPFORWARD_ROW2 *row = next_row(table);
    if (row == NULL) {
        return -ENOMEM;
    }
    nio_route_row(leg, &table->reading->mirror.links, row);
    return 0;
}

static int
keep_route(void *context, const nio_route *leg)
{
    nio_mirror *mirror = context;
    nio_route copy = *leg;
    nio_legs legs = {.legs = &copy, .count = 1};
    nio_mirror_dumped_route(mirror, &legs);
    return mirror->allocation_failed ? -ENOMEM : 0;
}

/* A walk that raced with changes may leave rows out and give others twice,
 * and IPv6 does not say so (see reconcile.c). Then it is done again: what one
 * of the next few has seen is there, and the first quiet one is exact. */
static DWORD
read_again(nio_one_shot *reading, growing *table, nio_event_socket *feed)
{
    nio_mirror *mirror = &reading->mirror;
    uint32_t cursor = 0;
    nio_route *route;
    bool quiet = false;
    for (int i = 0; !quiet && i < NIO_MOST_READINGS; i++) {
        nio_mirror_begin_dump(mirror);
        DWORD code =
            nio_read_routes(reading, table->family, 0, keep_route, mirror);
        if (code != NO_ERROR) {
            return code;
        }
        quiet = !nio_route_changed(feed);
    }
    table->count = 0;
    while ((route = nio_store_each(&mirror->routes, &cursor)) != NULL) {
        if ((!quiet || route->record.mark == mirror->mark) &&
            take_route(table, route) < 0) {
            return ERROR_NOT_ENOUGH_MEMORY;
        }
    }
    return NO_ERROR;
}

static DWORD
read_routes(nio_one_shot *reading, growing *table)
{
    nio_event_socket feed;
    DWORD code = nio_subscribe_routes(&feed);
    if (code != NO_ERROR) {
        return code;
    }
    code = nio_read_routes(reading, table->family, 0, take_route, table);
    if (code == NO_ERROR && nio_route_changed(&feed)) {
        code = read_again(reading, table, &feed);
    }
    nio_event_socket_close(&feed);
    return code;
}

static DWORD
take_addresses(growing *table)
{
    const nio_mirror *mirror = &table->reading->mirror;
    uint32_t cursor = 0;
    nio_address *address;
    while ((address = nio_store_each(&mirror->addresses, &cursor)) != NULL) {
        if (table->family != AF_UNSPEC && table->family != address->family) {
            continue;
        }
        MIB_UNICASTIPADDRESS_ROW *row = next_row(table);
        if (row == NULL) {
            return ERROR_NOT_ENOUGH_MEMORY;
        }
        nio_address_row(address, &mirror->links, row);
    }
    return NO_ERROR;
}

static DWORD
take_interfaces(growing *table)
{
    static const ADDRESS_FAMILY families[] = {AF_INET, AF_INET6};
    uint32_t cursor = 0;
    nio_link *link;
    while ((link = nio_store_each(&table->reading->mirror.links, &cursor)) !=
           NULL) {
        for (size_t i = 0; i < 2; i++) {
            MIB_IPINTERFACE_ROW row;
            if ((table->family == AF_UNSPEC || table->family == families[i]) &&
                nio_interface_row(link, families[i], &row)) {
                void *at = next_row(table);
                if (at == NULL) {
                    return ERROR_NOT_ENOUGH_MEMORY;
                }
                memcpy(at, &row, sizeof(row));
            }
        }
    }
    return NO_ERROR;
}

/* Opens a reading for a table; on failure there is nothing to close. */
static DWORD
begin(ADDRESS_FAMILY family, bool has_table, size_t row_size,
      nio_one_shot *reading, growing *ret_table)
{
    growing table = {
        .row_size = row_size, .family = family, .reading = reading};
    *ret_table = table;
    if (!has_table || !is_family(family)) {
        return ERROR_INVALID_PARAMETER;
    }
    return nio_one_shot_open(reading);
}

NETIO_STATUS NETIOAPI_API_
GetIpForwardTable2(ADDRESS_FAMILY family, PMIB_IPFORWARD_TABLE2 *ret_table)
{
    nio_one_shot reading;
    growing table;
    DWORD code = begin(family, ret_table != NULL, sizeof(MIB_IPFORWARD_ROW2),
                       &reading, &table);
    if (code != NO_ERROR) {
        return code;
    }
    code = nio_read_nexthops(&reading);
    if (code == NO_ERROR) {
        code = read_routes(&reading, &table);
    }
    code = finish(&table, code, ret_table);
    nio_one_shot_close(&reading);
    return code;
}

NETIO_STATUS NETIOAPI_API_
GetUnicastIpAddressTable(ADDRESS_FAMILY family,
                         PMIB_UNICASTIPADDRESS_TABLE *ret_table)
{
    nio_one_shot reading;
    growing table;
    DWORD code = begin(family, ret_table != NULL,
                       sizeof(MIB_UNICASTIPADDRESS_ROW), &reading, &table);
    if (code != NO_ERROR) {
        return code;
    }
    code = nio_read_addresses(&reading);
    if (code == NO_ERROR) {
        code = take_addresses(&table);
    }
    code = finish(&table, code, ret_table);
    nio_one_shot_close(&reading);
    return code;
}

NETIO_STATUS NETIOAPI_API_
GetIpInterfaceTable(ADDRESS_FAMILY family, PMIB_IPINTERFACE_TABLE *ret_table)
{
    nio_one_shot reading;
    growing table;
    DWORD code = begin(family, ret_table != NULL, sizeof(MIB_IPINTERFACE_ROW),
                       &reading, &table);
    if (code != NO_ERROR) {
        return code;
    }
    code = nio_read_times(&reading);
    if (code == NO_ERROR) {
        code = take_interfaces(&table);
    }
    code = finish(&table, code, ret_table);
    nio_one_shot_close(&reading);
    return code;
}

VOID NETIOAPI_API_
FreeMibTable(PVOID memory)
{
    free(memory);
}

/* SPDX-License-Identifier: MIT */
/* GetIpForwardTable2, GetUnicastIpAddressTable, GetIpInterfaceTable and
 * FreeMibTable: the kernel's tables as they are now, in one block. */
#include "rtnetlink/api/one_shot.h"

#include "rtnetlink/decode/rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* What all three tables of the contract begin with. The padding says for
 * FreeMibTable which rows follow, if some of them have references. */
typedef struct header {
    ULONG count;       /* NumEntries */
    ULONG extras_kind; /* a nio_kind; NIO_KINDS: no row has a reference */
} header;

/* A table while it grows: the header, then the rows. */
typedef struct growing {
    uint8_t *block; /* owned, and so are the references of its rows */
    nio_kind kind;
    bool has_extras;
    size_t row_size;
    size_t count;
    size_t capacity;
    ADDRESS_FAMILY family;
    nio_one_shot *one_shot;
} growing;

#define ROWS_OFFSET sizeof(header)

static const size_t row_sizes[NIO_KINDS] = {
    [NIO_INTERFACE] = sizeof(MIB_IPINTERFACE_ROW),
    [NIO_ADDRESS] = sizeof(MIB_UNICASTIPADDRESS_ROW),
    [NIO_ROUTE] = sizeof(MIB_IPFORWARD_ROW2),
};

/* Ends the references of rows to what is rare in them (base/extra.h). */
static void
drop_extras(nio_kind kind, const uint8_t *block, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        nio_extra_drop(
            nio_extra_of(kind, block + ROWS_OFFSET + i * row_sizes[kind]));
    }
}

/* Room for one more row; NULL on allocation failure. */
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

/* Gives the block to the caller, to be freed with FreeMibTable. */
static DWORD
finish(growing *table, DWORD code, void *ret_table)
{
    const header header = {(ULONG)table->count,
                           table->has_extras ? table->kind : NIO_KINDS};
    if (code == NO_ERROR && table->count == 0) {
        code = ERROR_NOT_FOUND; /* as on Windows */
    }
    if (code != NO_ERROR) {
        drop_extras(table->kind, table->block, table->count);
        free(table->block);
        return code;
    }
    memcpy(table->block, &header, sizeof(header));
    /* The capacity doubles: give back what is unused. */
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

/* Routes of the local table only repeat the addresses. */
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
    nio_route_row(leg, &table->one_shot->mirror.links, row);
    table->has_extras |= nio_extra_keep(row->Extra) != NULL;
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

/* A dump with which changes race may lack rows and contain others twice, and
 * the kernel does not report it (mirror/route_dump.h). So the table is read
 * again: the first read with which no change races is exact; without one,
 * every row that any of the reads found did exist. */
static DWORD
read_routes_again(growing *table, nio_event_socket *events)
{
    nio_mirror *mirror = &table->one_shot->mirror;
    uint32_t cursor = 0;
    nio_route *route;
    bool quiet = false;
    for (int i = 0; !quiet && i < NIO_MAX_ROUTE_READS; i++) {
        nio_mirror_begin_dump(mirror);
        DWORD code = nio_read_routes(table->one_shot, table->family, 0,
                                     keep_route, mirror);
        if (code != NO_ERROR) {
            return code;
        }
        quiet = !nio_route_changed(events);
    }
    drop_extras(table->kind, table->block, table->count);
    table->count = 0;
    while ((route = nio_store_each(&mirror->routes, &cursor)) != NULL) {
        if ((!quiet || route->record.generation == mirror->generation) &&
            take_route(table, route) < 0) {
            return ERROR_NOT_ENOUGH_MEMORY;
        }
    }
    return NO_ERROR;
}

static DWORD
take_routes(growing *table)
{
    nio_event_socket events;
    DWORD code = nio_read_nexthops(table->one_shot);
    if (code == NO_ERROR) {
        code = nio_subscribe_routes(&events);
    }
    if (code != NO_ERROR) {
        return code;
    }
    code =
        nio_read_routes(table->one_shot, table->family, 0, take_route, table);
    if (code == NO_ERROR && nio_route_changed(&events)) {
        code = read_routes_again(table, &events);
    }
    nio_event_socket_close(&events);
    return code;
}

static DWORD
take_addresses(growing *table)
{
    DWORD code = nio_read_addresses(table->one_shot);
    if (code != NO_ERROR) {
        return code;
    }
    const nio_mirror *mirror = &table->one_shot->mirror;
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
    DWORD code = nio_read_neighbour_times(table->one_shot);
    if (code != NO_ERROR) {
        return code;
    }
    while ((link = nio_store_each(&table->one_shot->mirror.links, &cursor)) !=
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
                table->has_extras |= nio_extra_keep(row.Extra) != NULL;
            }
        }
    }
    return NO_ERROR;
}

/* One of the three functions: `ret_table` is its pointer to the table, `take`
 * reads the rows. */
static DWORD
get_table(ADDRESS_FAMILY family, void *ret_table, nio_kind kind,
          DWORD (*take)(growing *table))
{
    nio_one_shot one_shot;
    growing table = {.kind = kind,
                     .row_size = row_sizes[kind],
                     .family = family,
                     .one_shot = &one_shot};
    if (ret_table == NULL || !is_family(family)) {
        return ERROR_INVALID_PARAMETER;
    }
    DWORD code = nio_one_shot_open(&one_shot);
    if (code == NO_ERROR) {
        code = take(&table);
    }
    code = finish(&table, code, ret_table);
    nio_one_shot_close(&one_shot);
    return code;
}

NETIO_STATUS NETIOAPI_API_
GetIpForwardTable2(ADDRESS_FAMILY family, PMIB_IPFORWARD_TABLE2 *ret_table)
{
    return get_table(family, ret_table, NIO_ROUTE, take_routes);
}

NETIO_STATUS NETIOAPI_API_
GetUnicastIpAddressTable(ADDRESS_FAMILY family,
                         PMIB_UNICASTIPADDRESS_TABLE *ret_table)
{
    return get_table(family, ret_table, NIO_ADDRESS, take_addresses);
}

NETIO_STATUS NETIOAPI_API_
GetIpInterfaceTable(ADDRESS_FAMILY family, PMIB_IPINTERFACE_TABLE *ret_table)
{
    return get_table(family, ret_table, NIO_INTERFACE, take_interfaces);
}

VOID NETIOAPI_API_
FreeMibTable(PVOID memory)
{
    header header;
    if (memory == NULL) {
        return;
    }
    memcpy(&header, memory, sizeof(header));
    if (header.extras_kind != NIO_KINDS) {
        drop_extras((nio_kind)header.extras_kind, memory, header.count);
    }
    free(memory);
}

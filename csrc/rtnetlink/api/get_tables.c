/* SPDX-License-Identifier: MIT */
/* GetIpForwardTable2, GetUnicastIpAddressTable, GetIpInterfaceTable and
 * FreeMibTable: the kernel's tables as they are now, in one block. */
#include "rtnetlink/api/route_reader.h"

#include "contract/tower.h"
#include "rtnetlink/decode/rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* A table while it grows: the header, then the rows. */
typedef struct growing {
    uint8_t *block; /* owned, and so are the references of its rows */
    nio_kind kind;
    bool has_extras;
    size_t row_size;
    size_t count;
    size_t capacity;
    ADDRESS_FAMILY family;
    uint8_t destination[16]; /* of the last route */
    nio_one_shot *one_shot;
} growing;

#define ROWS_OFFSET sizeof(nio_table_header)

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

/* Ends the rows from this one on. */
static void
drop_rows(growing *table, size_t from)
{
    if (table->count > from) {
        drop_extras(table->kind, table->block + from * table->row_size,
                    table->count - from);
        table->count = from;
    }
}

/* Gives the block to the caller, to be freed with FreeMibTable. */
static DWORD
finish(growing *table, DWORD code, void *ret_table)
{
    const nio_table_header header = {
        (ULONG)table->count, table->has_extras ? table->kind : NIO_KINDS};
    if (code == NO_ERROR && table->count == 0) {
        code = ERROR_NOT_FOUND; /* as on Windows */
    }
    if (code != NO_ERROR) {
        drop_rows(table, 0);
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

static bool
same_group(const MIB_IPFORWARD_ROW2 *a, const MIB_IPFORWARD_ROW2 *b)
{
    return a->Table == b->Table && a->Metric == b->Metric &&
           a->Tos == b->Tos &&
           memcmp(&a->DestinationPrefix, &b->DestinationPrefix,
                  sizeof(a->DestinationPrefix)) == 0;
}

/* Counts the last row as an instance of an earlier one with the same key. The
 * kernel gives the routes of one prefix, TOS and metric one after the other,
 * so the search ends at the first row of another such group. */
static bool
is_instance(growing *table)
{
    MIB_IPFORWARD_ROW2 *rows = (void *)(table->block + ROWS_OFFSET);
    const MIB_IPFORWARD_ROW2 *last = &rows[table->count - 1];
    uint8_t key[NIO_KEY_SIZE], other[NIO_KEY_SIZE];
    for (size_t i = table->count - 1; i > 0 && same_group(&rows[i - 1], last);
         i--) {
        MIB_IPFORWARD_ROW2 *row = &rows[i - 1];
        const size_t size = nio_row_key(NIO_ROUTE, last, key);
        if (nio_row_key(NIO_ROUTE, row, other) == size &&
            memcmp(key, other, size) == 0) {
            row->Instances =
                (USHORT)(row->Instances + (row->Instances < UINT16_MAX));
            return true;
        }
    }
    return false;
}

/* Routes of the local table only repeat the addresses. */
static int
take_route(void *context, const nio_route *leg)
{
    growing *table = context;
    const bool same_prefix =
        memcmp(table->destination, leg->destination, 16) == 0;
    if (leg->table == RT_TABLE_LOCAL) {
        return 0;
    }
    MIB_IPFORWARD_ROW2 *row = next_row(table);
    if (row == NULL) {
        return -ENOMEM;
    }
    nio_route_row(leg, &table->one_shot->mirror.links, 0, row);
    memcpy(table->destination, leg->destination, 16);
    if (same_prefix && is_instance(table)) {
        table->count--;
    } else {
        table->has_extras |= nio_extra_keep(row->Extra) != NULL;
    }
    return 0;
}

static int
keep_route(void *context, const nio_route *leg)
{
    nio_mirror *mirror = context;
    nio_route copy = *leg;
    nio_legs legs = {.legs = &copy, .count = 1};
    if (leg->table != RT_TABLE_LOCAL) {
        nio_mirror_dumped_route(mirror, &legs);
    }
    return mirror->allocation_failed ? -ENOMEM : 0;
}

/* Reads the routes of a family with which changes race: by as many dumps as
 * show each place outside of the open gaps. A route that one of them showed
 * and a later one lacks in a gap is kept, since it may exist. */
static int
decide_routes(growing *table, nio_route_reader *reader, uint8_t family)
{
    nio_mirror *mirror = &table->one_shot->mirror;
    const nio_route_query query = {.family = family,
                                   .give_up = NIO_WHEN_INCONCLUSIVE,
                                   .leg = keep_route,
                                   .context = mirror};
    nio_gaps undecided = {.everything = true};
    int status = 0;
    while (status == 0 && nio_gaps_any(&undecided)) {
        nio_gaps gaps = {.count = 0};
        if (nio_one_shot_is_over(table->one_shot)) {
            status = -ECANCELED;
            break;
        }
        nio_mirror_begin_dump(mirror);
        status = nio_read_routes(reader, &query, &gaps);
        if (status == 0) {
            (void)nio_mirror_sweep_routes(mirror, family, &gaps);
            nio_gaps_intersect(&undecided, &gaps);
        }
        status = status == -EAGAIN ? 0 : status;
        nio_gaps_done(&gaps);
    }
    nio_gaps_done(&undecided);
    return status;
}

static int
take_decided(growing *table, uint8_t family)
{
    uint32_t cursor = 0;
    nio_route *route;
    int status = 0;
    while (status == 0 &&
           (route = nio_store_each(&table->one_shot->mirror.routes,
                                   &cursor)) != NULL) {
        if (route->family == family) {
            status = take_route(table, route);
        }
    }
    return status;
}

/* A dump with which no change races is the table as it is. */
static int
take_family(growing *table, nio_route_reader *reader, uint8_t family)
{
    const nio_route_query query = {.family = family,
                                   .give_up = NIO_WHEN_RACED,
                                   .leg = take_route,
                                   .context = table};
    const size_t before = table->count;
    nio_gaps gaps;
    int status = nio_read_routes(reader, &query, &gaps);
    nio_gaps_done(&gaps);
    if (status != -EAGAIN) {
        return status;
    }
    drop_rows(table, before);
    status = decide_routes(table, reader, family);
    return status == 0 ? take_decided(table, family) : status;
}

static DWORD
take_routes(growing *table)
{
    static const uint8_t families[] = {AF_INET, AF_INET6};
    nio_route_reader reader;
    DWORD code = nio_route_reader_open(&reader, table->one_shot);
    for (size_t i = 0; code == NO_ERROR && i < 2; i++) {
        if (table->family != AF_UNSPEC && table->family != families[i]) {
            continue;
        }
        int status = take_family(table, &reader, families[i]);
        if (table->family != AF_UNSPEC ||
            (status != -EAFNOSUPPORT && status != -EOPNOTSUPP)) {
            code = nio_one_shot_code(table->one_shot, status);
        }
    }
    nio_route_reader_close(&reader);
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
        nio_address_row(address, &mirror->links, 0, row);
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
get_table(ADDRESS_FAMILY family, const nio_read_limit *limit, void *ret_table,
          nio_kind kind, DWORD (*take)(growing *table))
{
    nio_one_shot one_shot;
    growing table = {.kind = kind,
                     .row_size = row_sizes[kind],
                     .family = family,
                     .one_shot = &one_shot};
    if (ret_table == NULL || !is_family(family)) {
        return ERROR_INVALID_PARAMETER;
    }
    DWORD code = nio_one_shot_open(&one_shot, limit);
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
    return nio_get_route_table(family, NULL, ret_table);
}

NETIO_STATUS
nio_get_route_table(ADDRESS_FAMILY family, const nio_read_limit *limit,
                    PMIB_IPFORWARD_TABLE2 *ret_table)
{
    return get_table(family, limit, ret_table, NIO_ROUTE, take_routes);
}

NETIO_STATUS NETIOAPI_API_
GetUnicastIpAddressTable(ADDRESS_FAMILY family,
                         PMIB_UNICASTIPADDRESS_TABLE *ret_table)
{
    return get_table(family, NULL, ret_table, NIO_ADDRESS, take_addresses);
}

NETIO_STATUS NETIOAPI_API_
GetIpInterfaceTable(ADDRESS_FAMILY family, PMIB_IPINTERFACE_TABLE *ret_table)
{
    return get_table(family, NULL, ret_table, NIO_INTERFACE, take_interfaces);
}

VOID NETIOAPI_API_
FreeMibTable(PVOID memory)
{
    nio_table_header header;
    if (memory == NULL) {
        return;
    }
    memcpy(&header, memory, sizeof(header));
    if (header.extras_kind != NIO_KINDS) {
        drop_extras((nio_kind)header.extras_kind, memory, header.count);
    }
    free(memory);
}

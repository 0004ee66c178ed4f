/* SPDX-License-Identifier: MIT */
/* What contract/tower.h and base/filter.h ask about a row: its key, its table,
 * and what a callback leaves out of it. Pure. */
#include "base/filter.h"
#include "contract/tower.h"
#include "rtnetlink/decode/rows.h"

#include <string.h>

/* A message of the kernel holds the whole row, also when the row is deleted.
 */
const void *
nio_complete_row(nio_kind kind, MIB_NOTIFICATION_TYPE type, const void *row,
                 void *space, bool *ret_details)
{
    (void)kind;
    (void)type;
    (void)space;
    *ret_details = true;
    return row;
}

/* Appends the bytes of one member of the identity. */
static size_t
append(uint8_t *key, size_t used, const void *bytes, size_t size)
{
    memcpy(key + used, bytes, size);
    return used + size;
}

static size_t
append_address(uint8_t *key, size_t used, const SOCKADDR_INET *address)
{
    uint8_t bytes[16];
    nio_sockaddr_bytes(address, bytes);
    key[used++] = (uint8_t)address->si_family;
    return append(key, used, bytes,
                  address->si_family == AF_INET ? 4 : sizeof(bytes));
}

static size_t
route_key(const MIB_IPFORWARD_ROW2 *row, uint8_t *key)
{
    size_t used = append(key, 0, &row->Table, sizeof(row->Table));
    used = append(key, used, &row->Metric, sizeof(row->Metric));
    used =
        append(key, used, &row->InterfaceIndex, sizeof(row->InterfaceIndex));
    used = append(key, used, &row->Tos, sizeof(row->Tos));
    key[used++] = row->DestinationPrefix.PrefixLength;
    used = append_address(key, used, &row->DestinationPrefix.Prefix);
    return append_address(key, used, &row->NextHop);
}

static size_t
address_key(const MIB_UNICASTIPADDRESS_ROW *row, uint8_t *key)
{
    size_t used =
        append(key, 0, &row->InterfaceIndex, sizeof(row->InterfaceIndex));
    key[used++] = row->OnLinkPrefixLength;
    used = append_address(key, used, &row->Address);
    return append(key, used, row->Peer, sizeof(row->Peer));
}

size_t
nio_row_key(nio_kind kind, const void *row, uint8_t key[NIO_KEY_SIZE])
{
    if (kind == NIO_ROUTE) {
        return route_key(row, key);
    }
    if (kind == NIO_ADDRESS) {
        return address_key(row, key);
    }
    const MIB_IPINTERFACE_ROW *interface = row;
    size_t used = append(key, 0, &interface->InterfaceIndex,
                         sizeof(interface->InterfaceIndex));
    return append(key, used, &interface->Family, sizeof(interface->Family));
}

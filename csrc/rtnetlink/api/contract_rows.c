/* SPDX-License-Identifier: MIT */
/* What contract/tower.h asks about a row: its key, and what a callback leaves
 * out of it. Pure. */
#include "base/extra.h"
#include "base/row_key.h"
#include "contract/tower.h"

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

static size_t
route_key(const MIB_IPFORWARD_ROW2 *row, uint8_t *key)
{
    size_t used = nio_key_append(key, 0, &row->Table, sizeof(row->Table));
    used = nio_key_append(key, used, &row->Metric, sizeof(row->Metric));
    used = nio_key_append(key, used, &row->InterfaceIndex,
                          sizeof(row->InterfaceIndex));
    used = nio_key_append(key, used, &row->Tos, sizeof(row->Tos));
    key[used++] = row->DestinationPrefix.PrefixLength;
    key[used++] = row->Type;
    key[used++] = row->KernelProtocol;
    used = nio_key_append_address(key, used, &row->DestinationPrefix.Prefix);
    used = nio_key_append_address(key, used, &row->NextHop);
    return row->Extra == NULL ? used
                              : nio_key_append(key, used, row->Extra->items,
                                               row->Extra->key_size);
}

static size_t
address_key(const MIB_UNICASTIPADDRESS_ROW *row, uint8_t *key)
{
    size_t used = nio_key_append(key, 0, &row->InterfaceIndex,
                                 sizeof(row->InterfaceIndex));
    key[used++] = row->OnLinkPrefixLength;
    used = nio_key_append_address(key, used, &row->Address);
    return nio_key_append(key, used, row->Peer, sizeof(row->Peer));
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
    size_t used = nio_key_append(key, 0, &interface->InterfaceIndex,
                                 sizeof(interface->InterfaceIndex));
    return nio_key_append(key, used, &interface->Family,
                          sizeof(interface->Family));
}

/* SPDX-License-Identifier: MIT */
/* Keys that leave out a part: see partial_key.h. */
#include "iphlpapi/partial_key.h"

#include <string.h>

NET_LUID
nio_row_luid(nio_kind kind, const void *row)
{
    return kind == NIO_ROUTE ? ((const MIB_IPFORWARD_ROW2 *)row)->InterfaceLuid
           : kind == NIO_ADDRESS
               ? ((const MIB_UNICASTIPADDRESS_ROW *)row)->InterfaceLuid
               : ((const MIB_IPINTERFACE_ROW *)row)->InterfaceLuid;
}

NET_IFINDEX
nio_row_index(nio_kind kind, const void *row)
{
    return kind == NIO_ROUTE
               ? ((const MIB_IPFORWARD_ROW2 *)row)->InterfaceIndex
           : kind == NIO_ADDRESS
               ? ((const MIB_UNICASTIPADDRESS_ROW *)row)->InterfaceIndex
               : ((const MIB_IPINTERFACE_ROW *)row)->InterfaceIndex;
}

static bool
lacks_next_hop(nio_kind kind, const void *key)
{
    return kind == NIO_ROUTE &&
           ((const MIB_IPFORWARD_ROW2 *)key)->NextHop.si_family == AF_UNSPEC;
}

bool
nio_key_is_partial(nio_kind kind, const void *key)
{
    return nio_row_luid(kind, key).Value == 0 || lacks_next_hop(kind, key);
}

/* The given members of `key`, with those of `row` in place of the others, are
 * compared as whole keys. */
bool
nio_key_could_be_of(nio_kind kind, const void *key, const void *row)
{
    uint8_t wanted[NIO_KEY_SIZE], own[NIO_KEY_SIZE];
    nio_any_row filled;

    if (nio_row_luid(kind, key).Value == 0 &&
        nio_row_index(kind, key) != nio_row_index(kind, row)) {
        return false;
    }
    nio_copy_key(kind, key, &filled);
    if (lacks_next_hop(kind, key)) {
        filled.route.NextHop = ((const MIB_IPFORWARD_ROW2 *)row)->NextHop;
    }
    nio_key_complete(kind, &filled, nio_row_index(kind, row),
                     nio_row_luid(kind, row));
    const size_t size = nio_row_key(kind, &filled, wanted);
    return nio_row_key(kind, row, own) == size &&
           memcmp(wanted, own, size) == 0;
}

void
nio_key_complete(nio_kind kind, nio_any_row *key, NET_IFINDEX index,
                 NET_LUID luid)
{
    NET_LUID *own = kind == NIO_ROUTE     ? &key->route.InterfaceLuid
                    : kind == NIO_ADDRESS ? &key->ip_address.InterfaceLuid
                                          : &key->ip_interface.InterfaceLuid;

    if (own->Value == 0 && nio_row_index(kind, key) == index) {
        *own = luid;
    }
    if (lacks_next_hop(kind, key)) {
        key->route.NextHop.si_family =
            key->route.DestinationPrefix.Prefix.si_family;
    }
}

/* SPDX-License-Identifier: MIT */
/* Rows of Windows: identity, equality, and reading them again. On any thread;
 * only nio_reread_row and nio_complete_row call the system. */
#include "iphlpapi/rows.h"

#include "base/row_key.h"

#include <string.h>

/* ---- identity: the key members of the header */
/* The LUID is stable, but a row made by a program may have the index alone. */
static size_t
append_interface(uint8_t *key, size_t used, NET_LUID luid, NET_IFINDEX index)
{
    ULONG64 number = luid.Value != 0 ? luid.Value : index;
    return nio_key_append(key, used, &number, sizeof(number));
}

size_t
nio_row_key(nio_kind kind, const void *row, uint8_t key[NIO_KEY_SIZE])
{
    size_t used = 0;

    if (kind == NIO_ROUTE) {
        const MIB_IPFORWARD_ROW2 *route = row;
        used = append_interface(key, used, route->InterfaceLuid,
                                route->InterfaceIndex);
        key[used++] = route->DestinationPrefix.PrefixLength;
        used = nio_key_append_address(key, used,
                                      &route->DestinationPrefix.Prefix);
        return nio_key_append_address(key, used, &route->NextHop);
    }
    if (kind == NIO_ADDRESS) {
        const MIB_UNICASTIPADDRESS_ROW *address = row;
        used = append_interface(key, used, address->InterfaceLuid,
                                address->InterfaceIndex);
        return nio_key_append_address(key, used, &address->Address);
    }
    const MIB_IPINTERFACE_ROW *ip_interface = row;
    used = append_interface(key, used, ip_interface->InterfaceLuid,
                            ip_interface->InterfaceIndex);
    return nio_key_append(key, used, &ip_interface->Family,
                          sizeof(ip_interface->Family));
}

/* ---- equality */
#define MEMBER(type, member)                                                  \
    {offsetof(type, member), sizeof(((type *)0)->member)}
#define RANGE(type, first, last)                                              \
    {offsetof(type, first), offsetof(type, last) +                            \
                                sizeof(((type *)0)->last) -                   \
                                offsetof(type, first)}

/* The members that are compared besides the key, as ranges without padding.
 * Ages are left out; so is ReachableTime, which is random, and so are the
 * lifetimes, which count down: row_lifetimes_equal compares only whether they
 * are infinite. */
typedef struct byte_range {
    size_t offset, size;
} byte_range;
#define MAX_RANGES 8

static const struct {
    size_t size;
    byte_range ranges[MAX_RANGES];
} kinds[NIO_KINDS] = {
    [NIO_INTERFACE] =
        {sizeof(MIB_IPINTERFACE_ROW),
         {MEMBER(MIB_IPINTERFACE_ROW, InterfaceIndex),
          RANGE(MIB_IPINTERFACE_ROW, MaxReassemblySize, AdvertiseDefaultRoute),
          RANGE(MIB_IPINTERFACE_ROW, RouterDiscoveryBehavior,
                SupportsRouterDiscovery),
          RANGE(MIB_IPINTERFACE_ROW, TransmitOffload, DisableDefaultRoutes)}},
    [NIO_ADDRESS] =
        {sizeof(MIB_UNICASTIPADDRESS_ROW),
         {MEMBER(MIB_UNICASTIPADDRESS_ROW, InterfaceIndex),
          RANGE(MIB_UNICASTIPADDRESS_ROW, PrefixOrigin, SuffixOrigin),
          RANGE(MIB_UNICASTIPADDRESS_ROW, OnLinkPrefixLength, SkipAsSource),
          RANGE(MIB_UNICASTIPADDRESS_ROW, DadState, CreationTimeStamp)}},
    [NIO_ROUTE] = {sizeof(MIB_IPFORWARD_ROW2),
                   {MEMBER(MIB_IPFORWARD_ROW2, InterfaceIndex),
                    MEMBER(MIB_IPFORWARD_ROW2, SitePrefixLength),
                    RANGE(MIB_IPFORWARD_ROW2, Metric, Immortal),
                    MEMBER(MIB_IPFORWARD_ROW2, Origin)}},
};

size_t
nio_windows_row_size(nio_kind kind)
{
    return kinds[kind].size;
}

static bool
lifetimes_equal(ULONG valid_a, ULONG preferred_a, ULONG valid_b,
                ULONG preferred_b)
{
    const ULONG never = 0xffffffffu;
    return (valid_a == never) == (valid_b == never) &&
           (preferred_a == never) == (preferred_b == never);
}

static bool
row_lifetimes_equal(nio_kind kind, const void *a, const void *b)
{
    if (kind == NIO_ROUTE) {
        const MIB_IPFORWARD_ROW2 *x = a, *y = b;
        return lifetimes_equal(x->ValidLifetime, x->PreferredLifetime,
                               y->ValidLifetime, y->PreferredLifetime);
    }
    if (kind == NIO_ADDRESS) {
        const MIB_UNICASTIPADDRESS_ROW *x = a, *y = b;
        return lifetimes_equal(x->ValidLifetime, x->PreferredLifetime,
                               y->ValidLifetime, y->PreferredLifetime);
    }
    return true;
}

bool
nio_row_renewed(nio_kind kind, const void *before, const void *after)
{
    if (kind == NIO_ROUTE) {
        const MIB_IPFORWARD_ROW2 *x = before, *y = after;
        return y->ValidLifetime > x->ValidLifetime ||
               y->PreferredLifetime > x->PreferredLifetime;
    }
    if (kind == NIO_ADDRESS) {
        const MIB_UNICASTIPADDRESS_ROW *x = before, *y = after;
        return y->ValidLifetime > x->ValidLifetime ||
               y->PreferredLifetime > x->PreferredLifetime;
    }
    return false;
}

bool
nio_rows_equal(nio_kind kind, const void *a, const void *b)
{
    for (int i = 0; i < MAX_RANGES; i++) {
        const byte_range *range = &kinds[kind].ranges[i];
        if (memcmp((const uint8_t *)a + range->offset,
                   (const uint8_t *)b + range->offset, range->size) != 0) {
            return false;
        }
    }
    return row_lifetimes_equal(kind, a, b);
}

/* ---- reading */
/* The header requires that all other members are zero. */
void
nio_copy_key(nio_kind kind, const void *row, nio_any_row *ret)
{
    memset(ret, 0, sizeof(*ret));
    if (kind == NIO_ROUTE) {
        const MIB_IPFORWARD_ROW2 *route = row;
        ret->route.InterfaceLuid = route->InterfaceLuid;
        ret->route.InterfaceIndex = route->InterfaceIndex;
        ret->route.DestinationPrefix = route->DestinationPrefix;
        ret->route.NextHop = route->NextHop;
    } else if (kind == NIO_ADDRESS) {
        const MIB_UNICASTIPADDRESS_ROW *address = row;
        ret->ip_address.InterfaceLuid = address->InterfaceLuid;
        ret->ip_address.InterfaceIndex = address->InterfaceIndex;
        ret->ip_address.Address = address->Address;
    } else {
        const MIB_IPINTERFACE_ROW *ip_interface = row;
        ret->ip_interface.InterfaceLuid = ip_interface->InterfaceLuid;
        ret->ip_interface.InterfaceIndex = ip_interface->InterfaceIndex;
        ret->ip_interface.Family = ip_interface->Family;
    }
}

NETIO_STATUS
nio_reread_row(nio_kind kind, const void *key, nio_any_row *ret_row)
{
    nio_copy_key(kind, key, ret_row);
    return nio_read_entry(nio_system(), kind, ret_row);
}

/* Windows calls back with only the key members. A deleted row cannot be read,
 * and a row that has the same key by now is another one. */
const void *
nio_complete_row(nio_kind kind, MIB_NOTIFICATION_TYPE type, const void *row,
                 void *space, bool *ret_details)
{
    *ret_details = type != MibDeleteInstance &&
                   nio_reread_row(kind, row, space) == NO_ERROR;
    return *ret_details ? space : row;
}

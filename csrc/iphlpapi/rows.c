/* SPDX-License-Identifier: MIT */
/* Rows of Windows: identity, equality, and reading them. Pure but for the two
 * functions that ask the system. Any thread. */
#include "iphlpapi/rows.h"

#include "base/filter.h"

#include <string.h>

/* ---- identity: the key members of the header */
static size_t
append(uint8_t *key, size_t used, const void *bytes, size_t size)
{
    memcpy(key + used, bytes, size);
    return used + size;
}

static size_t
append_address(uint8_t *key, size_t used, const SOCKADDR_INET *address)
{
    key[used++] = (uint8_t)address->si_family;
    return address->si_family == AF_INET6
               ? append(key, used, &address->Ipv6.sin6_addr, 16)
               : append(key, used, &address->Ipv4.sin_addr, 4);
}

/* The LUID is what lasts; a row made by hand may have the index alone. */
static size_t
append_interface(uint8_t *key, size_t used, NET_LUID luid, NET_IFINDEX index)
{
    ULONG64 number = luid.Value != 0 ? luid.Value : index;
    return append(key, used, &number, sizeof(number));
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
        used = append_address(key, used, &route->DestinationPrefix.Prefix);
        return append_address(key, used, &route->NextHop);
    }
    if (kind == NIO_ADDRESS) {
        const MIB_UNICASTIPADDRESS_ROW *address = row;
        used = append_interface(key, used, address->InterfaceLuid,
                                address->InterfaceIndex);
        return append_address(key, used, &address->Address);
    }
    const MIB_IPINTERFACE_ROW *ip_interface = row;
    used = append_interface(key, used, ip_interface->InterfaceLuid,
                            ip_interface->InterfaceIndex);
    return append(key, used, &ip_interface->Family,
                  sizeof(ip_interface->Family));
}

/* ---- equality */
#define MEMBER(type, member)                                                  \
    {offsetof(type, member), sizeof(((type *)0)->member)}
#define SPAN(type, first, last)                                               \
    {offsetof(type, first), offsetof(type, last) +                            \
                                sizeof(((type *)0)->last) -                   \
                                offsetof(type, first)}

/* What is compared beside the key, without padding in between. Not in here:
 * ages, ReachableTime, which is random, and lifetimes, which count down: of
 * these counts only whether there is an end. */
typedef struct nio_span_of {
    size_t offset, size;
} nio_span_of;
#define SPANS 8

static const struct {
    size_t size;
    nio_span_of spans[SPANS];
} kinds[NIO_KINDS] = {
    [NIO_INTERFACE] =
        {sizeof(MIB_IPINTERFACE_ROW),
         {MEMBER(MIB_IPINTERFACE_ROW, InterfaceIndex),
          SPAN(MIB_IPINTERFACE_ROW, MaxReassemblySize, AdvertiseDefaultRoute),
          SPAN(MIB_IPINTERFACE_ROW, RouterDiscoveryBehavior,
               SupportsRouterDiscovery),
          SPAN(MIB_IPINTERFACE_ROW, TransmitOffload, DisableDefaultRoutes)}},
    [NIO_ADDRESS] =
        {sizeof(MIB_UNICASTIPADDRESS_ROW),
         {MEMBER(MIB_UNICASTIPADDRESS_ROW, InterfaceIndex),
          SPAN(MIB_UNICASTIPADDRESS_ROW, PrefixOrigin, SuffixOrigin),
          SPAN(MIB_UNICASTIPADDRESS_ROW, OnLinkPrefixLength, SkipAsSource),
          SPAN(MIB_UNICASTIPADDRESS_ROW, DadState, CreationTimeStamp)}},
    [NIO_ROUTE] = {sizeof(MIB_IPFORWARD_ROW2),
                   {MEMBER(MIB_IPFORWARD_ROW2, InterfaceIndex),
                    MEMBER(MIB_IPFORWARD_ROW2, SitePrefixLength),
                    SPAN(MIB_IPFORWARD_ROW2, Metric, Immortal),
                    MEMBER(MIB_IPFORWARD_ROW2, Origin)}},
};

size_t
nio_windows_row_size(nio_kind kind)
{
    return kinds[kind].size;
}

static bool
same_ends(ULONG valid_a, ULONG preferred_a, ULONG valid_b, ULONG preferred_b)
{
    const ULONG never = 0xffffffffu;
    return (valid_a == never) == (valid_b == never) &&
           (preferred_a == never) == (preferred_b == never);
}

static bool
lifetimes_are_same(nio_kind kind, const void *a, const void *b)
{
    if (kind == NIO_ROUTE) {
        const MIB_IPFORWARD_ROW2 *x = a, *y = b;
        return same_ends(x->ValidLifetime, x->PreferredLifetime,
                         y->ValidLifetime, y->PreferredLifetime);
    }
    if (kind == NIO_ADDRESS) {
        const MIB_UNICASTIPADDRESS_ROW *x = a, *y = b;
        return same_ends(x->ValidLifetime, x->PreferredLifetime,
                         y->ValidLifetime, y->PreferredLifetime);
    }
    return true;
}

bool
nio_rows_are_same(nio_kind kind, const void *a, const void *b)
{
    for (int i = 0; i < SPANS; i++) {
        const nio_span_of *span = &kinds[kind].spans[i];
        if (memcmp((const uint8_t *)a + span->offset,
                   (const uint8_t *)b + span->offset, span->size) != 0) {
            return false;
        }
    }
    return lifetimes_are_same(kind, a, b);
}

/* ---- reading */
/* The key members of `row`, all others zero: the header wants it so. */
static void
copy_key(nio_kind kind, const void *row, nio_any_row *ret)
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
nio_reread(nio_kind kind, const void *key, nio_any_row *ret_row)
{
    copy_key(kind, key, ret_row);
    return nio_read_entry(nio_system(), kind, ret_row);
}

/* Windows calls back with no more than a key. What was deleted cannot be
 * read, and what has the same key by now is another thing. */
const void *
nio_complete_row(nio_kind kind, MIB_NOTIFICATION_TYPE type, const void *row,
                 void *space, bool *ret_details)
{
    *ret_details =
        type != MibDeleteInstance && nio_reread(kind, row, space) == NO_ERROR;
    return *ret_details ? space : row;
}

/* SPDX-License-Identifier: MIT */
/* The connectivity hint: is there a default route to the internet? Of each
 * family the table main is asked, then the table default, as the kernel's own
 * rules do. In a table the route of the lowest metric wins; where that one
 * forbids what it matches (unreachable, blackhole, prohibit), no other counts.
 * Tables that only further rules name do not count. */
#include "rtnetlink/engine/derived.h"

#include <linux/if.h>
#include <linux/if_addr.h>
#include <string.h>
#include <sys/socket.h>

/* ---- addresses */

/* 169.254.0.0/16 and fe80::/10: such an address reaches its link only. */
static bool
is_link_local(uint8_t family, const uint8_t address[16])
{
    return family == AF_INET
               ? address[0] == 169 && address[1] == 254
               : address[0] == 0xfe && (address[1] & 0xc0) == 0x80;
}

static bool
is_running(const nio_mirror *mirror, uint32_t index)
{
    const nio_link *link = nio_mirror_link(mirror, index);
    return link != NULL && (link->flags & IFF_RUNNING) &&
           !(link->flags & IFF_LOOPBACK);
}

static bool
has_address(const nio_mirror *mirror)
{
    uint32_t cursor = 0;
    nio_address *address;
    while ((address = nio_store_each(&mirror->addresses, &cursor)) != NULL) {
        if (is_running(mirror, address->index)) {
            return true;
        }
    }
    return false;
}

/* Would packets through this route have a source address that is answered from
 * beyond the link? A host that finds no DHCP server gives itself an address of
 * 169.254.0.0/16 and a default route. IPv6 takes an address of another
 * interface where the outgoing one has none; so does IPv4, but only then. */
static bool
has_source(const nio_mirror *mirror, const nio_route *route)
{
    size_t size;
    const uint8_t *preferred =
        nio_extra_find(route->extra, NIO_EXTRA_PREFERRED_SOURCE, &size);
    if (preferred != NULL) {
        return !is_link_local(route->family, preferred);
    }
    const bool inet6 = route->family == AF_INET6;
    bool has_link_local = false;
    uint32_t cursor = 0;
    const nio_address *address;
    while ((address = nio_store_each(&mirror->addresses, &cursor)) != NULL) {
        if (address->family != route->family ||
            (inet6 ? !is_running(mirror, address->index)
                   : address->index != route->oif)) {
            continue;
        }
        if (!is_link_local(address->family, address->local)) {
            return true;
        }
        has_link_local = true;
    }
    return !inet6 && !has_link_local;
}

/* ---- routes */
typedef enum verdict {
    PASSES,  /* no default route: the next table is asked */
    FORBIDS, /* it leads nowhere, and no other table is asked */
    REACHES
} verdict;

/* False: the kernel passes over the route. */
static bool
judge(const nio_mirror *mirror, const nio_route *route, verdict *ret)
{
    const nio_link *link = nio_mirror_link(mirror, route->oif);
    switch (route->type) {
    case RTN_UNICAST:
        *ret = is_running(mirror, route->oif) && has_source(mirror, route)
                   ? REACHES
                   : FORBIDS;
        return !(route->flags & (RTNH_F_DEAD | RTNH_F_LINKDOWN)) &&
               link != NULL && (link->flags & IFF_RUNNING);
    case RTN_THROW:
        *ret = PASSES;
        return true;
    default:
        *ret = FORBIDS;
        return true;
    }
}

static verdict
verdict_of(const nio_mirror *mirror, uint8_t family, uint32_t table)
{
    uint32_t cursor = 0, best = 0;
    verdict winner = PASSES, own;
    bool found = false;
    const nio_route *route;
    while ((route = nio_store_each(&mirror->routes, &cursor)) != NULL) {
        if (route->prefix_length != 0 || route->family != family ||
            route->table != table || route->tos != 0 ||
            !judge(mirror, route, &own)) {
            continue;
        }
        if (nio_has_source_prefix(route)) {
            if (own == REACHES) {
                return REACHES; /* for its sources, whatever the others do */
            }
        } else if (!found || route->priority < best) {
            best = route->priority;
            winner = own;
            found = true;
        } else if (route->priority == best && own == REACHES) {
            winner = own;
        }
    }
    return winner;
}

static bool
reaches_internet(const nio_mirror *mirror, uint8_t family)
{
    verdict found = verdict_of(mirror, family, RT_TABLE_MAIN);
    if (found == PASSES) {
        found = verdict_of(mirror, family, RT_TABLE_DEFAULT);
    }
    return found == REACHES;
}

NL_NETWORK_CONNECTIVITY_HINT
nio_hint_of(const nio_mirror *mirror)
{
    NL_NETWORK_CONNECTIVITY_HINT hint;
    memset(&hint, 0, sizeof(hint));
    hint.ConnectivityCost = NetworkConnectivityCostHintUnknown;
    hint.ConnectivityLevel = NetworkConnectivityLevelHintNone;
    if (has_address(mirror)) {
        hint.ConnectivityLevel =
            reaches_internet(mirror, AF_INET) ||
                    reaches_internet(mirror, AF_INET6)
                ? NetworkConnectivityLevelHintInternetAccess
                : NetworkConnectivityLevelHintLocalAccess;
    }
    return hint;
}

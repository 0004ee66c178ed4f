/* SPDX-License-Identifier: MIT */
/* A machine without a network: the loopback interface, its addresses and their
 * routes, as Windows lists them. */
#include "tables.h"

#include <string.h>

#define LUID 0x0018000001000000ull
#define INDEX 1
#define FOR_EVER 0xffffffffu
#define ON_LINK_METRIC 256
#define INTERFACE_METRIC 75

typedef struct known_route {
    const char *destination;
    UINT8 length;
    BOOLEAN loopback;
} known_route;

static const known_route routes[] = {
    {"127.0.0.0", 8, TRUE},         {"127.0.0.1", 32, TRUE},
    {"127.255.255.255", 32, TRUE},  {"224.0.0.0", 4, FALSE},
    {"255.255.255.255", 32, FALSE}, {"::1", 128, TRUE},
    {"ff00::", 8, FALSE},
};

/* Parses the few addresses used here, without Winsock. */
static SOCKADDR_INET
parse(const char *text)
{
    SOCKADDR_INET address;
    memset(&address, 0, sizeof(address));
    if (strchr(text, ':') != NULL) {
        address.si_family = AF_INET6;
        address.Ipv6.sin6_addr.u.Byte[0] = text[0] == 'f' ? 0xff : 0;
        address.Ipv6.sin6_addr.u.Byte[15] = strstr(text, "::1") != NULL;
        return address;
    }
    UCHAR *bytes = (UCHAR *)&address.Ipv4.sin_addr;
    address.si_family = AF_INET;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '.') {
            bytes++;
        } else {
            *bytes = (UCHAR)(*bytes * 10 + (*at - '0'));
        }
    }
    return address;
}

static void
put_interface_locked(ADDRESS_FAMILY family)
{
    MIB_IPINTERFACE_ROW row;
    memset(&row, 0, sizeof(row));
    row.Family = family;
    row.InterfaceLuid.Value = LUID;
    row.InterfaceIndex = INDEX;
    row.UseAutomaticMetric = TRUE;
    row.RouterDiscoveryBehavior =
        family == AF_INET ? RouterDiscoveryDhcp : RouterDiscoveryEnabled;
    row.BaseReachableTime = 30000;
    row.RetransmitTime = 1000;
    row.ReachableTime = 30000;
    row.LinkLocalAddressBehavior =
        family == AF_INET ? LinkLocalDelayed : LinkLocalAlwaysOn;
    row.ZoneIndices[1] = row.ZoneIndices[2] = INDEX;
    row.Metric = INTERFACE_METRIC;
    row.NlMtu = FOR_EVER;
    row.Connected = TRUE;
    standin_put_link_locked(&row, L"lo");
}

static void
put_address_locked(const char *text, UINT8 length)
{
    MIB_UNICASTIPADDRESS_ROW row;
    memset(&row, 0, sizeof(row));
    row.Address = parse(text);
    row.InterfaceLuid.Value = LUID;
    row.InterfaceIndex = INDEX;
    row.PrefixOrigin = IpPrefixOriginWellKnown;
    row.SuffixOrigin = IpSuffixOriginWellKnown;
    row.ValidLifetime = row.PreferredLifetime = FOR_EVER;
    row.OnLinkPrefixLength = length;
    row.DadState = IpDadStatePreferred;
    standin_put_locked(STANDIN_ADDRESS, &row);
}

static void
put_route_locked(const known_route *known)
{
    MIB_IPFORWARD_ROW2 row;
    memset(&row, 0, sizeof(row));
    row.InterfaceLuid.Value = LUID;
    row.InterfaceIndex = INDEX;
    row.DestinationPrefix.Prefix = parse(known->destination);
    row.DestinationPrefix.PrefixLength = known->length;
    row.NextHop.si_family = row.DestinationPrefix.Prefix.si_family;
    row.ValidLifetime = row.PreferredLifetime = FOR_EVER;
    row.Metric = ON_LINK_METRIC;
    row.Protocol = RouteProtocolLocal;
    row.Loopback = known->loopback;
    row.Immortal = TRUE;
    standin_put_locked(STANDIN_ROUTE, &row);
}

void
standin_reset_locked(void)
{
    const standin_hint none = {.level = 1};
    DWORD silent = standin_settings[STANDIN_SILENT];
    standin_settings[STANDIN_SILENT] = 1;
    standin_clear_locked();
    put_interface_locked(AF_INET);
    put_interface_locked(AF_INET6);
    put_address_locked("127.0.0.1", 8);
    put_address_locked("::1", 128);
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        put_route_locked(&routes[i]);
    }
    standin_put_hint_locked(&none);
    standin_settings[STANDIN_SILENT] = silent;
}

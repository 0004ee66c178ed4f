/* SPDX-License-Identifier: MIT */
/* The rows of a link, a MIB_IPINTERFACE_ROW for each family: see rows.h. */
#include "rtnetlink/decode/rows.h"

#include <linux/if.h>
#include <linux/if_link.h>
#include <string.h>

/* IF_RA_MANAGED and IF_RA_OTHERCONF, which no exported header defines. */
#define RA_MANAGED 0x40u
#define RA_OTHER 0x80u
/* The default of net.ipv4.route.mtu_expires. */
#define PATH_MTU_TIMEOUT_MS 600000u

static void
fill_inet6(const nio_link *link, MIB_IPINTERFACE_ROW *row)
{
    bool accepts_ra = link->accept_ra == 2 ||
                      (link->accept_ra == 1 && !link->inet6.forwarding);
    row->MaxReassemblySize = link->max_reassembly6;
    row->ManagedAddressConfigurationSupported =
        (link->inet6_flags & RA_MANAGED) != 0;
    row->OtherStatefulConfigurationSupported =
        (link->inet6_flags & RA_OTHER) != 0;
    row->RouterDiscoveryBehavior =
        accepts_ra ? RouterDiscoveryEnabled : RouterDiscoveryDisabled;
    row->DadTransmits = link->dad_transmits;
    row->LinkLocalAddressBehavior =
        link->address_generation == IN6_ADDR_GEN_MODE_NONE ? LinkLocalAlwaysOff
                                                           : LinkLocalAlwaysOn;
    row->NlMtu = link->mtu6;
}

bool
nio_interface_row(const nio_link *link, ADDRESS_FAMILY family,
                  MIB_IPINTERFACE_ROW *ret_row)
{
    const nio_link_family *in = family == AF_INET ? &link->inet : &link->inet6;
    MIB_IPINTERFACE_ROW *row = ret_row;
    if (link->is_gone || !in->present) {
        return false;
    }
    memset(row, 0, sizeof(*row));
    bool has_arp = !(link->flags & IFF_NOARP);
    row->Family = family;
    row->InterfaceLuid = nio_luid(link->index, link->type);
    row->InterfaceIndex = link->index;
    row->ForwardingEnabled = in->forwarding;
    row->WeakHostSend = TRUE; /* Linux follows the weak host model */
    row->WeakHostReceive = TRUE;
    row->UseNeighborUnreachabilityDetection = has_arp;
    row->BaseReachableTime = in->base_reachable;
    row->RetransmitTime = in->retransmit;
    row->ReachableTime = in->reachable;
    row->PathMtuDiscoveryTimeout = PATH_MTU_TIMEOUT_MS;
    row->ZoneIndices[1] = link->index;
    row->ZoneIndices[2] = link->index;
    row->NlMtu = link->mtu;
    row->Connected = (link->flags & IFF_RUNNING) != 0;
    row->SupportsNeighborDiscovery = has_arp;
    row->SupportsRouterDiscovery = has_arp;
    if (family == AF_INET6) {
        fill_inet6(link, row);
    }
    row->Flags = link->flags;
    row->Master = link->master;
    row->HardwareType = link->type;
    row->OperState = link->oper_state;
    memcpy(row->Name, link->name, sizeof(row->Name));
    memcpy(row->MasterName, link->master_name, sizeof(row->MasterName));
    row->Extra = link->extra;
    return true;
}

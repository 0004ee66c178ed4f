/* SPDX-License-Identifier: MIT */
/* Records of the kernel to rows of the contract: netioapi.md's mapping, as
 * tables. Pure. Rows come out with every byte set. */
#pragma once

#include "contract/netio.h"
#include "rtnetlink/decode/record.h"
#include "base/store.h"

NET_LUID nio_luid(uint32_t index, uint16_t hardware_type);
/* Zero where the link is not known. */
NET_LUID nio_luid_in(const nio_store *links, uint32_t index);

void nio_route_row(const nio_route *route, const nio_store *links,
                   MIB_IPFORWARD_ROW2 *ret_row);
void nio_address_row(const nio_address *address, const nio_store *links,
                     MIB_UNICASTIPADDRESS_ROW *ret_row);
/* False when the link has no part in that family: then there is no row. */
bool nio_interface_row(const nio_link *link, ADDRESS_FAMILY family,
                       MIB_IPINTERFACE_ROW *ret_row);

void nio_sockaddr(uint8_t family, const uint8_t bytes[16], uint32_t index,
                  SOCKADDR_INET *ret_address);
/* The bytes of an address, 16 of them, IPv4 padded with zeros. */
void nio_sockaddr_bytes(const SOCKADDR_INET *address, uint8_t ret[16]);

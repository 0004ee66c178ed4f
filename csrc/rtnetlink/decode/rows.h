/* SPDX-License-Identifier: MIT */
/* From records to rows of the contract. Pure, but for the time of boot, which
 * is read once. Every byte of a row is set, padding too, so that equal rows
 * are equal bytes. */
#pragma once

#include "base/store.h"
#include "contract/netio.h"
#include "rtnetlink/decode/record.h"

NET_LUID nio_luid(uint32_t index, uint16_t hardware_type);
/* The LUID of a link in the mirror; 0 if the link is unknown. */
NET_LUID nio_luid_in(const nio_store *links, uint32_t index);

void nio_route_row(const nio_route *route, const nio_store *links,
                   MIB_IPFORWARD_ROW2 *ret_row);
void nio_address_row(const nio_address *address, const nio_store *links,
                     MIB_UNICASTIPADDRESS_ROW *ret_row);
/* False: the link does not take part in that family, so there is no row. */
bool nio_interface_row(const nio_link *link, ADDRESS_FAMILY family,
                       MIB_IPINTERFACE_ROW *ret_row);

/* `index` becomes the scope of a link-local address. */
void nio_sockaddr(uint8_t family, const uint8_t bytes[16], uint32_t index,
                  SOCKADDR_INET *ret_address);
/* The bytes of an address; IPv4 is zero-padded to 16. */
void nio_sockaddr_bytes(const SOCKADDR_INET *address, uint8_t ret[16]);

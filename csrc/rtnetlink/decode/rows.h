/* SPDX-License-Identifier: MIT */
/* From records to rows of the contract. Pure, but for the time of boot, which
 * is read once. Every byte of a row is set, padding too, so that equal rows
 * are equal bytes. */
#pragma once

#include "base/store.h"
#include "contract/netio.h"
#include "rtnetlink/decode/record.h"

/* All 32 bits of the index are in the LUID: the upper 8 in the lowest byte of
 * `Reserved`, which Windows leaves 0. */
NET_LUID nio_luid(uint32_t index, uint16_t hardware_type);
/* 0: no link has this LUID. */
uint32_t nio_index_of_luid(NET_LUID luid);
/* A link in the mirror, also one that is gone; NULL if it is unknown. */
const nio_link *nio_link_in(const nio_store *links, uint32_t index);

/* Can the address be used: has duplicate address detection ended well, or does
 * the address not wait for it (IFA_F_OPTIMISTIC)? Deprecated ones can. */
bool nio_is_usable_address(const nio_address *address);
/* The row's `Extra` is borrowed from the record. */
void nio_route_row(const nio_route *route, const nio_store *links,
                   uint32_t now_s, MIB_IPFORWARD_ROW2 *ret_row);
void nio_address_row(const nio_address *address, const nio_store *links,
                     uint32_t now_s, MIB_UNICASTIPADDRESS_ROW *ret_row);
/* False: the link does not take part in that family, or is gone, so there is
 * no row. */
bool nio_interface_row(const nio_link *link, ADDRESS_FAMILY family,
                       MIB_IPINTERFACE_ROW *ret_row);

/* `index` becomes the scope of a link-local address. */
void nio_sockaddr(uint8_t family, const uint8_t bytes[16], uint32_t index,
                  SOCKADDR_INET *ret_address);
/* The bytes of an address; IPv4 is zero-padded to 16. */
void nio_sockaddr_bytes(const SOCKADDR_INET *address, uint8_t ret[16]);

/* SPDX-License-Identifier: MIT */
/* The stable address table, read by the calling thread for itself. */
#pragma once

#include "contract/netio.h"

#include <stdbool.h>

/* Has every address of the family left duplicate address detection? Returns a
 * Win32 code. */
DWORD nio_read_stable(ADDRESS_FAMILY family, bool *ret_stable);

/* GetUnicastIpAddressTable, except that no address at all gives a table
 * without rows, which is stable, too. */
DWORD nio_read_address_table(ADDRESS_FAMILY family,
                             PMIB_UNICASTIPADDRESS_TABLE *ret_table);

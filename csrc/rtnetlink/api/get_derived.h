/* SPDX-License-Identifier: MIT */
/* The stable address table, read by the calling thread for itself. */
#pragma once

#include "contract/netio.h"

#include <stdbool.h>
#include <stdint.h>

/* Has every address of the family left duplicate address detection? Returns a
 * Win32 code. */
DWORD nio_read_stable(ADDRESS_FAMILY family, bool *ret_stable);

/* The addresses that can be used: none that is still tentative, or a
 * duplicate. Without any it is a table without rows, which is stable, too. */
DWORD nio_read_stable_table(ADDRESS_FAMILY family,
                            PMIB_UNICASTIPADDRESS_TABLE *ret_table);
/* Of all that makes two stable tables different; never 0. */
uint64_t nio_stable_table_digest(const MIB_UNICASTIPADDRESS_TABLE *table);

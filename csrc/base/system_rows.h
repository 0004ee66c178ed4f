/* SPDX-License-Identifier: MIT */
/* The header's functions that read rows, by kind. Any thread; they may wait
 * for the system, so without any lock. */
#pragma once

#include "contract/tower.h"

/* A row of any kind. */
typedef union nio_any_row {
    MIB_IPINTERFACE_ROW ip_interface;
    MIB_UNICASTIPADDRESS_ROW ip_address;
    MIB_IPFORWARD_ROW2 route;
} nio_any_row;

/* All rows of a kind and family. `ret_memory` is for FreeMibTable: NULL where
 * there are no rows, which is no error. ERROR_PROC_NOT_FOUND where the system
 * lacks the function. */
NETIO_STATUS nio_read_table(nio_kind kind, ADDRESS_FAMILY family,
                            PVOID *ret_memory, const void **ret_rows,
                            size_t *ret_count);

/* The row with the key of `row`, as it is now, in its place. */
NETIO_STATUS nio_read_entry(nio_kind kind, nio_any_row *row);

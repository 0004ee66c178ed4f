/* SPDX-License-Identifier: MIT */
/* Reads rows of the system, by kind, through the functions of netioapi.h that
 * the caller passes as `system`. On any thread, but without any lock: a
 * function of the system may wait. */
#pragma once

#include "contract/tower.h"

/* A row of any kind. */
typedef union nio_any_row {
    MIB_IPINTERFACE_ROW ip_interface;
    MIB_UNICASTIPADDRESS_ROW ip_address;
    MIB_IPFORWARD_ROW2 route;
} nio_any_row;

/* Reads all rows of a kind and family. `ret_memory` is for FreeMibTable: NULL
 * where there are no rows, which is no error. ERROR_PROC_NOT_FOUND where the
 * system lacks the function. */
NETIO_STATUS nio_read_table(const nio_functions *system, nio_kind kind,
                            ADDRESS_FAMILY family, PVOID *ret_memory,
                            const void **ret_rows, size_t *ret_count);

/* Replaces `row`, which has the key members, by the row with this key as it is
 * now. */
NETIO_STATUS nio_read_entry(const nio_functions *system, nio_kind kind,
                            nio_any_row *row);

/* SPDX-License-Identifier: MIT */
/* Where the system calls in. */
#pragma once

#include "binding/callbacks/context.h"

/* Tell the tower, once, how batches take the GIL: 0, or -1 with an
 * exception. */
int nio_delivery_init(void);

/* The system's callbacks: any thread, without the GIL. `context` is the
 * bridge; rows are borrowed, the stable table is owned. */
VOID NETIOAPI_API_ nio_on_interface_change(PVOID context,
                                           PMIB_IPINTERFACE_ROW row,
                                           MIB_NOTIFICATION_TYPE type);
VOID NETIOAPI_API_ nio_on_address_change(PVOID context,
                                         PMIB_UNICASTIPADDRESS_ROW row,
                                         MIB_NOTIFICATION_TYPE type);
VOID NETIOAPI_API_ nio_on_route_change(PVOID context, PMIB_IPFORWARD_ROW2 row,
                                       MIB_NOTIFICATION_TYPE type);
VOID NETIOAPI_API_ nio_on_teredo_change(PVOID context, USHORT port,
                                        MIB_NOTIFICATION_TYPE type);
VOID NETIOAPI_API_ nio_on_hint_change(PVOID context,
                                      NL_NETWORK_CONNECTIVITY_HINT hint);
VOID NETIOAPI_API_ nio_on_stable_table(PVOID context,
                                       PMIB_UNICASTIPADDRESS_TABLE table);

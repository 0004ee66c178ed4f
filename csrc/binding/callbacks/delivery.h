/* SPDX-License-Identifier: MIT */
/* The native callbacks, which the system calls on any thread, without the
 * GIL. */
#pragma once

#include "binding/callbacks/context.h"
#include "binding/callbacks/python_call.h"

/* Passes the hooks to the tower, once per process: 0, or -1 with an exception.
 */
int nio_delivery_init(void);

/* Before the system knows the context: its calls are to wait for that of
 * nio_deliver_reserved. */
void nio_delivery_reserve(nio_callback_context *context);
/* Once, after nio_delivery_reserve: delivers this call (NULL: none) and then
 * those that wait. */
void nio_deliver_reserved(nio_callback_context *context, nio_call *call);
/* The calling thread makes no further call, and may wait for the GIL. */
void nio_delivery_end_thread(void *context);

/* The callbacks of netioapi.h. `context` is the nio_callback_context of the
 * registration. The rows are borrowed, the stable table is owned. */
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

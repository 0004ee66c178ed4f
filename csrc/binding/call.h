/* SPDX-License-Identifier: MIT */
/* Between bridge.c and call.c: a native callback as a value, and the GIL of
 * a thread of the system. */
#pragma once

#include "binding/registration.h"

typedef union nio_any_row {
    MIB_IPINTERFACE_ROW interface_row;
    MIB_UNICASTIPADDRESS_ROW address_row;
    MIB_IPFORWARD_ROW2 route_row;
} nio_any_row;

/* One native callback: what it was given. */
typedef struct nio_call {
    const void *row; /* borrowed; NULL: none */
    MIB_NOTIFICATION_TYPE type;
    USHORT port;
    NL_NETWORK_CONNECTIVITY_HINT hint;
    PMIB_UNICASTIPADDRESS_TABLE table; /* owned */
} nio_call;

/* Take the GIL. False: no Python may run for this bridge, and there is
 * nothing to detach. A cancelled registration's thread has no business with
 * the GIL, which may be gone for good. */
bool nio_attach(nio_bridge *bridge);
void nio_detach(void);
/* This thread calls back no more: give its Python thread state up. */
void nio_thread_forget(nio_bridge *bridge);

/* Call the callable, attached, as the bridge's only deliverer. No exception
 * is left. */
void nio_call_python(nio_bridge *bridge, const nio_call *call);

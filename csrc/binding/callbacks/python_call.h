/* SPDX-License-Identifier: MIT */
/* A native callback as a value, and the Python call for it. */
#pragma once

#include "binding/callbacks/context.h"

/* One native callback: what it was given. */
typedef struct nio_call {
    const void *row; /* borrowed; NULL: none */
    bool details;    /* more of the row is known than its key members */
    MIB_NOTIFICATION_TYPE type;
    USHORT port;
    NL_NETWORK_CONNECTIVITY_HINT hint;
    PMIB_UNICASTIPADDRESS_TABLE table; /* owned */
} nio_call;

/* Call the callable, attached, as the bridge's only deliverer. No exception
 * is left. */
void nio_call_python(nio_callback_context *bridge, const nio_call *call);

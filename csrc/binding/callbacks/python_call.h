/* SPDX-License-Identifier: MIT */
/* A native callback as a value, and the Python call that it becomes. */
#pragma once

#include "binding/callbacks/context.h"

/* What the system passed to a native callback. */
typedef struct nio_call {
    const void *row; /* borrowed; NULL: none */
    bool details;    /* more of the row is known than its key members */
    MIB_NOTIFICATION_TYPE type;
    USHORT port;
    NL_NETWORK_CONNECTIVITY_HINT hint;
    PMIB_UNICASTIPADDRESS_TABLE table; /* owned */
} nio_call;

/* Calls the registration's callable. Called attached, by the deliverer of the
 * registration; leaves no exception set. */
void nio_call_python(nio_callback_context *context, const nio_call *call);

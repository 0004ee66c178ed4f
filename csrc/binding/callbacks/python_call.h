/* SPDX-License-Identifier: MIT */
/* Between bridge.c and call.c: a native callback as a value, and the GIL of
 * a thread of the system. */
#pragma once

#include "base/system_rows.h"
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

/* ---- threads.c: what we keep for a thread */
typedef struct nio_thread_context {
    const nio_frame *frames; /* the callbacks it is in */
    PyThreadState *lent;     /* of a Python thread that now calls the system */
    struct nio_thread_state *kept; /* thread states that we made for it */
    nio_callback_context
        *batch;    /* the batch that it is in, as the deliverer */
    bool attached; /* for that batch */
} nio_thread_context;

/* Once a process; false when the system has no slot left. */
bool nio_threads_init(void);
/* Made at first; NULL when memory is short. */
nio_thread_context *nio_thread_context_get(void);
/* Take the GIL. False: no Python may run for this bridge, and there is
 * nothing to detach. A cancelled registration's thread has no business with
 * the GIL, which may be gone for good. */
bool nio_attach(nio_callback_context *bridge);
void nio_detach(nio_callback_context *bridge);
/* This thread calls back no more: give its Python thread states up. */
void nio_thread_forget(nio_callback_context *bridge);

/* ---- call.c */
/* Call the callable, attached, as the bridge's only deliverer. No exception
 * is left. */
void nio_call_python(nio_callback_context *bridge, const nio_call *call);

/* SPDX-License-Identifier: MIT */
/* What is kept for a thread: the callbacks that it is in, and its Python
 * thread states. */
#pragma once

#include "binding/callbacks/context.h"

/* The callbacks this thread is in, innermost first; on the C stack. */
typedef struct nio_frame {
    const struct nio_frame *up;
    nio_callback_context *bridge;
} nio_frame;
const nio_frame *nio_frames(void);

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

/* Around a call of the system that may call back on this very thread: the
 * GIL is lent to that callback. Take back what release returned. Only after
 * nio_thread_context_get() has succeeded on this thread. */
PyThreadState *nio_gil_release(void);
void nio_gil_retake(PyThreadState *thread);

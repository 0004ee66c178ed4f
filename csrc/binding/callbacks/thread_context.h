/* SPDX-License-Identifier: MIT */
/* The context of a thread: the callbacks that it is in, and its Python thread
 * states. It is in a thread-local slot, and only the thread itself uses it. */
#pragma once

#include "binding/callbacks/context.h"

/* A callback that the thread is in. The frame is on the thread's C stack. */
typedef struct nio_frame {
    const struct nio_frame *outer;
    nio_callback_context *context;
} nio_frame;

typedef struct nio_thread_context {
    const nio_frame *frames; /* innermost first */
    nio_thread_states states;
    /* The batch that the thread delivers (delivery.c); or NULL. */
    nio_callback_context *batch_of;
    bool batch_attached;
} nio_thread_context;

/* Called once per process. False when the system has no slot left. */
bool nio_thread_context_init(void);
/* The context of this thread, made at first use. NULL: an allocation failed.
 */
nio_thread_context *nio_thread_context_get(void);
/* The same, but NULL if none was made yet. */
nio_thread_context *nio_thread_context_find(void);

/* True when this thread is in a callback; in one of this registration. */
bool nio_thread_is_in_callback(void);
bool nio_thread_is_in_callback_of(const nio_callback_context *context);

/* Between these two the thread counts as being in a callback of the
 * registration. When it attaches or detaches for the registration, destructors
 * of Python objects may run: that code belongs between these two as well, for
 * a destructor that cancels the registration would otherwise wait for the
 * thread that it runs on. */
static inline void
nio_frame_push(nio_thread_context *thread, nio_frame *frame,
               nio_callback_context *context)
{
    *frame = (nio_frame){thread->frames, context};
    thread->frames = frame;
}

static inline void
nio_frame_pop(nio_thread_context *thread)
{
    thread->frames = thread->frames->outer;
}

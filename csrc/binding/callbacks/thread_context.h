/* SPDX-License-Identifier: MIT */
/* What is kept for a thread: the callbacks that it is in, and its Python
 * thread states. In a thread-local slot, and used by the thread itself alone.
 */
#pragma once

#include "binding/callbacks/context.h"

/* A callback that the thread is in: on its C stack. */
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

/* Once a process; false when the system has no slot left. */
bool nio_thread_context_init(void);
/* The thread's, made at first use. NULL: an allocation failed. */
nio_thread_context *nio_thread_context_get(void);
/* The same, but NULL where none was made yet. */
nio_thread_context *nio_thread_context_find(void);

/* Is this thread in a callback, or in one of this registration? */
bool nio_thread_is_in_callback(void);
bool nio_thread_is_in_callback_of(const nio_callback_context *context);

/* Between these two the thread is in a callback of the registration. Code that
 * runs destructors of Python objects for it belongs between them, too: a
 * destructor that cancels the registration would otherwise wait for the thread
 * that it runs on. */
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

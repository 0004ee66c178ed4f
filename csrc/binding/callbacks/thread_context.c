/* SPDX-License-Identifier: MIT */
/* The thread-local slot with the thread's context. */
#include "binding/callbacks/thread_context.h"

#include <stdlib.h>

static void
on_thread_exit(void *own)
{
    nio_thread_context *thread = own;

    /* A thread ends within a callback if the process ends (os._exit()), or if
     * CPython up to 3.13 ends it because it asks for the GIL during the
     * finalization. Its context is in use then, and stays allocated. */
    if (thread->frames == NULL) {
        nio_thread_states_orphan(&thread->states);
        free(thread);
    }
}

bool
nio_thread_context_init(void)
{
    return nio_thread_local_init(on_thread_exit);
}

nio_thread_context *
nio_thread_context_find(void)
{
    return nio_thread_local_get();
}

nio_thread_context *
nio_thread_context_get(void)
{
    nio_thread_context *thread = nio_thread_local_get();

    if (thread == NULL) {
        thread = calloc(1, sizeof(*thread));
        if (thread != NULL && !nio_thread_local_set(thread)) {
            free(thread);
            thread = NULL;
        }
    }
    return thread;
}

bool
nio_thread_is_in_callback(void)
{
    const nio_thread_context *thread = nio_thread_context_find();
    return thread != NULL && thread->frames != NULL;
}

bool
nio_thread_is_in_callback_of(const nio_callback_context *context)
{
    const nio_thread_context *thread = nio_thread_context_find();

    for (const nio_frame *at = thread != NULL ? thread->frames : NULL;
         at != NULL; at = at->outer) {
        if (at->context == context) {
            return true;
        }
    }
    return false;
}

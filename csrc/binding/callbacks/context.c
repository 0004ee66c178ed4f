/* SPDX-License-Identifier: MIT */
/* Creates and frees the context that the system gets. */
#include "binding/callbacks/context.h"

#include <stdlib.h>

nio_callback_context *
nio_callback_context_new(nio_state *state)
{
    nio_callback_context *context = calloc(1, sizeof(*context));

    if (context == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    context->interpreter = nio_interpreter_keep(state->interpreter);
    context->state = state;
    context->generation = nio_process_generation();
    context->compartment = nio_compartment();
    nio_lock_init(&context->lock);
    nio_condition_init(&context->none_pending);
    nio_condition_init(&context->first_decided);
    return context;
}

nio_callback_context *
nio_callback_context_free(nio_callback_context *context)
{
    if (context != NULL) {
        nio_condition_done(&context->first_decided);
        nio_condition_done(&context->none_pending);
        nio_lock_done(&context->lock);
        nio_interpreter_drop(context->interpreter);
        free(context);
    }
    return NULL;
}

bool
nio_callback_context_is_forked(const nio_callback_context *context)
{
    return context->generation != nio_process_generation();
}

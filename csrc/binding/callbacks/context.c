/* SPDX-License-Identifier: MIT */
/* Makes and frees the native context of a registration. */
#include "binding/callbacks/context.h"

#include <stdlib.h>

nio_callback_context *
nio_callback_context_new(nio_state *state)
{
    nio_callback_context *bridge = calloc(1, sizeof(*bridge));

    if (bridge == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    bridge->home = nio_interpreter_keep(state->interpreter);
    bridge->state = state;
    nio_lock_init(&bridge->lock);
    nio_condition_init(&bridge->room);
    bridge->generation = nio_process_generation();
    return bridge;
}

nio_callback_context *
nio_callback_context_free(nio_callback_context *bridge)
{
    if (bridge != NULL) {
        nio_condition_done(&bridge->room);
        nio_lock_done(&bridge->lock);
        nio_interpreter_drop(bridge->home);
        free(bridge);
    }
    return NULL;
}

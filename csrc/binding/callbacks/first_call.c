/* SPDX-License-Identifier: MIT */
/* Windows makes the INITIAL call inside of Notify*, on the registering thread:
 * a callback that waits for that thread would wait for ever. So Windows is
 * asked for none, and a thread of ours makes it. It begins before the
 * registration, since a registration without it would have to be taken back,
 * and calls once the system has registered the context. The system's own calls
 * wait meanwhile (delivery.c). */
#include "binding/callbacks/first_call.h"

#include "binding/callbacks/delivery.h"

static bool
is_due(nio_callback_context *context)
{
    nio_lock_take(&context->lock);
    while (context->first_call == NIO_FIRST_CALL_WAITS) {
        nio_condition_wait(&context->first_decided, &context->lock);
    }
    const bool due = context->first_call == NIO_FIRST_CALL_DUE;
    nio_lock_drop(&context->lock);
    return due;
}

/* The arguments that Windows gives: no row, port 0, the present hint. A hint
 * that cannot be read is unknown. */
static void
run(void *argument)
{
    nio_callback_context *context = argument;
    const nio_read_limit limit = {.timeout_ns = NIO_READ_TIMEOUT_NS};
    nio_call call = {.type = MibInitialNotification};

    if (!is_due(context)) {
        nio_deliver_reserved(context, NULL);
        return;
    }
    (void)nio_compartment_enter(context->compartment);
    if (context->signature == NIO_SIGNATURE_HINT) {
        NL_NETWORK_CONNECTIVITY_HINT hint = {0};
        call = (nio_call){.type = 0};
        if (nio_get_connectivity_hint(&hint, &limit) == NO_ERROR) {
            call.hint = hint;
        }
    }
    nio_deliver_reserved(context, &call);
    nio_delivery_end_thread(context);
}

bool
nio_first_call_prepare(nio_callback_context *context)
{
    if (!context->initial || nio_makes_initial_calls()) {
        return true;
    }
    nio_delivery_reserve(context);
    return nio_thread_start_unmasked(&context->first_caller, "netio-initial",
                                     run, context);
}

void
nio_first_call_decide(nio_callback_context *context, bool due)
{
    nio_lock_take(&context->lock);
    context->first_call = due ? NIO_FIRST_CALL_DUE : NIO_FIRST_CALL_NOT_DUE;
    nio_condition_wake_all(&context->first_decided);
    nio_lock_drop(&context->lock);
    if (!due) {
        nio_first_call_join(context);
    }
}

void
nio_first_call_join(nio_callback_context *context)
{
    nio_thread_join(&context->first_caller);
}

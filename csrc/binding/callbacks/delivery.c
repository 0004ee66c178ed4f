/* SPDX-License-Identifier: MIT */
/* The native callbacks, which the system calls on any thread, without the GIL.
 *
 * Two Python calls of one registration never overlap and never change order,
 * although Windows can call back on two threads at once. One thread at a time
 * is the deliverer of a registration. If the system calls back on another
 * thread meanwhile, that thread appends a copy of its call to the pending list
 * and returns; the deliverer continues until the list is empty. (A lock that
 * is held while Python runs would keep the order, too, but would deadlock with
 * the GIL.)
 *
 * Windows passes only the key of a row. The deliverer then reads the whole row
 * from the system, without the GIL. It reads the rows of all pending calls
 * before it delivers the first of them, so that the row of a later call is
 * never older than the row of an earlier one. */
#include "binding/callbacks/delivery.h"

#include "base/extra.h"
#include "base/system_rows.h"
#include "binding/callbacks/python_call.h"
#include "binding/callbacks/thread_context.h"
#include "binding/rows/row.h"

#include <stdlib.h>
#include <string.h>

/* When so many calls are pending, the system's thread waits for room, as it
 * would wait for the callback itself if no other thread delivered it. */
#define MAX_PENDING_CALLS 1024u

/* A copy of a call, which its thread has left to the deliverer. */
typedef struct nio_pending_call {
    nio_call call;
    struct nio_pending_call *next;
    nio_any_row row;
} nio_pending_call;

/* ---- the GIL */

/* False: no Python code can run for this registration. A thread must not ask
 * for the GIL for a cancelled one, since its interpreter may have ended. */
static bool
attach(nio_callback_context *context)
{
    nio_thread_context *thread = nio_thread_context_get();
    nio_frame frame;

    if (thread == NULL || nio_atomic_load(&context->disabled) ||
        !nio_interpreter_attach(context->interpreter, &thread->states)) {
        return false;
    }
    nio_frame_push(thread, &frame, context);
    nio_interpreter_free_orphans(context->interpreter, &thread->states);
    nio_frame_pop(thread);
    (void)nio_atomic_add(&context->batches, 1);
    return true;
}

static void
detach(nio_callback_context *context)
{
    nio_thread_context *thread = nio_thread_context_find();
    nio_frame frame;

    nio_frame_push(thread, &frame, context);
    nio_interpreter_detach(context->interpreter, &thread->states);
    nio_frame_pop(thread);
}

/* Makes the Python call, unless the registration is cancelled, or this is a
 * forked child: a callback that forks returns in both processes. A call that
 * cannot be made counts as an error. Frees the table of the call. */
static void
make_call(nio_callback_context *context, const nio_call *call, bool attached)
{
    if (!nio_atomic_load(&context->disabled) &&
        !nio_callback_context_is_forked(context)) {
        if (attached) {
            nio_call_python(context, call);
        } else {
            (void)nio_atomic_add(&context->errors, 1);
        }
    }
    if (call->table != NULL) {
        nio_system()->FreeMibTable(call->table);
    }
}

/* ---- one deliverer at a time */

/* True: this thread has become the deliverer, and stays it until
 * take_pending_or_stop() returns NULL. False: another thread is. */
static bool
become_deliverer(nio_callback_context *context)
{
    nio_lock_take(&context->lock);
    bool mine = !context->delivering;
    context->delivering = true;
    nio_lock_drop(&context->lock);
    return mine;
}

/* False: there is no deliverer any more that would take the call. A thread
 * that is in a callback does not wait for room, since the deliverer may be
 * waiting for that callback to return. */
static bool
enqueue_pending(nio_callback_context *context, nio_pending_call *pending)
{
    bool may_wait = !nio_thread_is_in_callback();

    nio_lock_take(&context->lock);
    while (may_wait && context->delivering &&
           context->pending >= MAX_PENDING_CALLS) {
        nio_condition_wait(&context->none_pending, &context->lock);
    }
    bool enqueued = context->delivering;
    if (enqueued) {
        context->pending++;
        if (context->last_pending != NULL) {
            context->last_pending->next = pending;
        } else {
            context->first_pending = pending;
        }
        context->last_pending = pending;
    }
    nio_lock_drop(&context->lock);
    return enqueued;
}

/* Takes all pending calls. NULL: there are none, and this thread is no longer
 * the deliverer. */
static nio_pending_call *
take_pending_or_stop(nio_callback_context *context)
{
    nio_lock_take(&context->lock);
    nio_pending_call *first = context->first_pending;
    context->first_pending = context->last_pending = NULL;
    context->pending = 0;
    context->delivering = first != NULL;
    nio_condition_wake_all(&context->none_pending);
    nio_lock_drop(&context->lock);
    return first;
}

/* A copy of a call, with its row. NULL: an allocation failed. */
static nio_pending_call *
pending_new(const nio_callback_context *context, const nio_call *call)
{
    nio_pending_call *pending = malloc(sizeof(*pending));

    if (pending != NULL) {
        pending->call = *call;
        pending->next = NULL;
        if (call->row != NULL) {
            memcpy(&pending->row, call->row, nio_row_size(context->kind));
            pending->call.row = &pending->row;
            (void)nio_extra_keep(nio_extra_of(context->kind, &pending->row));
        }
    }
    return pending;
}

/* Accepts NULL. */
static void
pending_free(const nio_callback_context *context, nio_pending_call *pending)
{
    if (pending != NULL && pending->call.row != NULL) {
        nio_extra_drop(nio_extra_of(context->kind, &pending->row));
    }
    free(pending);
}

/* ---- delivering */

/* Replaces the row of a call, of which the system has passed only the key, by
 * the whole row, which is read into `buffer`. */
static void
complete(const nio_callback_context *context, nio_call *call,
         nio_any_row *buffer)
{
    if (call->row != NULL && context->details &&
        !nio_atomic_load(&context->disabled)) {
        const uint32_t back = nio_compartment_enter(context->compartment);
        call->row = nio_complete_row(context->kind, call->type, call->row,
                                     buffer, &call->details);
        (void)nio_compartment_enter(back);
    }
}

/* Called by the deliverer: delivers pending calls until none is left. */
static void
deliver_pending(nio_callback_context *context)
{
    nio_pending_call *first, *next;

    while ((first = take_pending_or_stop(context)) != NULL) {
        for (nio_pending_call *at = first; at != NULL; at = at->next) {
            nio_any_row buffer;
            complete(context, &at->call, &buffer);
            if (at->call.row == &buffer) {
                at->row = buffer;
                at->call.row = &at->row;
            }
        }
        bool attached = attach(context);
        for (; first != NULL; first = next) {
            next = first->next;
            make_call(context, &first->call, attached);
            pending_free(context, first);
        }
        if (attached) {
            detach(context);
        }
    }
}

/* Called by the deliverer. */
static void
deliver_with_pending(nio_callback_context *context, nio_call *call)
{
    nio_any_row buffer;

    complete(context, call, &buffer);
    bool attached = attach(context);
    make_call(context, call, attached);
    if (attached) {
        detach(context);
    }
    deliver_pending(context);
}

/* Delivers a call that belongs to no batch. */
static void
deliver_alone(nio_callback_context *context, nio_call *call)
{
    nio_pending_call *pending = NULL;

    while (!become_deliverer(context)) {
        if (pending == NULL &&
            (pending = pending_new(context, call)) == NULL) {
            make_call(context, call, false);
            return;
        }
        if (enqueue_pending(context, pending)) {
            return;
        }
    }
    pending_free(context, pending);
    deliver_with_pending(context, call);
}

void
nio_delivery_reserve(nio_callback_context *context)
{
    (void)become_deliverer(context);
}

void
nio_deliver_reserved(nio_callback_context *context, nio_call *call)
{
    if (call != NULL) {
        deliver_with_pending(context, call);
    } else {
        deliver_pending(context);
    }
}

/* ---- batches (nio_hooks in contract/tower.h)
 *
 * A tower calls begin_batch(), then the callbacks of netioapi.h, then
 * end_batch(), all on one thread. Those callbacks have Microsoft's signatures,
 * which cannot be given a further parameter. So begin_batch() records in the
 * thread's context (batch_of, batch_attached) that the thread is the deliverer
 * and whether it is attached, and deliver() reads it there. */
static void
begin_batch(void *opaque)
{
    nio_callback_context *context = opaque;
    nio_thread_context *thread = nio_thread_context_get();

    /* If not, there is no batch, and each call is delivered alone. */
    if (thread != NULL && become_deliverer(context)) {
        thread->batch_attached = attach(context);
        thread->batch_of = context;
    }
}

static void
end_batch(void *opaque)
{
    nio_callback_context *context = opaque;
    nio_thread_context *thread = nio_thread_context_find();

    if (thread != NULL && thread->batch_of == context) {
        thread->batch_of = NULL;
        if (thread->batch_attached) {
            detach(context);
        }
        deliver_pending(context);
    }
}

static void
deliver(nio_callback_context *context, nio_call *call)
{
    const nio_thread_context *thread = nio_thread_context_find();

    if (thread != NULL && thread->batch_of == context) {
        call->details = true; /* a tower with batches passes whole rows */
        make_call(context, call, thread->batch_attached);
    } else {
        deliver_alone(context, call);
    }
}

void
nio_delivery_end_thread(void *opaque)
{
    nio_callback_context *context = opaque;
    nio_thread_context *thread = nio_thread_context_find();
    nio_frame frame;

    if (thread != NULL) {
        nio_frame_push(thread, &frame, context);
        nio_thread_states_delete(&thread->states);
        nio_frame_pop(thread);
    }
}

static const void *
owner_of(void *opaque)
{
    const nio_callback_context *context = opaque;
    return context->interpreter;
}

int
nio_delivery_init(void)
{
    static const nio_hooks hooks = {begin_batch, end_batch,
                                    nio_delivery_end_thread, owner_of};
    static bool done; /* guarded: interpreters may import at once */

    nio_lock_take(&nio_process_lock);
    if (!done && nio_thread_context_init()) {
        nio_set_hooks(&hooks);
        done = true;
    }
    bool good = done;
    nio_lock_drop(&nio_process_lock);
    if (!good) {
        PyErr_NoMemory();
    }
    return good ? 0 : -1;
}

/* ---- the callbacks of netioapi.h */
VOID NETIOAPI_API_
nio_on_interface_change(PVOID context, PMIB_IPINTERFACE_ROW row,
                        MIB_NOTIFICATION_TYPE type)
{
    deliver(context, &(nio_call){.row = row, .type = type});
}

VOID NETIOAPI_API_
nio_on_address_change(PVOID context, PMIB_UNICASTIPADDRESS_ROW row,
                      MIB_NOTIFICATION_TYPE type)
{
    deliver(context, &(nio_call){.row = row, .type = type});
}

VOID NETIOAPI_API_
nio_on_route_change(PVOID context, PMIB_IPFORWARD_ROW2 row,
                    MIB_NOTIFICATION_TYPE type)
{
    deliver(context, &(nio_call){.row = row, .type = type});
}

VOID NETIOAPI_API_
nio_on_teredo_change(PVOID context, USHORT port, MIB_NOTIFICATION_TYPE type)
{
    deliver(context, &(nio_call){.port = port, .type = type});
}

VOID NETIOAPI_API_
nio_on_hint_change(PVOID context, NL_NETWORK_CONNECTIVITY_HINT hint)
{
    deliver(context, &(nio_call){.hint = hint});
}

VOID NETIOAPI_API_
nio_on_stable_table(PVOID context, PMIB_UNICASTIPADDRESS_TABLE table)
{
    deliver(context, &(nio_call){.table = table});
}

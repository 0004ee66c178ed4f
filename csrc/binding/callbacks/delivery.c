/* SPDX-License-Identifier: MIT */
/* Where the system calls in. Any of its threads, without the GIL.
 *
 * Never two Python calls of one registration at once, and never out of order,
 * though some systems call back on two threads at once: who comes while
 * another delivers leaves a copy and returns, and who delivers goes on until
 * nothing is left. A lock that is held while Python runs would do the same,
 * and deadlock with the GIL.
 *
 * Some systems give the key of a row only. The rest is read by who delivers,
 * in order and without the GIL, before any of what was left is delivered: so
 * what is delivered last is never older than what was delivered before. */
#include "binding/callbacks/delivery.h"

#include "base/system_rows.h"
#include "binding/callbacks/cancel.h"
#include "binding/callbacks/python_call.h"
#include "binding/callbacks/threads.h"
#include "binding/rows/row.h"

#include <stdlib.h>
#include <string.h>

/* So many calls may wait for Python; who comes then waits with them, as the
 * system's threads do anyway where it keeps its promise. */
#define MAX_PENDING_CALLS 1024u

/* A call that its thread left to the deliverer. */
typedef struct nio_pending_call {
    nio_call call;
    struct nio_pending_call *next;
    nio_any_row row;
} nio_pending_call;

/* Python may be told, if `attached`, and if nobody cancelled meanwhile, nor
 * made this a forked child: a callback that forks comes back in both. */
static void
handle(nio_callback_context *bridge, const nio_call *call, bool attached)
{
    if (!nio_atomic_load(&bridge->disabled) && !nio_cancel_forked(bridge)) {
        if (attached) {
            nio_call_python(bridge, call);
        } else { /* counted: nothing vanishes in silence */
            (void)nio_atomic_add(&bridge->errors, 1);
        }
    }
    if (call->table != NULL) {
        nio_system()->FreeMibTable(call->table);
    }
}

/* True: this thread delivers now, until finish(). */
static bool
claim(nio_callback_context *bridge)
{
    nio_lock_take(&bridge->lock);
    bool mine = !bridge->delivering;
    bridge->delivering = true;
    nio_lock_drop(&bridge->lock);
    return mine;
}

/* Leave a copy to the deliverer, if there is one still: else false. A thread
 * that is in a callback does not wait: the deliverer may wait for that one. */
static bool
enqueue_pending(nio_callback_context *bridge, nio_pending_call *copy)
{
    bool patient = nio_frames() == NULL;

    nio_lock_take(&bridge->lock);
    while (patient && bridge->delivering &&
           bridge->left >= MAX_PENDING_CALLS) {
        nio_condition_wait(&bridge->room, &bridge->lock);
    }
    bool left = bridge->delivering;
    if (left) {
        bridge->left++;
        if (bridge->last != NULL) {
            bridge->last->next = copy;
        } else {
            bridge->first = copy;
        }
        bridge->last = copy;
    }
    nio_lock_drop(&bridge->lock);
    return left;
}

/* All calls that others left; NULL: this thread delivers no more. */
static nio_pending_call *
take_pending_or_stop(nio_callback_context *bridge)
{
    nio_lock_take(&bridge->lock);
    nio_pending_call *left = bridge->first;
    bridge->first = bridge->last = NULL;
    bridge->left = 0;
    bridge->delivering = left != NULL;
    nio_condition_wake_all(&bridge->room);
    nio_lock_drop(&bridge->lock);
    return left;
}

/* Without the GIL: asks the system for what it left out, to `space`. */
static void
complete(const nio_callback_context *bridge, nio_call *call,
         nio_any_row *space)
{
    if (call->row != NULL && bridge->details &&
        !nio_atomic_load(&bridge->disabled)) {
        call->row = nio_complete_row(bridge->kind, call->type, call->row,
                                     space, &call->details);
    }
}

static void
finish(nio_callback_context *bridge)
{
    nio_pending_call *left, *next;

    while ((left = take_pending_or_stop(bridge)) != NULL) {
        for (nio_pending_call *at = left; at != NULL; at = at->next) {
            nio_any_row space;
            complete(bridge, &at->call, &space);
            if (at->call.row == &space) {
                at->row = space;
                at->call.row = &at->row;
            }
        }
        bool attached = nio_attach(bridge);
        for (; left != NULL; left = next) {
            next = left->next;
            handle(bridge, &left->call, attached);
            free(left);
        }
        if (attached) {
            nio_detach(bridge);
        }
    }
}

static void
deliver(nio_callback_context *bridge, nio_call *call)
{
    const nio_thread_context *here = nio_thread_local_get();
    nio_pending_call *copy = NULL;
    nio_any_row space;

    if (here != NULL && here->batch == bridge) {
        call->details =
            true; /* only towers whose rows are whole have batches */
        handle(bridge, call, here->attached);
        return;
    }
    while (!claim(bridge)) {
        if (copy == NULL) {
            copy = malloc(sizeof(*copy));
        }
        if (copy == NULL) {
            handle(bridge, call, false);
            return;
        }
        copy->call = *call;
        copy->next = NULL;
        if (call->row != NULL) {
            memcpy(&copy->row, call->row, nio_row_size(bridge->kind));
            copy->call.row = &copy->row;
        }
        if (enqueue_pending(bridge, copy)) {
            return;
        }
    }
    free(copy);
    complete(bridge, call, &space);
    bool attached = nio_attach(bridge);
    handle(bridge, call, attached);
    if (attached) {
        nio_detach(bridge);
    }
    finish(bridge);
}

static void
on_begin(void *context)
{
    nio_callback_context *bridge = context;
    nio_thread_context *here = nio_thread_context_get();

    /* Without memory there is no batch: each call comes on its own. */
    if (here != NULL && claim(bridge)) {
        here->attached = nio_attach(bridge);
        here->batch = bridge;
    }
}

static void
on_end(void *context)
{
    nio_callback_context *bridge = context;
    nio_thread_context *here = nio_thread_local_get();

    if (here != NULL && here->batch == bridge) {
        here->batch = NULL;
        if (here->attached) {
            nio_detach(bridge);
        }
        finish(bridge);
    }
}

static void
on_thread_end(void *context)
{
    nio_thread_forget(context);
}

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

int
nio_delivery_init(void)
{
    static const nio_hooks hooks = {on_begin, on_end, on_thread_end};
    static bool done; /* under the lock: interpreters may import at once */
    bool good;

    nio_lock_take(&nio_process_lock);
    if (!done && nio_threads_init()) {
        nio_set_hooks(&hooks);
        done = true;
    }
    good = done;
    nio_lock_drop(&nio_process_lock);
    if (!good) {
        PyErr_NoMemory();
    }
    return good ? 0 : -1;
}

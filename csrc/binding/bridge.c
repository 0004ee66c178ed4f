/* SPDX-License-Identifier: MIT */
/* Where the system calls in. Any of its threads, without the GIL.
 *
 * Never two Python calls of one registration at once, and never out of order,
 * though some systems call back on two threads at once: who comes while
 * another delivers leaves a copy and returns, and who delivers goes on until
 * nothing is left. A lock that is held while Python runs would do the same,
 * and deadlock with the GIL. */
#include "binding/call.h"

#include <stdlib.h>
#include <string.h>

/* A call that its thread left to the deliverer. */
typedef struct nio_left {
    nio_call call;
    struct nio_left *next;
    nio_any_row row;
} nio_left;

/* The batch that this thread is in, as its registration's deliverer. */
static NIO_THREAD_LOCAL struct {
    nio_bridge *bridge;
    bool attached;
} batch;

/* Python may be told, if `attached`, and nobody cancelled meanwhile, nor made
 * this a forked child: a callback that forks comes back in both. */
static void
handle(nio_bridge *bridge, const nio_call *call, bool attached)
{
    if (attached && !nio_atomic_load(&bridge->disabled) &&
        !nio_cancel_forked(bridge)) {
        nio_call_python(bridge, call);
    }
    if (call->table != NULL) {
        nio_system()->FreeMibTable(call->table);
    }
}

/* True: this thread delivers now, until finish(). */
static bool
claim(nio_bridge *bridge)
{
    nio_lock_take(&bridge->lock);
    bool mine = !bridge->delivering;
    bridge->delivering = true;
    nio_lock_drop(&bridge->lock);
    return mine;
}

/* Leave a copy to the deliverer, if there is one still: else false. */
static bool
leave(nio_bridge *bridge, nio_left *copy)
{
    nio_lock_take(&bridge->lock);
    bool left = bridge->delivering;
    if (left) {
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

/* The next call that others left; NULL: this thread delivers no more. */
static nio_left *
next_or_finish(nio_bridge *bridge)
{
    nio_lock_take(&bridge->lock);
    nio_left *left = bridge->first;
    if (left == NULL) {
        bridge->delivering = false;
    } else {
        bridge->first = left->next;
        if (bridge->first == NULL) {
            bridge->last = NULL;
        }
    }
    nio_lock_drop(&bridge->lock);
    return left;
}

static void
finish(nio_bridge *bridge, bool attached)
{
    nio_left *left;

    while ((left = next_or_finish(bridge)) != NULL) {
        handle(bridge, &left->call, attached);
        free(left);
    }
    if (attached) {
        nio_detach();
    }
}

static void
deliver(nio_bridge *bridge, nio_call *call)
{
    nio_left *copy = NULL;

    if (batch.bridge == bridge) {
        handle(bridge, call, batch.attached);
        return;
    }
    while (!claim(bridge)) {
        if (copy == NULL) {
            copy = malloc(sizeof(*copy));
        }
        if (copy == NULL) { /* counted: nothing vanishes in silence */
            nio_atomic_add(&bridge->errors, 1);
            handle(bridge, call, false);
            return;
        }
        copy->call = *call;
        copy->next = NULL;
        if (call->row != NULL) {
            memcpy(&copy->row, call->row, nio_row_size(bridge->kind));
            copy->call.row = &copy->row;
        }
        if (leave(bridge, copy)) {
            return;
        }
    }
    free(copy);
    bool attached = nio_attach(bridge);
    handle(bridge, call, attached);
    finish(bridge, attached);
}

static void
on_begin(void *context)
{
    nio_bridge *bridge = context;

    if (claim(bridge)) {
        batch.bridge = bridge;
        batch.attached = nio_attach(bridge);
    }
}

static void
on_end(void *context)
{
    nio_bridge *bridge = context;

    if (batch.bridge == bridge) {
        finish(bridge, batch.attached);
        batch.bridge = NULL;
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

void
nio_bridge_init(void)
{
    static const nio_hooks hooks = {on_begin, on_end, on_thread_end};
    static bool done; /* under the lock: interpreters may import at once */

    nio_cancel_lock();
    if (!done) {
        nio_set_hooks(&hooks);
        done = true;
    }
    nio_cancel_unlock();
}

nio_bridge *
nio_bridge_new(nio_state *state)
{
    nio_bridge *bridge = calloc(1, sizeof(*bridge));

    if (bridge == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    bridge->interpreter = PyInterpreterState_Get();
    bridge->state = state;
    nio_lock_init(&bridge->lock);
    nio_cancel_adopt(bridge);
    return bridge;
}

nio_bridge *
nio_bridge_free(nio_bridge *bridge)
{
    if (bridge != NULL) {
        nio_lock_done(&bridge->lock);
        free(bridge);
    }
    return NULL;
}

/* SPDX-License-Identifier: MIT */
/* Serves one registration: takes changes from its queue and calls back, one
 * at a time and in order, on a thread of its pool (callback_pool.c). The
 * changes that are taken together are one batch, between two hooks. */
#include "rtnetlink/api/registry.h"

#include "rtnetlink/api/get_derived.h"

#include <string.h>
#include <sys/socket.h>

#define BATCH 1024 /* callbacks per GIL acquisition */
/* Until the next attempt at a stable table that could not be read. */
#define RETRY_NS (100 * UINT64_C(1000000))

static nio_hooks hooks;

void
nio_set_hooks(const nio_hooks *set)
{
    hooks = *set;
}

bool
nio_dispatcher_is_caller(const nio_entry *entry)
{
    return nio_atomic_load(&entry->dispatching) == nio_thread_number();
}

static void
call(nio_entry *entry, nio_change *change)
{
    MIB_NOTIFICATION_TYPE type = (MIB_NOTIFICATION_TYPE)change->type;
    void *row = change->size == 0 ? NULL : nio_change_row(change);
    NL_NETWORK_CONNECTIVITY_HINT hint;
    USHORT port;
    switch (change->kind) {
    case NIO_INTERFACE:
        entry->call.interface(entry->context, row, type);
        break;
    case NIO_ADDRESS:
        entry->call.address(entry->context, row, type);
        break;
    case NIO_ROUTE:
        entry->call.route(entry->context, row, type);
        break;
    case NIO_TEREDO:
        memcpy(&port, row, sizeof(port));
        entry->call.teredo(entry->context, port, type);
        break;
    case NIO_HINT:
        memcpy(&hint, row, sizeof(hint));
        entry->call.hint(entry->context, hint);
        break;
    default:
        break; /* marks are for nio_subscribe alone */
    }
}

static void
begin(const nio_entry *entry)
{
    if (hooks.begin != NULL) {
        hooks.begin(entry->context);
    }
}

static void
end(const nio_entry *entry)
{
    if (hooks.end != NULL) {
        hooks.end(entry->context);
    }
}

/* One callback serves all changes that are queued, with the table as it is
 * now. The table is read before the batch begins, so not under the GIL. False:
 * it could not be read, for lack of memory or descriptors. */
static bool
call_stable(nio_entry *entry)
{
    PMIB_UNICASTIPADDRESS_TABLE table = NULL;
    if (nio_read_stable_table(entry->subscriber.family, &table) != NO_ERROR) {
        return false;
    }
    const uint64_t digest = nio_stable_table_digest(table);
    if (digest == entry->handed) {
        FreeMibTable(table); /* the same again, after a change and back */
        return true;
    }
    entry->handed = digest;
    begin(entry);
    if (nio_atomic_load(&entry->cancelled)) {
        FreeMibTable(table);
    } else {
        entry->call.stable(entry->context, table); /* taken by the callee */
    }
    end(entry);
    return true;
}

static void
call_batch(nio_entry *entry, nio_taken *taken)
{
    nio_cursor cursor = {0};
    nio_change *change;
    begin(entry);
    while (!nio_atomic_load(&entry->cancelled) &&
           (change = nio_taken_next(taken, &cursor)) != NULL) {
        call(entry, change);
    }
    end(entry);
}

/* Marks are put to all subscribers; they do not concern the stable table. */
static bool
has_stable_change(nio_taken *taken)
{
    nio_cursor cursor = {0};
    nio_change *change;
    while ((change = nio_taken_next(taken, &cursor)) != NULL) {
        if (change->kind == NIO_STABLE) {
            return true;
        }
    }
    return false;
}

bool
nio_dispatcher_serve(nio_entry *entry, uint64_t *ret_wait_ns)
{
    nio_taken taken;
    const size_t count = nio_queue_take(entry->queue, BATCH, &taken);
    nio_atomic_store(&entry->dispatching, nio_thread_number());
    if (entry->subscriber.kinds == 1u << NIO_STABLE) {
        entry->owed = (entry->owed || has_stable_change(&taken)) &&
                      !nio_atomic_load(&entry->cancelled) &&
                      !call_stable(entry);
    } else if (count > 0) {
        call_batch(entry, &taken);
    }
    if (nio_is_forked((HANDLE)entry->id)) {
        return false; /* the queue may be locked for ever here */
    }
    nio_atomic_store(&entry->dispatching, 0); /* the number is used again */
    nio_taken_free(&taken);
    *ret_wait_ns = entry->owed ? RETRY_NS : count > 0 ? 0 : NIO_FOREVER;
    return true;
}

void
nio_dispatcher_end_thread(const nio_entry *entry)
{
    if (hooks.thread_end != NULL) {
        hooks.thread_end(entry->context);
    }
}

const void *
nio_dispatcher_owner(const nio_entry *entry)
{
    return hooks.owner != NULL ? hooks.owner(entry->context) : NULL;
}

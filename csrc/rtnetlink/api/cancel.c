/* SPDX-License-Identifier: MIT */
/* CancelMibChangeNotify2 and the end of a registration. Blocks until every
 * callback of the registration has returned; refuses where that could never
 * be: in its own callback, and in a circle of callbacks that cancel each
 * other. */
#include "rtnetlink/api/registry.h"

#include <assert.h>

/* Would a callback of `current` that waits for `entry` wait for itself? */
static bool
makes_circle(const nio_entry *current, const nio_entry *entry)
    NIO_REQUIRES(nio_registry_own_lock)
{
    while (entry != NULL && entry != current) {
        entry = entry->blocked_on;
    }
    return entry != NULL;
}

/* Without the lock: ends the thread and lets go of the engine. */
static void
end(nio_entry *entry)
{
    nio_atomic_store(&entry->cancelled, 1);
    nio_engine_detach(entry->engine, &entry->subscriber);
    if (!entry->direct) {
        nio_queue_close(entry->queue); /* wakes the dispatcher for good */
        nio_thread_join(&entry->dispatcher);
    }
    nio_engine_release(entry->engine);
}

DWORD
nio_registry_cancel(HANDLE handle)
{
    nio_entry *current = nio_dispatcher_current();
    DWORD code = NO_ERROR;
    bool mine = false, last = false;
    nio_registry_lock();
    nio_entry *entry = nio_registry_find(handle);
    if (entry == NULL) {
        code = ERROR_INVALID_HANDLE;
        goto done;
    }
    if (current != NULL && makes_circle(current, entry)) {
        code = ERROR_POSSIBLE_DEADLOCK;
        goto done;
    }
    if (current != NULL) {
        current->blocked_on = entry;
    }
    entry->waiters++;
    while (entry->state == NIO_ENTRY_ATTACHING) {
        nio_registry_wait();
    }
    mine = entry->state == NIO_ENTRY_ACTIVE;
    if (mine) {
        entry->state = NIO_ENTRY_CANCELLING;
        nio_registry_unlock();
        end(entry);
        nio_registry_lock();
        assert(entry->state == NIO_ENTRY_CANCELLING);
        entry->state = NIO_ENTRY_CANCELLED;
        nio_registry_take_out(entry);
        nio_registry_wake();
    }
    while (entry->state != NIO_ENTRY_CANCELLED) {
        nio_registry_wait();
    }
    if (current != NULL) {
        current->blocked_on = NULL;
    }
    last = --entry->waiters == 0;
done:
    nio_registry_unlock();
    if (last) {
        nio_entry_free(entry);
    }
    return code;
}

NETIO_STATUS NETIOAPI_API_
CancelMibChangeNotify2(HANDLE handle)
{
    if (handle == NULL) {
        return ERROR_INVALID_PARAMETER;
    }
    if (nio_is_forked(handle)) {
        return NO_ERROR;
    }
    return nio_registry_cancel(handle);
}

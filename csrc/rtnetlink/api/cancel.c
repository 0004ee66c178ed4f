/* SPDX-License-Identifier: MIT */
/* CancelMibChangeNotify2: ends a registration and waits until its last
 * callback has returned. In a callback of the registration itself that would
 * never be: there the answer is ERROR_POSSIBLE_DEADLOCK. Callbacks of several
 * registrations that cancel each other in a circle hang, as on Windows; the
 * binding finds such circles itself (binding/callbacks/cancel.c). */
#include "rtnetlink/api/registry.h"

#include <assert.h>

/* Waits for the callback that runs, and releases the engine. */
static void
end(nio_entry *entry) NIO_EXCLUDES(nio_registry_own_lock)
{
    nio_atomic_store(&entry->cancelled, 1);
    nio_engine_detach(entry->engine, &entry->subscriber);
    nio_callback_pool_leave(entry);
    nio_engine_release(entry->engine);
}

DWORD
nio_registry_cancel(HANDLE handle)
{
    DWORD code = NO_ERROR;
    bool last = false;
    nio_registry_lock();
    nio_entry *entry = nio_registry_find(handle);
    if (entry == NULL) {
        code = ERROR_INVALID_HANDLE;
        goto done;
    }
    if (nio_dispatcher_is_caller(entry)) {
        code = ERROR_POSSIBLE_DEADLOCK;
        goto done;
    }
    entry->waiters++;
    while (entry->state == NIO_ENTRY_ATTACHING) {
        nio_registry_wait();
    }
    if (entry->state == NIO_ENTRY_ACTIVE) {
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

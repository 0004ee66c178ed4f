/* SPDX-License-Identifier: MIT */
/* Notify* and CancelMibChangeNotify2, as Windows exports them. */
#include "registry.h"
#include "tables.h"

#include <string.h>

#define AS_CALLBACK(function) ((standin_callback)(void (*)(void))(function))

/* With which modules a registration is made, one after the other. */
static unsigned
queue_count_locked(registration *of)
{
    return queue_of_locked(of, AF_INET6) == &of->queues[1] ? 2 : 1;
}

/* Windows has been seen to call back once for each family. */
static unsigned
initial_count(const registration *of)
{
    return of->kind < STANDIN_TABLES && of->family == AF_UNSPEC ? 2 : 1;
}

static void
notify_initial_locked(registration *of, standin_queue *queue, unsigned times)
{
    standin_row row;
    const standin_row *shown = NULL;
    memset(&row, 0, sizeof(row));
    if (of->kind == STANDIN_HINT) {
        row.hint = standin_hint_locked();
        shown = &row;
    }
    for (; times > 0 && !of->closed; times--) {
        standin_event *event =
            deliver_event_new(of, AF_UNSPEC, shown, MibInitialNotification);
        event->queue = queue;
        if (standin_settings[STANDIN_SYNCHRONOUS_INITIAL] != 0) {
            deliver_now_locked(event);
        } else {
            deliver_post_locked(event);
        }
    }
}

/* Opens the queues one by one. An event of a queue whose INITIAL has not
 * returned waits for that; events of the other one do not. */
static void
open_queues_locked(registration *of, bool initial)
{
    unsigned queues = queue_count_locked(of);
    of->references++; /* it may be cancelled during its own first callback */
    for (unsigned i = 0; i < queues && !of->closed; i++) {
        standin_queue *queue = &of->queues[i];
        queue->open = queue->asked = true;
        if (initial) {
            queue->starting =
                standin_settings[STANDIN_SYNCHRONOUS_INITIAL] != 0 &&
                standin_settings[STANDIN_OVERLAP] == 0;
            notify_initial_locked(of, queue, initial_count(of) / queues);
            queue->starting = false;
            standin_wake_locked();
        }
    }
    registry_release_locked(of);
}

/* The service that makes registrations may be out of reach, or a family not be
 * there. */
static DWORD
service_error(ADDRESS_FAMILY family)
{
    standin_lock();
    DWORD code = standin_settings[STANDIN_SERVICE_ERROR];
    DWORD gone = standin_settings[STANDIN_GONE];
    if (code == NO_ERROR && gone != 0 &&
        (family == AF_UNSPEC || family == gone)) {
        code = standin_settings[STANDIN_GONE_CODE];
    }
    standin_unlock();
    return code;
}

static DWORD
add(const char *function, standin_kind kind, ADDRESS_FAMILY family,
    standin_callback callback, void *context, BOOLEAN initial,
    HANDLE *ret_handle)
{
    DWORD code = standin_failure(function);
    HANDLE handle = NULL;
    if (ret_handle == NULL) {
        return ERROR_INVALID_PARAMETER;
    }
    if (code == NO_ERROR && !standin_is_family(family)) {
        code = ERROR_INVALID_PARAMETER;
    }
    if (code == NO_ERROR) {
        code = service_error(family);
    }
    standin_lock();
    if (code == NO_ERROR && standin_settings[STANDIN_NULL_HANDLES] == 0) {
        registration *of =
            registry_add_locked(kind, family, callback, context);
        handle = of->handle;
        open_queues_locked(of, initial && callback != NULL);
    }
    standin_unlock();
    *ret_handle = handle;
    return code;
}

EXPORT DWORD WINAPI
NotifyIpInterfaceChange(ADDRESS_FAMILY family,
                        PIPINTERFACE_CHANGE_CALLBACK callback, PVOID context,
                        BOOLEAN initial, HANDLE *ret_handle)
{
    return add(__func__, STANDIN_INTERFACE, family, AS_CALLBACK(callback),
               context, initial, ret_handle);
}

EXPORT DWORD WINAPI
NotifyUnicastIpAddressChange(ADDRESS_FAMILY family,
                             PUNICAST_IPADDRESS_CHANGE_CALLBACK callback,
                             PVOID context, BOOLEAN initial,
                             HANDLE *ret_handle)
{
    return add(__func__, STANDIN_ADDRESS, family, AS_CALLBACK(callback),
               context, initial, ret_handle);
}

EXPORT DWORD WINAPI
NotifyRouteChange2(ADDRESS_FAMILY family, PIPFORWARD_CHANGE_CALLBACK callback,
                   PVOID context, BOOLEAN initial, HANDLE *ret_handle)
{
    return add(__func__, STANDIN_ROUTE, family, AS_CALLBACK(callback), context,
               initial, ret_handle);
}

EXPORT DWORD WINAPI
NotifyTeredoPortChange(PTEREDO_PORT_CHANGE_CALLBACK callback, PVOID context,
                       BOOLEAN initial, HANDLE *ret_handle)
{
    if (callback == NULL) { /* no other function documents this error */
        if (ret_handle != NULL) {
            *ret_handle = NULL;
        }
        return ERROR_INVALID_PARAMETER;
    }
    return add(__func__, STANDIN_TEREDO, AF_UNSPEC, AS_CALLBACK(callback),
               context, initial, ret_handle);
}

EXPORT DWORD WINAPI
NotifyNetworkConnectivityHintChange(standin_hint_callback callback,
                                    PVOID context, BOOLEAN initial,
                                    HANDLE *ret_handle)
{
    return add(__func__, STANDIN_HINT, AF_UNSPEC, AS_CALLBACK(callback),
               context, initial, ret_handle);
}

EXPORT DWORD WINAPI
NotifyStableUnicastIpAddressTable(
    ADDRESS_FAMILY family, PMIB_UNICASTIPADDRESS_TABLE *ret_table,
    PSTABLE_UNICAST_IPADDRESS_TABLE_CALLBACK callback, PVOID context,
    HANDLE *ret_handle)
{
    MIB_UNICASTIPADDRESS_TABLE *table = NULL;
    HANDLE handle = NULL;
    DWORD code = standin_failure(__func__);
    if (code == NO_ERROR) {
        code = service_error(family);
    }
    if (ret_table == NULL || ret_handle == NULL) {
        return ERROR_INVALID_PARAMETER;
    }
    if (code == NO_ERROR && !standin_is_family(family)) {
        code = ERROR_INVALID_PARAMETER;
    }
    standin_lock();
    if (code == NO_ERROR && standin_is_stable_locked(family)) {
        table = get_table_locked(STANDIN_ADDRESS, family);
        standin_table_give_locked(table);
    } else if (code == NO_ERROR) {
        code = ERROR_IO_PENDING;
        if (standin_settings[STANDIN_NULL_HANDLES] == 0) {
            registration *of = registry_add_locked(
                STANDIN_STABLE, family, AS_CALLBACK(callback), context);
            handle = of->handle;
            open_queues_locked(of, false);
        }
    }
    standin_unlock();
    *ret_table = table;
    *ret_handle = handle;
    return code;
}

/* Hangs in a callback of the same handle, as on Windows. */
EXPORT DWORD WINAPI
CancelMibChangeNotify2(HANDLE handle)
{
    DWORD code = standin_failure(__func__);
    return code != NO_ERROR ? code : registry_cancel(handle);
}

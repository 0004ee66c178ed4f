/* SPDX-License-Identifier: MIT */
/* The Notify* functions, and the subscriptions of the high layer: they check
 * the arguments, make an entry and attach it to the engine of the calling
 * thread's namespace. */
#include "rtnetlink/api/registry.h"
#include "rtnetlink/decode/names.h"

#include "contract/linux/layout.h"
#include "contract/tower.h"
#include "rtnetlink/api/errors.h"
#include "rtnetlink/api/get_derived.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Changes that a slow callback can leave queued; beyond that those of one key
 * merge. */
#define QUEUE_BOUND 100000

static bool
is_family(ADDRESS_FAMILY family)
{
    return family == AF_UNSPEC || family == AF_INET || family == AF_INET6;
}

/* Ports, hints and the stable table have no key: the last of each kind is
 * enough. */
static size_t
queue_key(int kind, const void *row, uint8_t *key)
{
    return kind < NIO_KINDS ? nio_row_key((nio_kind)kind, row, key) : 0;
}

/* Takes the entry over, on failure, too. */
static DWORD
attach(nio_entry *entry, int receive_buffer, HANDLE *ret_handle)
{
    int status = nio_engine_acquire(&entry->engine);
    if (status < 0) {
        nio_entry_free(entry);
        return nio_code_of(status);
    }
    /* The handle is set before the first callback, which may cancel it. */
    *ret_handle = (HANDLE)entry->id;
    nio_registry_put(entry);
    if (!entry->direct && !nio_callback_pool_enter(entry)) {
        status = -EAGAIN;
    }
    if (status == 0) {
        status = nio_engine_attach(entry->engine, &entry->subscriber,
                                   receive_buffer);
    }
    nio_registry_activate(entry);
    if (status < 0) {
        (void)nio_registry_cancel(*ret_handle);
        *ret_handle = NULL;
        return nio_code_of(status);
    }
    return NO_ERROR;
}

/* An entry of one kind, with callbacks. */
static nio_entry *
new_entry(int kind, ADDRESS_FAMILY family, PVOID context, BOOLEAN initial)
{
    nio_entry *entry = nio_entry_new();
    nio_filter filter;
    if (entry == NULL) {
        return NULL;
    }
    memset(&filter, 0, sizeof(filter));
    filter.family = family;
    entry->context = context;
    entry->subscriber.kinds = 1u << kind;
    entry->subscriber.family = family;
    entry->subscriber.initial = initial != FALSE;
    entry->subscriber.reads_tables = true;
    entry->subscriber.filter = nio_filter_copy(&filter);
    entry->queue = nio_queue_new(QUEUE_BOUND, queue_key, NULL);
    entry->subscriber.queue = entry->queue;
    entry->subscriber.wake = nio_callback_pool_wake;
    entry->subscriber.wake_argument = entry;
    if (entry->subscriber.filter == NULL || entry->queue == NULL) {
        return nio_entry_free(entry);
    }
    /* Microsoft's way to an exact state: register, then read the table. */
    nio_queue_deliver_unseen(entry->queue);
    return entry;
}

/* One of the Notify* functions: `callback` is NULL if its caller gave none. */
static DWORD
notify(int kind, ADDRESS_FAMILY family, const nio_callback *callback,
       PVOID context, BOOLEAN initial, HANDLE *handle)
{
    if (handle != NULL) {
        *handle = NULL;
    }
    if (handle == NULL || callback == NULL || !is_family(family)) {
        return ERROR_INVALID_PARAMETER;
    }
    nio_entry *entry = new_entry(kind, family, context, initial);
    if (entry == NULL) {
        return ERROR_NOT_ENOUGH_MEMORY;
    }
    entry->call = *callback;
    return attach(entry, 0, handle);
}

NETIO_STATUS NETIOAPI_API_
NotifyIpInterfaceChange(ADDRESS_FAMILY family,
                        PIPINTERFACE_CHANGE_CALLBACK callback, PVOID context,
                        BOOLEAN initial, HANDLE *handle)
{
    const nio_callback call = {.interface = callback};
    return notify(NIO_INTERFACE, family, callback == NULL ? NULL : &call,
                  context, initial, handle);
}

NETIO_STATUS NETIOAPI_API_
NotifyUnicastIpAddressChange(ADDRESS_FAMILY family,
                             PUNICAST_IPADDRESS_CHANGE_CALLBACK callback,
                             PVOID context, BOOLEAN initial, HANDLE *handle)
{
    const nio_callback call = {.address = callback};
    return notify(NIO_ADDRESS, family, callback == NULL ? NULL : &call,
                  context, initial, handle);
}

NETIO_STATUS NETIOAPI_API_
NotifyRouteChange2(ADDRESS_FAMILY family, PIPFORWARD_CHANGE_CALLBACK callback,
                   PVOID context, BOOLEAN initial, HANDLE *handle)
{
    const nio_callback call = {.route = callback};
    return notify(NIO_ROUTE, family, callback == NULL ? NULL : &call, context,
                  initial, handle);
}

NETIO_STATUS NETIOAPI_API_
NotifyTeredoPortChange(PTEREDO_PORT_CHANGE_CALLBACK callback, PVOID context,
                       BOOLEAN initial, HANDLE *handle)
{
    const nio_callback call = {.teredo = callback};
    return notify(NIO_TEREDO, AF_UNSPEC, callback == NULL ? NULL : &call,
                  context, initial, handle);
}

NETIO_STATUS NETIOAPI_API_
NotifyNetworkConnectivityHintChange(
    PNETWORK_CONNECTIVITY_HINT_CHANGE_CALLBACK callback, PVOID context,
    BOOLEAN initial, HANDLE *handle)
{
    const nio_callback call = {.hint = callback};
    return notify(NIO_HINT, AF_UNSPEC, callback == NULL ? NULL : &call,
                  context, initial, handle);
}

NETIO_STATUS NETIOAPI_API_
NotifyStableUnicastIpAddressTable(
    ADDRESS_FAMILY family, PMIB_UNICASTIPADDRESS_TABLE *table,
    PSTABLE_UNICAST_IPADDRESS_TABLE_CALLBACK callback, PVOID context,
    HANDLE *handle)
{
    const nio_callback call = {.stable = callback};
    bool stable = false;
    if (handle != NULL) {
        *handle = NULL;
    }
    if (table != NULL) {
        *table = NULL;
    }
    if (handle == NULL || table == NULL || callback == NULL ||
        !is_family(family)) {
        return ERROR_INVALID_PARAMETER;
    }
    DWORD code = nio_read_stable(family, &stable);
    if (code == NO_ERROR && stable) {
        return nio_read_stable_table(family, table);
    }
    if (code == NO_ERROR) {
        code = notify(NIO_STABLE, family, &call, context, FALSE, handle);
    }
    return code == NO_ERROR ? ERROR_IO_PENDING : code;
}

static bool
has_possible_names(const nio_filter *filter)
{
    const WCHAR *text = NULL;
    char name[NIO_NAME_SIZE];
    while ((text = nio_filter_next_name(filter, text)) != NULL) {
        if (!nio_name_from_text(text, name)) {
            return false;
        }
    }
    return true;
}

NETIO_STATUS
nio_subscribe(const nio_request *request, nio_queue *queue, HANDLE *handle)
{
    static const nio_filter everything;
    unsigned all = (1u << NIO_KINDS) - 1;
    *handle = NULL;
    if (request->kinds == 0 || (request->kinds & ~all) != 0 ||
        request->receive_buffer < 0 ||
        (request->filter != NULL && (!is_family(request->filter->family) ||
                                     !has_possible_names(request->filter)))) {
        return ERROR_INVALID_PARAMETER;
    }
    nio_entry *entry = nio_entry_new();
    if (entry == NULL) {
        return ERROR_NOT_ENOUGH_MEMORY;
    }
    entry->direct = true;
    entry->subscriber.kinds = request->kinds;
    entry->subscriber.queue = queue;
    entry->subscriber.snapshot = request->snapshot;
    entry->subscriber.lifetimes = request->lifetimes;
    entry->subscriber.filter = nio_filter_copy(
        request->filter != NULL ? request->filter : &everything);
    if (entry->subscriber.filter == NULL) {
        nio_entry_free(entry);
        return ERROR_NOT_ENOUGH_MEMORY;
    }
    return attach(entry, request->receive_buffer, handle);
}

NETIO_STATUS
nio_unsubscribe(HANDLE handle)
{
    return CancelMibChangeNotify2(handle);
}

NETIO_STATUS
nio_statistics_of(HANDLE handle, nio_statistics *ret_statistics)
{
    DWORD code = ERROR_INVALID_HANDLE;
    nio_registry_lock();
    nio_entry *entry = nio_registry_find(handle);
    if (entry != NULL && entry->state == NIO_ENTRY_ACTIVE) {
        *ret_statistics = nio_engine_statistics(entry->engine);
        code = NO_ERROR;
    }
    nio_registry_unlock();
    return code;
}

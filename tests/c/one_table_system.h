/* SPDX-License-Identifier: MIT */
/* A system for the Windows tower (csrc/iphlpapi) on Linux: one routing table,
 * and the alias "wan" of one interface. Tests change both. */
#pragma once

#include "base/lock.h"
#include "contract/tower.h"

#include "check.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

enum { MAX_ROUTES = 8 };

static nio_lock lock = NIO_LOCK_INITIALIZER;
static MIB_IPFORWARD_ROW2 routes[MAX_ROUTES];
static size_t route_count;
static NETIO_STATUS read_status, cancel_status;
static bool lacks_notifications, lacks_aliases;
static NET_IFINDEX bearer; /* of the alias "wan"; 0: none */
static PIPINTERFACE_CHANGE_CALLBACK interface_callback;
static PVOID interface_context;
static PIPFORWARD_CHANGE_CALLBACK callback;
static PVOID callback_context;

static NETIO_STATUS
notify_route(ADDRESS_FAMILY family, PIPFORWARD_CHANGE_CALLBACK function,
             PVOID context, BOOLEAN initial, HANDLE *ret_handle)
{
    CHECK_EQUAL(family, AF_UNSPEC);
    CHECK(!initial);
    callback = function;
    callback_context = context;
    *ret_handle = routes;
    return NO_ERROR;
}

static NETIO_STATUS
notify_interface(ADDRESS_FAMILY family, PIPINTERFACE_CHANGE_CALLBACK function,
                 PVOID context, BOOLEAN initial, HANDLE *ret_handle)
{
    CHECK_EQUAL(family, AF_UNSPEC);
    CHECK(!initial);
    interface_callback = function;
    interface_context = context;
    *ret_handle = &bearer;
    return NO_ERROR;
}

/* The machine has one compartment. */
uint32_t
nio_compartment(void)
{
    return 1;
}

uint32_t
nio_compartment_enter(uint32_t compartment)
{
    CHECK_EQUAL(compartment, 1);
    return 1;
}

static NETIO_STATUS
luid_of_alias(const WCHAR *alias, NET_LUID *ret_luid)
{
    nio_lock_take(&lock);
    ret_luid->Value = wcscmp(alias, L"wan") == 0 ? bearer : 0;
    nio_lock_drop(&lock);
    return ret_luid->Value == 0 ? ERROR_INVALID_PARAMETER : NO_ERROR;
}

static NETIO_STATUS
index_of_luid(const NET_LUID *luid, NET_IFINDEX *ret_index)
{
    *ret_index = (NET_IFINDEX)luid->Value;
    return NO_ERROR;
}

static NETIO_STATUS
cancel(HANDLE handle)
{
    CHECK(handle == routes || handle == &bearer);
    return cancel_status;
}

static NETIO_STATUS
get_table(ADDRESS_FAMILY family, PMIB_IPFORWARD_TABLE2 *ret_table)
{
    NETIO_STATUS status;

    CHECK_EQUAL(family, AF_UNSPEC);
    nio_lock_take(&lock);
    status = read_status;
    if (status == NO_ERROR) {
        *ret_table = calloc(1, sizeof(**ret_table) + sizeof(routes));
        CHECK(*ret_table != NULL);
        (*ret_table)->NumEntries = (ULONG)route_count;
        memcpy((*ret_table)->Table, routes, route_count * sizeof(*routes));
    }
    nio_lock_drop(&lock);
    return status;
}

static MIB_IPFORWARD_ROW2 *
find_locked(NET_IFINDEX interface) NIO_REQUIRES(lock)
{
    for (size_t i = 0; i < route_count; i++) {
        if (routes[i].InterfaceIndex == interface) {
            return &routes[i];
        }
    }
    return NULL;
}

static NETIO_STATUS
get_entry(PMIB_IPFORWARD_ROW2 row)
{
    NETIO_STATUS status;

    nio_lock_take(&lock);
    const MIB_IPFORWARD_ROW2 *found = find_locked(row->InterfaceIndex);
    status = read_status != NO_ERROR ? read_status
             : found == NULL         ? ERROR_NOT_FOUND
                                     : NO_ERROR;
    if (status == NO_ERROR) {
        *row = *found;
    }
    nio_lock_drop(&lock);
    return status;
}

static VOID
free_table(PVOID table)
{
    free(table);
}

/* Constant tables, since the worker reads one while a test changes the system.
 */
#define FUNCTIONS(notify, alias)                                              \
    {                                                                         \
        .NotifyRouteChange2 = (notify),                                       \
        .NotifyIpInterfaceChange = notify_interface,                          \
        .CancelMibChangeNotify2 = cancel,                                     \
        .GetIpForwardTable2 = get_table,                                      \
        .GetIpForwardEntry2 = get_entry,                                      \
        .ConvertInterfaceAliasToLuid = (alias),                               \
        .ConvertInterfaceLuidToIndex = index_of_luid,                         \
        .FreeMibTable = free_table,                                           \
    }

const nio_functions *
nio_system(void)
{
    static const nio_functions all = FUNCTIONS(notify_route, luid_of_alias);
    static const nio_functions no_alias = FUNCTIONS(notify_route, NULL);
    static const nio_functions no_notifications =
        FUNCTIONS(NULL, luid_of_alias);
    return lacks_notifications ? &no_notifications
           : lacks_aliases     ? &no_alias
                               : &all;
}

/* ---- what a test does to the system; a route has an interface of its own */
static MIB_IPFORWARD_ROW2
route(NET_IFINDEX interface, ULONG metric)
{
    MIB_IPFORWARD_ROW2 row = {.InterfaceIndex = interface, .Metric = metric};
    row.DestinationPrefix.Prefix.si_family = AF_INET;
    row.NextHop.si_family = AF_INET;
    return row;
}

static void
set_route(NET_IFINDEX interface, ULONG metric)
{
    nio_lock_take(&lock);
    MIB_IPFORWARD_ROW2 *found = find_locked(interface);
    if (found == NULL) {
        CHECK(route_count < MAX_ROUTES);
        found = &routes[route_count++];
    }
    *found = route(interface, metric);
    nio_lock_drop(&lock);
}

static void
set_lifetime(NET_IFINDEX interface, ULONG seconds)
{
    nio_lock_take(&lock);
    MIB_IPFORWARD_ROW2 *found = find_locked(interface);
    CHECK(found != NULL);
    found->ValidLifetime = seconds;
    found->PreferredLifetime = seconds;
    nio_lock_drop(&lock);
}

static void
remove_route(NET_IFINDEX interface)
{
    nio_lock_take(&lock);
    MIB_IPFORWARD_ROW2 *found = find_locked(interface);
    CHECK(found != NULL);
    *found = routes[--route_count];
    nio_lock_drop(&lock);
}

static void
set_read_status(NETIO_STATUS status)
{
    nio_lock_take(&lock);
    read_status = status;
    nio_lock_drop(&lock);
}

/* Calls back as Windows does: with the key members only. */
static void
notify(NET_IFINDEX interface, MIB_NOTIFICATION_TYPE type)
{
    MIB_IPFORWARD_ROW2 key = route(interface, 0);
    callback(callback_context, &key, type);
}

/* The alias passes to another interface, which is a change of it. */
static void
pass_alias_to(NET_IFINDEX interface)
{
    MIB_IPINTERFACE_ROW key = {.Family = AF_INET, .InterfaceIndex = 9};

    nio_lock_take(&lock);
    bearer = interface;
    nio_lock_drop(&lock);
    interface_callback(interface_context, &key, MibParameterNotification);
}

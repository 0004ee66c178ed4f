/* SPDX-License-Identifier: MIT */
/* See registry.h. Handle numbers are never reused, so that the cancel of an
 * ended handle is noticed. */
#include "registry.h"

#include "tables.h"

#include <string.h>

/* Bits of BARE_DELETES. */
#define BARE_OF_LUID 1u
#define BARE_OF_INDEX 2u
#define BARE_OF_NEXT_HOP 4u

static registration *registrations;
static ULONG_PTR next_handle = 0x10000;

registration *
registry_add_locked(standin_kind kind, ADDRESS_FAMILY family,
                    standin_callback callback, void *context)
{
    registration *of = standin_allocate(sizeof(*of));
    of->handle = (HANDLE)next_handle;
    next_handle += 8;
    of->kind = kind;
    of->family = family;
    of->deaf = !standin_is_here_locked();
    of->callback = callback;
    of->context = context;
    of->references = 1;
    of->next = registrations;
    registrations = of;
    standin_figures[STANDIN_LIVE]++;
    return of;
}

void
registry_release_locked(registration *of)
{
    if (--of->references == 0) {
        standin_free(of, sizeof(*of));
    }
}

/* A row for a callback that no change caused. */
static bool
some_row_locked(const registration *of, standin_row *ret_row)
{
    memset(ret_row, 0, sizeof(*ret_row));
    if (of->kind == STANDIN_STABLE) {
        ret_row->table = get_table_locked(STANDIN_ADDRESS, of->family);
        return true;
    }
    if (of->kind == STANDIN_TEREDO) {
        ret_row->port = standin_teredo_locked();
        return true;
    }
    if (of->kind == STANDIN_HINT) {
        ret_row->hint = standin_hint_locked();
        return true;
    }
    const store *rows = standin_table_locked(of->kind);
    for (size_t i = 0; i < rows->count; i++) {
        const void *row = store_row(rows, i);
        if (of->family == AF_UNSPEC ||
            of->family == standin_family_of(of->kind, row)) {
            memcpy(ret_row, row, rows->row_size);
            return true;
        }
    }
    return false;
}

static void
post_late_locked(registration *of)
{
    standin_row row;
    for (DWORD i = 0; i < standin_settings[STANDIN_LATE]; i++) {
        if (of->callback != NULL && some_row_locked(of, &row)) {
            standin_event *event = deliver_event_new(of, AF_UNSPEC, &row,
                                                     MibParameterNotification);
            event->forced = true;
            deliver_post_locked(event);
        }
    }
}

static registration *
unlink_locked(HANDLE handle)
{
    registration **at = &registrations;
    while (*at != NULL && (*at)->handle != handle) {
        at = &(*at)->next;
    }
    registration *of = *at;
    if (of != NULL) {
        *at = of->next;
    }
    return of;
}

DWORD
registry_cancel(HANDLE handle)
{
    standin_lock();
    registration *of = unlink_locked(handle);
    if (of == NULL) {
        standin_figures[STANDIN_REFUSED]++;
        standin_unlock();
        return ERROR_INVALID_PARAMETER;
    }
    of->closed = true;
    deliver_drop_locked(of);
    post_late_locked(of);
    while (of->running > 0) {
        standin_wait_locked(INFINITE);
    }
    standin_figures[STANDIN_LIVE]--;
    standin_figures[STANDIN_CANCELLED]++;
    registry_release_locked(of);
    standin_unlock();
    return NO_ERROR;
}

/* The documented content of a row in a callback: enough to read the rest, and
 * nothing more. */
static void
cut_down(standin_kind kind, const standin_row *row, standin_row *ret_keys)
{
    memset(ret_keys, 0, sizeof(*ret_keys));
    if (kind == STANDIN_INTERFACE) {
        ret_keys->interface_row.Family = row->interface_row.Family;
        ret_keys->interface_row.InterfaceLuid =
            row->interface_row.InterfaceLuid;
        ret_keys->interface_row.InterfaceIndex =
            row->interface_row.InterfaceIndex;
    } else if (kind == STANDIN_ADDRESS) {
        ret_keys->address.Address = row->address.Address;
        ret_keys->address.InterfaceLuid = row->address.InterfaceLuid;
        ret_keys->address.InterfaceIndex = row->address.InterfaceIndex;
    } else if (kind == STANDIN_ROUTE) {
        ret_keys->route.DestinationPrefix = row->route.DestinationPrefix;
        ret_keys->route.NextHop = row->route.NextHop;
        ret_keys->route.InterfaceLuid = row->route.InterfaceLuid;
        ret_keys->route.InterfaceIndex = row->route.InterfaceIndex;
    } else {
        *ret_keys = *row;
    }
}

/* Windows promises less of a DELETE's row: its interface is named by the LUID
 * or by the index, and it need not have a next hop. */
static void
make_bare(standin_kind kind, standin_row *keys)
{
    DWORD without = standin_settings[STANDIN_BARE_DELETES];
    NET_LUID *luid;
    NET_IFINDEX *index;
    if (kind >= STANDIN_TABLES) {
        return;
    }
    standin_interface_members(kind, keys, &luid, &index);
    if ((without & BARE_OF_LUID) != 0) {
        luid->Value = 0;
    }
    if ((without & BARE_OF_INDEX) != 0) {
        *index = 0;
    }
    if ((without & BARE_OF_NEXT_HOP) != 0 && kind == STANDIN_ROUTE) {
        memset(&keys->route.NextHop, 0, sizeof(keys->route.NextHop));
    }
}

int
registry_inject_locked(standin_kind kind, ADDRESS_FAMILY family,
                       const standin_row *row, MIB_NOTIFICATION_TYPE type,
                       bool whole)
{
    int given = 0;
    standin_row shown;
    store_key key = {{0}};
    bool keyed = row != NULL && kind < STANDIN_TABLES &&
                 standin_key_locked(kind, row, &key);
    if (row != NULL && !whole) {
        cut_down(kind, row, &shown);
        if (type == MibDeleteInstance) {
            make_bare(kind, &shown);
        }
    } else if (row != NULL) {
        shown = *row;
    }
    for (registration *of = registrations; of != NULL; of = of->next) {
        if (of->kind != kind || of->callback == NULL || of->deaf ||
            (of->family != AF_UNSPEC && family != AF_UNSPEC &&
             of->family != family)) {
            continue;
        }
        if (kind == STANDIN_STABLE) {
            shown.table = get_table_locked(STANDIN_ADDRESS, of->family);
        }
        standin_event *event = deliver_event_new(
            of, family, row != NULL || kind == STANDIN_STABLE ? &shown : NULL,
            type);
        event->has_key = keyed;
        event->key = key;
        deliver_post_locked(event);
        given++;
    }
    return given;
}

void
registry_notify_locked(standin_kind kind, const standin_row *row,
                       MIB_NOTIFICATION_TYPE type)
{
    if (standin_settings[STANDIN_SILENT] == 0) {
        registry_inject_locked(
            kind,
            kind < STANDIN_TABLES ? standin_family_of(kind, row)
                                  : (ADDRESS_FAMILY)AF_UNSPEC,
            row, type, standin_settings[STANDIN_FULL_ROWS] != 0);
    }
}

void
registry_check_stable_locked(void)
{
    if (standin_settings[STANDIN_SILENT] != 0) {
        return;
    }
    for (registration *of = registrations; of != NULL; of = of->next) {
        if (of->kind != STANDIN_STABLE) {
            continue;
        }
        bool stable = standin_is_stable_locked(of->family);
        DWORD times = stable && !of->stable && of->callback != NULL
                          ? standin_settings[STANDIN_REPEAT_STABLE]
                          : 0;
        for (DWORD i = 0; i < times; i++) {
            standin_row row = {
                .table = get_table_locked(STANDIN_ADDRESS, of->family)};
            deliver_post_locked(deliver_event_new(of, AF_UNSPEC, &row,
                                                  MibParameterNotification));
        }
        of->stable = stable;
    }
}

int
registry_silence_locked(int kind)
{
    int silenced = 0;
    for (registration *of = registrations; of != NULL; of = of->next) {
        if ((kind < 0 || (int)of->kind == kind) && !of->silent) {
            of->silent = true;
            deliver_drop_locked(of);
            silenced++;
        }
    }
    return silenced;
}

/* SPDX-License-Identifier: MIT */
/* The functions of the stand-in for tests: standin_put_route and so on. All
 * return a Win32 code unless a comment says otherwise. */
#include "change.h"
#include "registry.h"
#include "tables.h"

#include <string.h>

#define VERSION 1

static DWORD
put(standin_kind kind, const void *row)
{
    standin_lock();
    DWORD code = standin_put_locked(kind, row);
    standin_unlock();
    return code;
}

static DWORD
drop(standin_kind kind, const void *row)
{
    standin_lock();
    DWORD code = standin_delete_locked(kind, row);
    standin_unlock();
    return code;
}

/* Applies all of them, also after a failure; returns the first error. */
static DWORD
change_routes(const change *what)
{
    DWORD first = NO_ERROR;
    for (ULONG i = 0; i < what->numbers[0]; i++) {
        MIB_IPFORWARD_ROW2 row = flood_row(&what->row.route, i);
        DWORD code = what->operation == CHANGE_PUT_ROUTES
                         ? put(STANDIN_ROUTE, &row)
                         : drop(STANDIN_ROUTE, &row);
        first = first == NO_ERROR ? code : first;
    }
    return first;
}

static DWORD
inject_locked(const change *what)
{
    return (DWORD)registry_inject_locked(
        (standin_kind)what->numbers[0], (ADDRESS_FAMILY)what->numbers[1],
        what->numbers[3] != 0 ? &what->row : NULL,
        (MIB_NOTIFICATION_TYPE)what->numbers[2], true);
}

static DWORD
apply_locked(const change *what)
{
    switch (what->operation) {
    case CHANGE_RESET:
        standin_reset_locked();
        break;
    case CHANGE_PUT_LINK:
        return standin_put_link_locked(&what->row.interface_row,
                                       what->alias[0] == L'\0' ? NULL
                                                               : what->alias);
    case CHANGE_DELETE_LINK:
        return standin_delete_link_locked((ADDRESS_FAMILY)what->numbers[0],
                                          what->numbers[1]);
    case CHANGE_PUT_ADDRESS:
        return standin_put_locked(STANDIN_ADDRESS, &what->row);
    case CHANGE_DELETE_ADDRESS:
        return standin_delete_locked(STANDIN_ADDRESS, &what->row);
    case CHANGE_TEREDO:
        standin_put_teredo_locked(what->row.port);
        break;
    case CHANGE_HINT:
        standin_put_hint_locked(&what->row.hint);
        break;
    case CHANGE_INJECT:
        return inject_locked(what);
    default:
        return ERROR_INVALID_FUNCTION;
    }
    return NO_ERROR;
}

DWORD
change_apply(const change *what)
{
    switch (what->operation) {
    case CHANGE_PUT_ROUTES:
    case CHANGE_DELETE_ROUTES:
        return change_routes(what);
    case CHANGE_FLOOD:
        return flood_begin(what);
    case CHANGE_FLOOD_STOP:
        return flood_end();
    case CHANGE_RESET:
        flood_end();
        break;
    default:
        break;
    }
    standin_lock();
    DWORD code = apply_locked(what);
    standin_unlock();
    return code;
}

static DWORD
submit(change *what, size_t size)
{
    what->size = (UINT32)size;
    journal_begin();
    return journal_submit(what);
}

static DWORD
submit_row(change_operation operation, const void *row, size_t row_size,
           UINT32 number)
{
    change what = {.operation = (UINT32)operation, .numbers = {number}};
    if (row == NULL) {
        return ERROR_INVALID_PARAMETER;
    }
    memcpy(&what.row, row, row_size);
    return submit(&what, offsetof(change, row) + row_size);
}

EXPORT DWORD WINAPI
standin_version(void)
{
    return VERSION;
}

/* Sets the tables as without a network, and the settings as at the start.
 * Registrations stay, without a notification. */
EXPORT DWORD WINAPI
standin_reset(void)
{
    change what = {.operation = CHANGE_RESET};
    DWORD code = submit(&what, offsetof(change, row));
    standin_lock();
    standin_default_settings_locked();
    standin_unlock();
    return code;
}

/* `alias` NULL: unchanged, or made up. LUID 0: made up. */
EXPORT DWORD WINAPI
standin_put_interface(const MIB_IPINTERFACE_ROW *row, const WCHAR *alias)
{
    change what = {.operation = CHANGE_PUT_LINK};
    size_t length = alias == NULL ? 0 : wcslen(alias);
    if (row == NULL || length > IF_MAX_STRING_SIZE) {
        return ERROR_INVALID_PARAMETER;
    }
    what.row.interface_row = *row;
    memcpy(what.alias, length == 0 ? L"" : alias, length * sizeof(WCHAR));
    return submit(&what,
                  offsetof(change, alias) + (length + 1) * sizeof(WCHAR));
}

/* With its routes and addresses of that family; AF_UNSPEC: of both
 * families. */
EXPORT DWORD WINAPI
standin_delete_interface(ADDRESS_FAMILY family, NET_IFINDEX index)
{
    change what = {.operation = CHANGE_DELETE_LINK,
                   .numbers = {family, (UINT32)index}};
    return submit(&what, offsetof(change, row));
}

EXPORT DWORD WINAPI
standin_put_address(const MIB_UNICASTIPADDRESS_ROW *row)
{
    return submit_row(CHANGE_PUT_ADDRESS, row, sizeof(*row), 0);
}

EXPORT DWORD WINAPI
standin_delete_address(const MIB_UNICASTIPADDRESS_ROW *row)
{
    return submit_row(CHANGE_DELETE_ADDRESS, row, sizeof(*row), 0);
}

EXPORT DWORD WINAPI
standin_put_route(const MIB_IPFORWARD_ROW2 *row)
{
    return submit_row(CHANGE_PUT_ROUTES, row, sizeof(*row), 1);
}

EXPORT DWORD WINAPI
standin_delete_route(const MIB_IPFORWARD_ROW2 *row)
{
    return submit_row(CHANGE_DELETE_ROUTES, row, sizeof(*row), 1);
}

/* `count` IPv4 prefixes in a row, from the row's own on. */
EXPORT DWORD WINAPI
standin_put_routes(const MIB_IPFORWARD_ROW2 *first, ULONG count)
{
    return submit_row(CHANGE_PUT_ROUTES, first, sizeof(*first), count);
}

EXPORT DWORD WINAPI
standin_delete_routes(const MIB_IPFORWARD_ROW2 *first, ULONG count)
{
    return submit_row(CHANGE_DELETE_ROUTES, first, sizeof(*first), count);
}

EXPORT DWORD WINAPI
standin_set_teredo(USHORT port)
{
    return submit_row(CHANGE_TEREDO, &port, sizeof(port), 0);
}

/* Flags: 1 approaching the data limit, 2 over it, 4 roaming. */
EXPORT DWORD WINAPI
standin_set_hint(int level, int cost, DWORD flags)
{
    standin_hint hint = {level, cost, (flags & 1) != 0, (flags & 2) != 0,
                         (flags & 4) != 0};
    return submit_row(CHANGE_HINT, &hint, sizeof(hint), 0);
}

/* Threads of this process, and of each that shares the journal, put and delete
 * `count` routes each, from that of `first` on; the first thread also an
 * address and the MTU of that interface. `rounds` 0: until standin_flood_stop.
 * Each thread pauses for FLOOD_PAUSE_MS after a round. */
EXPORT DWORD WINAPI
standin_flood(const MIB_IPFORWARD_ROW2 *first, ULONG count, ULONG rounds,
              ULONG threads)
{
    change what = {
        .operation = CHANGE_FLOOD,
        .numbers = {(UINT32)count, (UINT32)rounds, (UINT32)threads}};
    if (first == NULL) {
        return ERROR_INVALID_PARAMETER;
    }
    what.row.route = *first;
    standin_lock();
    what.numbers[3] = standin_settings[STANDIN_FLOOD_PAUSE_MS];
    standin_unlock();
    return submit(&what, offsetof(change, row) + sizeof(*first));
}

/* Waits for its threads; returns the number of route changes made in this
 * process. */
EXPORT ULONG WINAPI
standin_flood_stop(void)
{
    change what = {.operation = CHANGE_FLOOD_STOP};
    return submit(&what, offsetof(change, row));
}

/* Calls back without a change of the tables, with just this row: one of the
 * table's type, a USHORT (Teredo), or a hint; for the stable table none.
 * Returns the number of registrations called in this process. */
EXPORT int WINAPI
standin_inject(int kind, ADDRESS_FAMILY family, const void *row, int type)
{
    static const size_t sizes[] = {
        sizeof(MIB_IPINTERFACE_ROW), sizeof(MIB_UNICASTIPADDRESS_ROW),
        sizeof(MIB_IPFORWARD_ROW2),  sizeof(USHORT),
        sizeof(standin_hint),        0,
    };
    if (kind < 0 || kind > STANDIN_STABLE) {
        return -1;
    }
    change what = {.operation = CHANGE_INJECT,
                   .numbers = {(UINT32)kind, family, (UINT32)type,
                               row != NULL && kind != STANDIN_STABLE}};
    if (what.numbers[3] != 0) {
        memcpy(&what.row, row, sizes[kind]);
    }
    return (int)submit(&what, offsetof(change, row) + sizes[kind]);
}

/* From now on no registration that this process has of that kind hears of
 * anything, for ever; kind -1: of any. New ones do. Returns their number. */
EXPORT int WINAPI
standin_silence(int kind)
{
    standin_lock();
    int silenced = registry_silence_locked(kind);
    standin_unlock();
    return silenced;
}

/* SPDX-License-Identifier: MIT */
/* See tables.h. A new row is compared with the one under its key: missing, it
 * is an addition; different, a parameter change. */
#include "tables.h"

#include "registry.h"

#include <stdio.h>
#include <string.h>

#define ETHERNET 6u
#define FIRST_LUID 0x8000u /* the LUID of an interface is not its index */

const size_t standin_row_sizes[STANDIN_TABLES] = {
    sizeof(MIB_IPINTERFACE_ROW),
    sizeof(MIB_UNICASTIPADDRESS_ROW),
    sizeof(MIB_IPFORWARD_ROW2),
};

static store tables[STANDIN_TABLES] = {
    {.row_size = sizeof(MIB_IPINTERFACE_ROW)},
    {.row_size = sizeof(MIB_UNICASTIPADDRESS_ROW)},
    {.row_size = sizeof(MIB_IPFORWARD_ROW2)},
};
static store links = {.row_size = sizeof(standin_link)};
static size_t unsettled[2]; /* addresses: IPv4, IPv6 */
static USHORT teredo_port;
static standin_hint current_hint;

ADDRESS_FAMILY
standin_family_of(standin_kind kind, const void *row)
{
    const standin_row *as = row;
    return kind == STANDIN_INTERFACE ? as->interface_row.Family
           : kind == STANDIN_ADDRESS
               ? as->address.Address.si_family
               : as->route.DestinationPrefix.Prefix.si_family;
}

bool
standin_is_plain_family(ADDRESS_FAMILY family)
{
    return family == AF_INET || family == AF_INET6;
}

bool
standin_is_family(ADDRESS_FAMILY family)
{
    return family == AF_UNSPEC || standin_is_plain_family(family);
}

size_t
standin_address_bytes(const SOCKADDR_INET *address, const UCHAR **ret_bytes)
{
    if (address->si_family == AF_INET6) {
        *ret_bytes = (const UCHAR *)&address->Ipv6.sin6_addr;
        return 16;
    }
    *ret_bytes = (const UCHAR *)&address->Ipv4.sin_addr;
    return address->si_family == AF_INET ? 4 : 0;
}

bool
standin_same_address(const SOCKADDR_INET *a, const SOCKADDR_INET *b)
{
    const UCHAR *of_a, *of_b;
    size_t size = standin_address_bytes(a, &of_a);
    standin_address_bytes(b, &of_b);
    return a->si_family == b->si_family && memcmp(of_a, of_b, size) == 0;
}

const store *
standin_table_locked(standin_kind kind)
{
    return &tables[kind];
}

const store *
standin_links_locked(void)
{
    return &links;
}

static store_key
luid_key(NET_LUID luid)
{
    store_key key = {{0}};
    memcpy(key.bytes, &luid, sizeof(luid));
    return key;
}

const standin_link *
standin_find_link_locked(NET_LUID luid, NET_IFINDEX index)
{
    if (luid.Value != 0) {
        store_key key = luid_key(luid);
        return store_find(&links, &key);
    }
    for (size_t i = 0; index != 0 && i < links.count; i++) {
        const standin_link *link = store_row(&links, i);
        if (link->index == index) {
            return link;
        }
    }
    return NULL;
}

static unsigned char *
append_address(unsigned char *at, const SOCKADDR_INET *address)
{
    const UCHAR *bytes;
    size_t size = standin_address_bytes(address, &bytes);
    *at = (unsigned char)address->si_family;
    memcpy(at + 1, bytes, size);
    return at + 17;
}

void
standin_interface_members(standin_kind kind, standin_row *row,
                          NET_LUID **ret_luid, NET_IFINDEX **ret_index)
{
    switch (kind) {
    case STANDIN_INTERFACE:
        *ret_luid = &row->interface_row.InterfaceLuid;
        *ret_index = &row->interface_row.InterfaceIndex;
        break;
    case STANDIN_ADDRESS:
        *ret_luid = &row->address.InterfaceLuid;
        *ret_index = &row->address.InterfaceIndex;
        break;
    default:
        *ret_luid = &row->route.InterfaceLuid;
        *ret_index = &row->route.InterfaceIndex;
    }
}

/* Fills in the interface's members and makes the key. The interface need not
 * exist if the row has both its index and its LUID. */
static bool
complete_locked(standin_kind kind, const void *row, standin_row *ret_row,
                store_key *ret_key)
{
    NET_LUID *luid;
    NET_IFINDEX *index;
    memset(ret_row, 0, sizeof(*ret_row));
    memcpy(ret_row, row, standin_row_sizes[kind]);
    standin_interface_members(kind, ret_row, &luid, &index);
    const standin_link *link = standin_find_link_locked(*luid, *index);
    if (link != NULL) {
        *luid = link->luid;
        *index = link->index;
    } else if (luid->Value == 0) {
        return false;
    }
    *ret_key = luid_key(*luid);
    unsigned char *at = ret_key->bytes + sizeof(*luid);
    if (kind == STANDIN_INTERFACE) {
        *at = (unsigned char)ret_row->interface_row.Family;
    } else if (kind == STANDIN_ADDRESS) {
        append_address(at, &ret_row->address.Address);
    } else {
        at = append_address(at, &ret_row->route.DestinationPrefix.Prefix);
        *at = ret_row->route.DestinationPrefix.PrefixLength;
        append_address(at + 1, &ret_row->route.NextHop);
    }
    return true;
}

bool
standin_key_locked(standin_kind kind, const standin_row *row,
                   store_key *ret_key)
{
    standin_row complete;
    return complete_locked(kind, row, &complete, ret_key);
}

const void *
standin_find_row_locked(standin_kind kind, const void *row)
{
    standin_row complete;
    store_key key;
    return complete_locked(kind, row, &complete, &key)
               ? store_find(&tables[kind], &key)
               : NULL;
}

static void
count_unsettled(const MIB_UNICASTIPADDRESS_ROW *row, bool add)
{
    if (row->DadState != IpDadStatePreferred) {
        size_t *count = &unsettled[row->Address.si_family == AF_INET6];
        *count = add ? *count + 1 : *count - 1;
    }
}

bool
standin_is_stable_locked(ADDRESS_FAMILY family)
{
    return (family == AF_INET6 || unsettled[0] == 0) &&
           (family == AF_INET || unsettled[1] == 0);
}

/* The notification for a row that is put; false if the same row is there
 * already. */
static bool
differs(const void *old, const void *row, size_t size,
        MIB_NOTIFICATION_TYPE *ret_type)
{
    *ret_type = old == NULL ? MibAddInstance : MibParameterNotification;
    return old == NULL || memcmp(old, row, size) != 0;
}

DWORD
standin_put_locked(standin_kind kind, const void *row)
{
    standin_row complete;
    store_key key;
    MIB_NOTIFICATION_TYPE type;
    if (!standin_is_plain_family(standin_family_of(kind, row))) {
        return ERROR_INVALID_PARAMETER;
    }
    if (!complete_locked(kind, row, &complete, &key)) {
        return ERROR_FILE_NOT_FOUND;
    }
    const void *old = store_find(&tables[kind], &key);
    if (!differs(old, &complete, standin_row_sizes[kind], &type)) {
        return NO_ERROR;
    }
    if (kind == STANDIN_ADDRESS) {
        if (old != NULL) {
            count_unsettled(old, false);
        }
        count_unsettled(&complete.address, true);
    }
    store_put(&tables[kind], &key, &complete);
    registry_notify_locked(kind, &complete, type);
    if (kind == STANDIN_ADDRESS) {
        registry_check_stable_locked();
    }
    return NO_ERROR;
}

DWORD
standin_put_link_locked(const MIB_IPINTERFACE_ROW *row, const WCHAR *alias)
{
    standin_row complete = {.interface_row = *row};
    const standin_link *known =
        standin_find_link_locked(row->InterfaceLuid, row->InterfaceIndex);
    standin_link link = {.luid = row->InterfaceLuid,
                         .index = row->InterfaceIndex};
    if (known != NULL) {
        link = *known;
    } else if (link.index == 0) {
        return ERROR_INVALID_PARAMETER;
    } else if (link.luid.Value == 0) {
        link.luid.Info.IfType = ETHERNET;
        link.luid.Info.NetLuidIndex = (FIRST_LUID + link.index) & 0xffffffu;
    }
    if (alias != NULL) {
        memset(link.alias, 0, sizeof(link.alias));
        wcsncpy(link.alias, alias, IF_MAX_STRING_SIZE);
    } else if (known == NULL) {
        _snwprintf(link.alias, IF_MAX_STRING_SIZE, L"if%u",
                   (unsigned)link.index);
    }
    bool renamed = known != NULL && wcscmp(known->alias, link.alias) != 0;
    store_key key = luid_key(link.luid);
    store_put(&links, &key, &link);
    complete.interface_row.InterfaceLuid = link.luid;
    complete.interface_row.InterfaceIndex = link.index;
    const void *old = standin_find_row_locked(STANDIN_INTERFACE, &complete);
    if (renamed && old != NULL && memcmp(old, &complete, sizeof(*row)) == 0) {
        registry_notify_locked(STANDIN_INTERFACE, &complete,
                               MibParameterNotification);
    }
    return standin_put_locked(STANDIN_INTERFACE, &complete);
}

DWORD
standin_delete_locked(standin_kind kind, const void *row)
{
    standin_row complete;
    store_key key;
    if (!complete_locked(kind, row, &complete, &key)) {
        return ERROR_NOT_FOUND;
    }
    const void *old = store_find(&tables[kind], &key);
    if (old == NULL) {
        return ERROR_NOT_FOUND;
    }
    memcpy(&complete, old, standin_row_sizes[kind]);
    store_delete(&tables[kind], &key);
    if (kind == STANDIN_ADDRESS) {
        count_unsettled(&complete.address, false);
    }
    registry_notify_locked(kind, &complete, MibDeleteInstance);
    if (kind == STANDIN_ADDRESS) {
        registry_check_stable_locked();
    }
    return NO_ERROR;
}

static void
delete_all_of_locked(standin_kind kind, ADDRESS_FAMILY family, NET_LUID of)
{
    for (size_t i = tables[kind].count; i-- > 0;) {
        NET_LUID *luid;
        NET_IFINDEX *index;
        standin_row *row = store_row(&tables[kind], i);
        standin_interface_members(kind, row, &luid, &index);
        if (luid->Value == of.Value &&
            (family == AF_UNSPEC || family == standin_family_of(kind, row))) {
            standin_delete_locked(kind, row);
        }
    }
}

DWORD
standin_delete_link_locked(ADDRESS_FAMILY family, NET_IFINDEX index)
{
    const NET_LUID none = {0};
    const standin_link *link = standin_find_link_locked(none, index);
    if (link == NULL) {
        return ERROR_FILE_NOT_FOUND;
    }
    NET_LUID luid = link->luid;
    delete_all_of_locked(STANDIN_ROUTE, family, luid);
    delete_all_of_locked(STANDIN_ADDRESS, family, luid);
    delete_all_of_locked(STANDIN_INTERFACE, family, luid);
    MIB_IPINTERFACE_ROW left = {.Family = AF_INET, .InterfaceLuid = luid};
    bool bound = standin_find_row_locked(STANDIN_INTERFACE, &left) != NULL;
    left.Family = AF_INET6;
    bound = bound || standin_find_row_locked(STANDIN_INTERFACE, &left) != NULL;
    if (!bound) {
        store_key key = luid_key(luid);
        store_delete(&links, &key);
    }
    return NO_ERROR;
}

void
standin_put_teredo_locked(USHORT port)
{
    standin_row row = {.port = port};
    if (port != teredo_port) {
        teredo_port = port;
        registry_notify_locked(STANDIN_TEREDO, &row, MibParameterNotification);
    }
}

void
standin_put_hint_locked(const standin_hint *hint)
{
    standin_row row = {.hint = *hint};
    if (memcmp(hint, &current_hint, sizeof(*hint)) != 0) {
        current_hint = *hint;
        registry_notify_locked(STANDIN_HINT, &row, MibParameterNotification);
    }
}

USHORT
standin_teredo_locked(void)
{
    return teredo_port;
}

standin_hint
standin_hint_locked(void)
{
    return current_hint;
}

void
standin_clear_locked(void)
{
    for (int kind = 0; kind < STANDIN_TABLES; kind++) {
        store_clear(&tables[kind]);
    }
    store_clear(&links);
    memset(unsettled, 0, sizeof(unsettled));
    memset(&current_hint, 0, sizeof(current_hint));
    teredo_port = 0;
}

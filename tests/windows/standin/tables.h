/* SPDX-License-Identifier: MIT */
/* The network: interfaces, addresses and routes as a Windows machine has them,
 * and the notifications for each change of them. */
#pragma once

#include "standin.h"
#include "store.h"

/* An interface that rows may belong to; kept while it has a row of either
 * family. */
typedef struct standin_link {
    NET_LUID luid;
    NET_IFINDEX index;
    WCHAR alias[IF_MAX_STRING_SIZE + 1];
} standin_link;

extern const size_t standin_row_sizes[STANDIN_TABLES];

ADDRESS_FAMILY standin_family_of(standin_kind kind, const void *row);
bool standin_is_family(ADDRESS_FAMILY family);       /* of the three */
bool standin_is_plain_family(ADDRESS_FAMILY family); /* without AF_UNSPEC */
bool standin_same_address(const SOCKADDR_INET *a, const SOCKADDR_INET *b);
/* Writes the bytes of an address in network order; returns their number. */
size_t standin_address_bytes(const SOCKADDR_INET *address,
                             const UCHAR **ret_bytes);

/* Rows of one kind, to be walked by number. */
const store *standin_table_locked(standin_kind kind);
const store *standin_links_locked(void);

/* The interface that a caller names: by the LUID if there is one, else by the
 * index. NULL where it does not exist. Borrowed until the next change. */
const standin_link *standin_find_link_locked(NET_LUID luid, NET_IFINDEX index);
/* The members of a row of a table that name its interface. */
void standin_interface_members(standin_kind kind, standin_row *row,
                               NET_LUID **ret_luid, NET_IFINDEX **ret_index);
/* The key of a row; false where it names no interface. */
bool standin_key_locked(standin_kind kind, const standin_row *row,
                        store_key *ret_key);
/* The row with the key members of `row`; NULL: there is none. */
const void *standin_find_row_locked(standin_kind kind, const void *row);

/* Each of these notifies the registrations of a change. */
DWORD standin_put_locked(standin_kind kind, const void *row);
DWORD standin_put_link_locked(const MIB_IPINTERFACE_ROW *row,
                              const WCHAR *alias);
DWORD standin_delete_locked(standin_kind kind, const void *row);
/* With its routes and addresses; AF_UNSPEC: of both families. */
DWORD standin_delete_link_locked(ADDRESS_FAMILY family, NET_IFINDEX index);
void standin_put_teredo_locked(USHORT port);
void standin_put_hint_locked(const standin_hint *hint);
USHORT standin_teredo_locked(void);
standin_hint standin_hint_locked(void);

/* True when each address of that family is preferred. */
bool standin_is_stable_locked(ADDRESS_FAMILY family);

/* Deletes every row, without a notification. */
void standin_clear_locked(void);
/* Puts the rows of a machine without a network (loopback.c), without a
 * notification. */
void standin_reset_locked(void);

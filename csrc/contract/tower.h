/* SPDX-License-Identifier: MIT */
/* What a tower (csrc/rtnetlink, csrc/iphlpapi) gives to the binding: the
 * functions of netioapi.h, and the few things that Microsoft has no word for:
 * batches, subscriptions, identity. Any thread may call any of it; none of it
 * needs or takes the GIL. */
#pragma once

#include "contract/netio.h"

#include <stdbool.h>
#include <stdint.h>

/* One row a function: its name and parameters as in netioapi.h (all of them
 * return NETIO_STATUS), and the first Windows that has it. */
#define NIO_FUNCTIONS(X)                                                      \
    X(NotifyIpInterfaceChange,                                                \
      (ADDRESS_FAMILY, PIPINTERFACE_CHANGE_CALLBACK, PVOID, BOOLEAN,          \
       HANDLE *),                                                             \
      "Windows Vista")                                                        \
    X(NotifyUnicastIpAddressChange,                                           \
      (ADDRESS_FAMILY, PUNICAST_IPADDRESS_CHANGE_CALLBACK, PVOID, BOOLEAN,    \
       HANDLE *),                                                             \
      "Windows Vista")                                                        \
    X(NotifyRouteChange2,                                                     \
      (ADDRESS_FAMILY, PIPFORWARD_CHANGE_CALLBACK, PVOID, BOOLEAN, HANDLE *), \
      "Windows Vista")                                                        \
    X(NotifyTeredoPortChange,                                                 \
      (PTEREDO_PORT_CHANGE_CALLBACK, PVOID, BOOLEAN, HANDLE *),               \
      "Windows Vista")                                                        \
    X(NotifyStableUnicastIpAddressTable,                                      \
      (ADDRESS_FAMILY, PMIB_UNICASTIPADDRESS_TABLE *,                         \
       PSTABLE_UNICAST_IPADDRESS_TABLE_CALLBACK, PVOID, HANDLE *),            \
      "Windows Vista")                                                        \
    X(NotifyNetworkConnectivityHintChange,                                    \
      (PNETWORK_CONNECTIVITY_HINT_CHANGE_CALLBACK, PVOID, BOOLEAN, HANDLE *), \
      "Windows 10, version 2004")                                             \
    X(CancelMibChangeNotify2, (HANDLE), "Windows Vista")                      \
    X(GetIpForwardTable2, (ADDRESS_FAMILY, PMIB_IPFORWARD_TABLE2 *),          \
      "Windows Vista")                                                        \
    X(GetIpForwardEntry2, (PMIB_IPFORWARD_ROW2), "Windows Vista")             \
    X(GetBestRoute2,                                                          \
      (NET_LUID *, NET_IFINDEX, const SOCKADDR_INET *, const SOCKADDR_INET *, \
       ULONG, PMIB_IPFORWARD_ROW2, SOCKADDR_INET *),                          \
      "Windows Vista")                                                        \
    X(GetUnicastIpAddressTable,                                               \
      (ADDRESS_FAMILY, PMIB_UNICASTIPADDRESS_TABLE *), "Windows Vista")       \
    X(GetUnicastIpAddressEntry, (PMIB_UNICASTIPADDRESS_ROW), "Windows Vista") \
    X(GetIpInterfaceTable, (ADDRESS_FAMILY, PMIB_IPINTERFACE_TABLE *),        \
      "Windows Vista")                                                        \
    X(GetIpInterfaceEntry, (PMIB_IPINTERFACE_ROW), "Windows Vista")           \
    X(GetTeredoPort, (USHORT *), "Windows Vista")                             \
    X(GetNetworkConnectivityHint, (NL_NETWORK_CONNECTIVITY_HINT *),           \
      "Windows 10, version 2004")                                             \
    X(ConvertInterfaceIndexToLuid, (NET_IFINDEX, NET_LUID *),                 \
      "Windows Vista")                                                        \
    X(ConvertInterfaceLuidToIndex, (const NET_LUID *, NET_IFINDEX *),         \
      "Windows Vista")                                                        \
    X(ConvertInterfaceLuidToNameW, (const NET_LUID *, WCHAR *, SIZE_T),       \
      "Windows Vista")                                                        \
    X(ConvertInterfaceNameToLuidW, (const WCHAR *, NET_LUID *),               \
      "Windows Vista")                                                        \
    X(ConvertInterfaceLuidToAlias, (const NET_LUID *, WCHAR *, SIZE_T),       \
      "Windows Vista")                                                        \
    X(ConvertInterfaceAliasToLuid, (const WCHAR *, NET_LUID *),               \
      "Windows Vista")

#define NIO_FUNCTION_MEMBER(name, parameters, since)                          \
    NETIO_STATUS(NETIOAPI_API_ *name) parameters;
typedef struct nio_functions {
    NIO_FUNCTIONS(NIO_FUNCTION_MEMBER)
    VOID(NETIOAPI_API_ *FreeMibTable)(PVOID);
} nio_functions;
#undef NIO_FUNCTION_MEMBER

/* Calls a function of the table `system`. ERROR_PROC_NOT_FOUND where the
 * system lacks it. */
#define NIO_CALL(system, function, ...)                                       \
    ((system)->function == NULL ? ERROR_PROC_NOT_FOUND                        \
                                : (system)->function(__VA_ARGS__))

/* The functions of this system, found at the first call. A member is NULL
 * where the system lacks that function. Never NULL itself. */
const nio_functions *nio_system(void);

/* The system's text for a Win32 code, without a line end, or "" where it has
 * none. Borrowed for ever or written to `buffer`. */
const char *nio_status_text(DWORD status, char *buffer, size_t size);

#define NIO_ABSENT 0xffffu

/* What has rows. */
typedef enum nio_kind {
    NIO_INTERFACE,
    NIO_ADDRESS,
    NIO_ROUTE,
    NIO_KINDS
} nio_kind;

/* ---- Batches ------------------------------------------------------------
 * A tower that has several callbacks of one registration queued calls begin
 * before the first and end after the last, on the thread that calls back and
 * with the registration's context, so that the binding takes the GIL once for
 * all of them; its rows have to be whole. A tower may call back outside of any
 * batch. thread_end: this registration's thread calls back no more. Set once,
 * before the first registration; every registration of this process belongs
 * to the setter. */
typedef struct nio_hooks {
    void (*begin)(void *context);
    void (*end)(void *context);
    void (*thread_end)(void *context);
} nio_hooks;
void nio_set_hooks(const nio_hooks *hooks);

/* ---- Rows in callbacks -------------------------------------------------- */
/* What a callback of this system leaves out of a row. Returns the whole row:
 * `row` itself where nothing is missing, else `space` (as large as any row),
 * filled from the system as it is now. *ret_details is false where no more
 * than the key members of the row are known, say since it is gone. */
const void *nio_complete_row(nio_kind kind, MIB_NOTIFICATION_TYPE type,
                             const void *row, void *space, bool *ret_details);

/* True when `handle` was made before a fork() and this is the child, where
 * nothing of it lives: there is no callback, and cancel has nothing to do. */
bool nio_is_forked(HANDLE handle);

/* ---- Identity -----------------------------------------------------------
 * Two rows with the same key are two states of one thing. Windows: the key
 * members of the header. Linux: route (table, tos, priority, prefix,
 * interface, next hop), address (interface, address, prefix length, peer),
 * interface (family, interface). Returns the length of the key. */
#define NIO_KEY_SIZE 64
size_t nio_row_key(nio_kind kind, const void *row, uint8_t key[NIO_KEY_SIZE]);

/* ---- Subscriptions ------------------------------------------------------
 * The stream under the high layer: changes of several kinds in the system's
 * order, in one queue (base/queue.h), with its losses and repairs marked.
 * The tower's thread appends to the queue and never waits for its reader. */
struct nio_queue;
struct nio_filter;

typedef struct nio_request {
    unsigned kinds;                  /* bits: 1u << NIO_ROUTE, ... */
    const struct nio_filter *filter; /* borrowed for the call; NULL: all */
    bool snapshot;      /* first all present rows as initial changes */
    int receive_buffer; /* bytes wanted of the system; 0: the default */
} nio_request;

/* Live on return: every change after it reaches `queue` (borrowed until
 * nio_unsubscribe has returned). A snapshot and a loss are each followed by a
 * SYNCED mark as soon as the state is known to be exact: at once on a quiet
 * network, after the next reading of the tables on a busy one. */
NETIO_STATUS nio_subscribe(const nio_request *request, struct nio_queue *queue,
                           HANDLE *ret_handle);
/* After it returns nothing is appended to the queue. Idempotent it is not. */
NETIO_STATUS nio_unsubscribe(HANDLE handle);

/* What the system told us so far, in the namespace of the subscription. */
typedef struct nio_statistics {
    uint64_t messages;  /* change messages read from the kernel */
    uint64_t ignored;   /* messages not from the kernel, or malformed */
    uint64_t overflows; /* times that the kernel's buffer was full */
    uint64_t resyncs;   /* times that tables were read again and compared */
    uint64_t receive_buffer; /* bytes granted */
} nio_statistics;
NETIO_STATUS nio_statistics_of(HANDLE handle, nio_statistics *ret_statistics);

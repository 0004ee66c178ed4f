/* SPDX-License-Identifier: MIT */
/* The interface between the binding and a tower (csrc/rtnetlink,
 * csrc/iphlpapi): the functions of netioapi.h, and what that header lacks:
 * batches, identity, subscriptions. Any thread may call any of these
 * functions; none of them needs or takes the GIL. */
#pragma once

#include "contract/netio.h"

#include <stdbool.h>
#include <stdint.h>

/* The functions that this project uses, one row each: the name and parameters
 * as in netioapi.h (all return NETIO_STATUS), and the first Windows that has
 * the function. Every table of functions is made of these rows. */
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

/* Calls a function of the table `system`; ERROR_PROC_NOT_FOUND where it is
 * NULL. */
#define NIO_CALL(system, function, ...)                                       \
    ((system)->function == NULL ? ERROR_PROC_NOT_FOUND                        \
                                : (system)->function(__VA_ARGS__))

/* The functions of this system, looked up at the first call. A member is NULL
 * where the system lacks that function. Never returns NULL. */
const nio_functions *nio_system(void);

/* The system's text for a Win32 code, without a line end; "" where there is
 * none. A constant, or written to `buffer`. */
const char *nio_status_text(DWORD status, char *buffer, size_t size);

/* The offset of a member that the rows of this system lack
 * (NIO_LINUX_OFFSET). */
#define NIO_ABSENT 0xffffu

/* The kinds of rows. */
typedef enum nio_kind {
    NIO_INTERFACE,
    NIO_ADDRESS,
    NIO_ROUTE,
    NIO_KINDS
} nio_kind;

/* ---- Batches ------------------------------------------------------------
 * A tower with several queued callbacks of one registration calls `begin`
 * before the first and `end` after the last, on the thread that calls back and
 * with the registration's context. So the binding takes the GIL once for all
 * of them. It does not complete the rows of a batch (nio_complete_row): they
 * have to be whole. A tower may also call back outside of a batch.
 * `thread_end`: the calling thread makes no further callback; `context` is
 * that of a registration that lives until this returns. `owner`: registrations
 * of different owners do not share threads. The hooks are set once, before the
 * first registration, by the one user of the tower in this process. */
typedef struct nio_hooks {
    void (*begin)(void *context);
    void (*end)(void *context);
    void (*thread_end)(void *context);
    const void *(*owner)(void *context);
} nio_hooks;
void nio_set_hooks(const nio_hooks *hooks);

/* ---- Rows in callbacks -------------------------------------------------- */
/* Completes a row that a callback of this system gives in part. Returns `row`
 * itself where nothing is missing; otherwise `space` (as large as any row)
 * with the row as the system has it now. *ret_details is false where only the
 * key members are known, for example because the row was deleted. */
const void *nio_complete_row(nio_kind kind, MIB_NOTIFICATION_TYPE type,
                             const void *row, void *space, bool *ret_details);

/* True: an INITIAL call comes on a thread of the tower, before any other call.
 * False: the system would make it inside of Notify*, on the calling thread; so
 * the binding asks for none and makes it itself. */
bool nio_makes_initial_calls(void);

/* ---- Compartments -------------------------------------------------------
 * What the calling thread sees of the network depends on its compartment. 0:
 * this system has none, or does not say. (On Linux the tower remembers the
 * network namespace by itself.) */
uint32_t nio_compartment(void);
/* Moves the calling thread there; stays where the system refuses. Returns
 * where the thread was. */
uint32_t nio_compartment_enter(uint32_t compartment);

/* True when `handle` was made before a fork() and this process is the child.
 * Nothing of the handle lives there: no callback comes, and there is nothing
 * to cancel. */
bool nio_is_forked(HANDLE handle);

/* ---- Reads within a limit ------------------------------------------------
 * A system may have to read a table several times while it changes. These
 * three are functions of netioapi.h, except that the caller limits the read;
 * the functions of the header have the default limit. A system whose own
 * functions do the work does not use the limit. */
#define NIO_READ_TIMEOUT_NS UINT64_C(10000000000) /* the default */
typedef struct nio_read_limit {
    uint64_t timeout_ns; /* UINT64_MAX: none; then ERROR_TIMEOUT */
    /* Asked on the calling thread, without any lock, about 20 times a second:
     * false ends the read with ERROR_CANCELLED. NULL: it is never asked. */
    bool (*goes_on)(void *context);
    void *context;
} nio_read_limit;
NETIO_STATUS nio_get_route_table(ADDRESS_FAMILY family,
                                 const nio_read_limit *limit,
                                 PMIB_IPFORWARD_TABLE2 *ret_table);
NETIO_STATUS nio_get_route_entry(PMIB_IPFORWARD_ROW2 row,
                                 const nio_read_limit *limit);
NETIO_STATUS nio_get_connectivity_hint(NL_NETWORK_CONNECTIVITY_HINT *hint,
                                       const nio_read_limit *limit);

/* ---- Identity -----------------------------------------------------------
 * Two rows with the same key are two states of one thing. The key on Windows:
 * the key members of the header. On Linux: route (table, tos, metric, prefix,
 * source prefix, interface, next hop, type, protocol, encapsulation), address
 * (interface, address, prefix length, peer), interface (family, interface):
 * docs/identity.md. Returns the length of the key. */
#define NIO_KEY_SIZE 640
size_t nio_row_key(nio_kind kind, const void *row, uint8_t key[NIO_KEY_SIZE]);

/* ---- Subscriptions ------------------------------------------------------
 * The stream for the high layer (Watcher): changes of several kinds in the
 * system's order, in one queue (base/queue.h), with marks for losses and
 * repairs. The tower's thread appends to the queue and never waits for its
 * taker. */
struct nio_queue;
struct nio_filter;

typedef struct nio_request {
    unsigned kinds;                  /* bits: 1u << NIO_ROUTE, ... */
    const struct nio_filter *filter; /* borrowed for the call; NULL: all */
    bool snapshot;  /* begin with all present rows, as ADD with SNAPSHOT */
    bool lifetimes; /* a lifetime that was set anew is a PARAMETER change */
    int receive_buffer; /* bytes requested of the system; 0: the default */
    /* How often to look for registrations that have gone silent, on a system
     * where that can be; 0: never. */
    uint64_t silence_check_ns;
} nio_request;

/* Every change after the return reaches `queue` (borrowed until
 * nio_unsubscribe has returned). A snapshot, and each loss, is followed by a
 * SYNCED mark as soon as the state is known to be exact: immediately on a
 * quiet network, after the tables were read again on a busy one. */
NETIO_STATUS nio_subscribe(const nio_request *request, struct nio_queue *queue,
                           HANDLE *ret_handle);
/* Nothing is appended to the queue after the return. Once per handle. */
NETIO_STATUS nio_unsubscribe(HANDLE handle);

/* What was received from the system so far, in the network namespace of the
 * subscription. */
typedef struct nio_statistics {
    uint64_t messages;       /* change messages or notifications received */
    uint64_t ignored;        /* messages not from the kernel, or malformed */
    uint64_t overflows;      /* times that the kernel's buffer was full */
    uint64_t resyncs;        /* times that tables were re-read and compared */
    uint64_t receive_buffer; /* bytes granted */
    uint64_t unreadable;     /* routes that the system's tables did not show
                                when they were last read, since they were cut
                                short */
} nio_statistics;
NETIO_STATUS nio_statistics_of(HANDLE handle, nio_statistics *ret_statistics);

/* SPDX-License-Identifier: MIT */
/* Microsoft's own netioapi.h, as a Windows SDK or mingw-w64 has it, with what
 * it draws in, in the one order that compiles. No function of it is linked:
 * csrc/iphlpapi finds them by name. */
#pragma once

#ifndef WIN32_LEAN_AND_MEAN
#    define WIN32_LEAN_AND_MEAN /* else windows.h brings the old winsock.h */
#endif
/* The two Teredo functions are marked as errors otherwise. */
#define TEREDO_API_NO_DEPRECATE

#include <winsock2.h>
#include <ws2ipdef.h>

#include <windows.h>

#include <iphlpapi.h> /* brings netioapi.h, with the status of user mode */

#include <stddef.h>
#include <stdint.h>

#undef interface /* a macro of COM's, and a word of ours */

/* The connectivity hint is younger than some headers (mingw-w64 and older
 * SDKs have none of it), and no macro tells which: so it is declared here
 * under names of our own, which take the place of Microsoft's. layout.h holds
 * them to Microsoft's layout; the enums' members are known to Python only. */
typedef struct nio_connectivity_hint {
    INT ConnectivityLevel; /* NL_NETWORK_CONNECTIVITY_LEVEL_HINT */
    INT ConnectivityCost;  /* NL_NETWORK_CONNECTIVITY_COST_HINT */
    BOOLEAN ApproachingDataLimit;
    BOOLEAN OverDataLimit;
    BOOLEAN Roaming;
} nio_connectivity_hint;
typedef VOID(WINAPI *nio_connectivity_hint_callback)(
    PVOID CallerContext, nio_connectivity_hint ConnectivityHint);
#define NL_NETWORK_CONNECTIVITY_HINT nio_connectivity_hint
#define PNETWORK_CONNECTIVITY_HINT_CHANGE_CALLBACK                            \
    nio_connectivity_hint_callback

/* What the binding asks of this header beside Microsoft's words. */
#define NIO_THIS_SYSTEM NIO_SYSTEM_WINDOWS
/* Where a member stands that only Linux has: not in here. */
#define NIO_LINUX_OFFSET(type, member) NIO_ABSENT

/* The routing table of a route row. Windows has one table per compartment,
 * and no number for it. */
static inline ULONG
nio_row_table(const MIB_IPFORWARD_ROW2 *row)
{
    (void)row;
    return 0;
}

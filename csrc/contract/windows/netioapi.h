/* SPDX-License-Identifier: MIT */
/* Microsoft's own netioapi.h, from a Windows SDK or mingw-w64, and the headers
 * that it needs, in the one order that compiles. None of its functions is
 * linked: csrc/iphlpapi looks them up by name. */
#pragma once

#ifndef WIN32_LEAN_AND_MEAN
#    define WIN32_LEAN_AND_MEAN /* else windows.h includes winsock.h */
#endif
/* Without this, a use of the two Teredo functions is an error. */
#define TEREDO_API_NO_DEPRECATE

#include <winsock2.h>
#include <ws2ipdef.h>

#include <windows.h>

#include <iphlpapi.h> /* includes netioapi.h, with the NETIO_STATUS of user mode */

#include <stddef.h>
#include <stdint.h>

#undef interface /* a macro of COM, but a name in our code */

/* mingw-w64 and SDKs older than Windows 10, version 2004, do not declare the
 * connectivity hint. So it is declared here under our own names, which replace
 * Microsoft's. layout.h checks them against Microsoft's layout, and against
 * the SDK's own type where it has one; only Python knows the members of the
 * enums. */
#if defined(NTDDI_WIN10_VB) && !defined(__MINGW64_VERSION_MAJOR)
#    if NTDDI_VERSION >= NTDDI_WIN10_VB
#        define NIO_SDK_HINT
typedef NL_NETWORK_CONNECTIVITY_HINT nio_sdk_hint;
#    endif
#endif
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

/* ---- What the project adds to Microsoft's header, on each system. */
#define NIO_THIS_SYSTEM NIO_SYSTEM_WINDOWS
/* The offset of a member that only Linux has: absent here. */
#define NIO_LINUX_OFFSET(type, member) NIO_ABSENT

/* The routing table of a route row. Windows has one table per compartment,
 * and no number for it. */
static inline ULONG
nio_row_table(const MIB_IPFORWARD_ROW2 *row)
{
    (void)row;
    return 0;
}

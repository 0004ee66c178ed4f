/* SPDX-License-Identifier: MIT */
/* Compartments: the whole network is in one of them, as a setting says. A
 * thread begins in the default one, 1. In another one than the network's it
 * finds no rows, and its registrations are never called. */
#include "change.h"

#define DEFAULT_COMPARTMENT 1u

static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
static DWORD slot; /* of the thread's compartment; 0: the default */

static BOOL CALLBACK
make_slot(PINIT_ONCE of, PVOID parameter, PVOID *context)
{
    (void)of;
    (void)parameter;
    (void)context;
    slot = TlsAlloc();
    return slot != TLS_OUT_OF_INDEXES;
}

EXPORT UINT32 WINAPI
GetCurrentThreadCompartmentId(VOID)
{
    InitOnceExecuteOnce(&once, make_slot, NULL, NULL);
    UINT32 own = (UINT32)(ULONG_PTR)TlsGetValue(slot);
    return own == 0 ? DEFAULT_COMPARTMENT : own;
}

EXPORT DWORD WINAPI
SetCurrentThreadCompartmentId(UINT32 compartment)
{
    DWORD code = standin_failure(__func__);
    InitOnceExecuteOnce(&once, make_slot, NULL, NULL);
    if (code == NO_ERROR && compartment == 0) {
        code = ERROR_INVALID_PARAMETER;
    }
    if (code == NO_ERROR) {
        TlsSetValue(slot, (void *)(ULONG_PTR)compartment);
    }
    return code;
}

bool
standin_is_here_locked(void)
{
    DWORD network = standin_settings[STANDIN_COMPARTMENT];
    return GetCurrentThreadCompartmentId() ==
           (network == 0 ? DEFAULT_COMPARTMENT : network);
}

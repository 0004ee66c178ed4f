/* SPDX-License-Identifier: MIT */
/* The functions of iphlpapi.dll that this tower needs beside those that every
 * tower has (NIO_FUNCTIONS). A member is NULL where the system lacks it. */
#pragma once

#include "contract/tower.h"

#define NIO_WINDOWS_FUNCTIONS(X)                                              \
    X(UINT32, GetCurrentThreadCompartmentId, (VOID))                          \
    X(DWORD, SetCurrentThreadCompartmentId, (UINT32))

#define NIO_WINDOWS_MEMBER(type, name, parameters)                            \
    type(NETIOAPI_API_ *name) parameters;
typedef struct nio_windows_functions {
    NIO_WINDOWS_FUNCTIONS(NIO_WINDOWS_MEMBER)
} nio_windows_functions;
#undef NIO_WINDOWS_MEMBER

/* Looked up at the first call. Never returns NULL. */
const nio_windows_functions *nio_windows(void);

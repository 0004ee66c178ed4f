/* SPDX-License-Identifier: MIT */
/* The functions of netioapi.h by name: which of them this system has, since
 * when Windows has them, and which of them serve a kind of rows. */
#pragma once

#include "binding/state.h"

/* The header's names of the functions for one kind of rows. */
typedef struct nio_kind_functions {
    const char *notify;    /* "NotifyRouteChange2" */
    const char *get_table; /* "GetIpForwardTable2" */
    const char *get_entry; /* "GetIpForwardEntry2" */
} nio_kind_functions;
extern const nio_kind_functions nio_functions_of_kind[NIO_KINDS];

/* True when this system has the function of this name: "GetBestRoute2", as in
 * the header, or "get_best_route2", as in Python. */
bool nio_is_supported(const char *name);
/* The first Windows that has the function with this name in the header;
 * static. */
const char *nio_function_since(const char *name);

/* Adds supported(): 0, or -1 with an exception. */
int nio_functions_init(PyObject *module);

/* SPDX-License-Identifier: MIT */
/* Numbers of the system as members of the classes of enums.py. With the GIL.
 */
#pragma once

#include "binding/state.h"

/* The classes of enums.py whose members are values here. */
#define NIO_ENUMS(X)                                                          \
    X(NotificationType)                                                       \
    X(RouteProtocol)                                                          \
    X(RouteOrigin)                                                            \
    X(RouteType)                                                              \
    X(RouteScope)                                                             \
    X(RouterPreference)                                                       \
    X(PrefixOrigin)                                                           \
    X(SuffixOrigin)                                                           \
    X(DadState)                                                               \
    X(RouterDiscoveryBehavior)                                                \
    X(LinkLocalAddressBehavior)                                               \
    X(ConnectivityLevel)                                                      \
    X(ConnectivityCost)
#define NIO_ENUM_NUMBER(name) NIO_ENUM_##name,
typedef enum nio_enum {
    NIO_ENUM_NULL, /* none */
    NIO_ENUMS(NIO_ENUM_NUMBER) NIO_ENUM_COUNT
} nio_enum;

/* A new reference to the member of the enum, or to a plain int where the
 * number is unknown. */
PyObject *nio_enum_new(nio_state *state, nio_enum which, long number);
/* The name of the class, static; NULL for NIO_ENUM_NULL. */
const char *nio_enum_name(nio_enum which);
/* Borrowed from the state: {number: member}, which is never changed, and the
 * class NetworkConnectivityHint; NULL: not registered yet. */
PyObject *nio_enum_members(nio_state *state, nio_enum which);
PyObject *nio_hint_type(nio_state *state);

/* Adds _register_enums(): 0, or -1 with an exception. */
int nio_enums_init(PyObject *module);
/* For the module's own functions of these names. */
int nio_enums_traverse(nio_state *state, visitproc visit, void *arg);
void nio_enums_clear(nio_state *state);

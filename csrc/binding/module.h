/* SPDX-License-Identifier: MIT */
/* The binding's one shared header: the module's state, and what each file
 * offers to the others. A type's file is closed: all of it is static but the
 * functions listed here. Limited API of CPython 3.11; no platform #ifdef; the
 * system is reached only through nio_system() and the rest of
 * contract/tower.h. */
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "base/queue.h"
#include "contract/tower.h"

#include <stdbool.h>

/* The headers of 3.12 and 3.13 take these for immortal in the limited API of
 * 3.11, too: built with them, our wheel would take references from the None
 * of a 3.11 until it dies. */
#undef Py_RETURN_NONE
#define Py_RETURN_NONE return Py_NewRef(Py_None)
#undef Py_RETURN_TRUE
#define Py_RETURN_TRUE return Py_NewRef(Py_True)
#undef Py_RETURN_FALSE
#define Py_RETURN_FALSE return Py_NewRef(Py_False)
#undef Py_RETURN_NOTIMPLEMENTED
#define Py_RETURN_NOTIMPLEMENTED return Py_NewRef(Py_NotImplemented)

/* The classes of enums.py whose members are values here. */
#define NIO_ENUMS(X)                                                          \
    X(NotificationType)                                                       \
    X(RouteProtocol)                                                          \
    X(RouteOrigin)                                                            \
    X(RouteType)                                                              \
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
/* Members with a number below this are found without a dict. */
enum { NIO_ENUM_SMALL = 20 };

/* Per interpreter; traverse and clear follow this order. */
typedef struct nio_state {
    /* exceptions (errors.c) */
    PyObject *NetioError;
    PyObject *InvalidParameterError;
    PyObject *DeadlockError;
    /* types */
    PyTypeObject
        *row_types[NIO_KINDS];  /* IpInterfaceRow, UnicastIpAddressRow,
                                 * IpForwardRow: by nio_kind (rows.c) */
    PyTypeObject *Table;        /* table.c */
    PyTypeObject *Registration; /* registration.c */
    PyTypeObject *Watch;        /* watch.c: the native half of Watcher */
    PyTypeObject *Change;       /* change.c */
    PyTypeObject *Changes;      /* changes.c: what one read returns */
    /* values: callables of ipaddress, imported at first use (values.c), and
     * the members of the enums that enums.py hands over at import (enums.c) */
    PyObject
        *ip_types[4]; /* IPv4Address, IPv6Address, IPv4Network, IPv6Network */
    PyObject *enums;  /* {"NotificationType": {0: member, ...}, ...} */
    struct {
        PyObject *all;                   /* {0: member, ...} */
        PyObject *small[NIO_ENUM_SMALL]; /* by number; NULL: no member */
    } members[NIO_ENUM_COUNT]; /* borrowed from `enums`, while that is there */
    char *formats[NIO_KINDS];  /* owned; NULL until asked for (fields.c) */
    PyObject *hint_type; /* NetworkConnectivityHint, handed over likewise */
    /* live registrations and watches, kept alive until they are cancelled:
     * each file guards and documents its own list */
    struct nio_registration *registrations;
    struct nio_watch *watches;
    struct nio_home *home; /* of this interpreter (home.c); a reference */
    bool closing; /* the interpreter exits: nothing new is registered */
} nio_state;

/* Borrowed. From a module, and from the exact type of one of our objects. */
nio_state *nio_state_of_module(PyObject *module);
nio_state *nio_state_of(PyObject *self);

/* ---- each file's part of module exec: 0, or -1 with an exception */
int nio_errors_init(PyObject *module, nio_state *state);
int nio_enums_init(PyObject *module, nio_state *state);
int nio_rows_init(PyObject *module, nio_state *state);
int nio_table_init(PyObject *module, nio_state *state);
int nio_registration_init(PyObject *module, nio_state *state);
int nio_notify_init(PyObject *module, nio_state *state); /* adds functions */
int nio_get_init(PyObject *module, nio_state *state);    /* adds functions */
int nio_watch_init(PyObject *module, nio_state *state);

/* ---- posix/interrupt.c, windows/interrupt.c */
/* See to it that Ctrl-C ends a wait: 0, or -1 with an exception. */
int nio_interrupt_init(void);
/* The interpreter exits, and what its waits are ended by goes with it. */
void nio_interrupt_done(void);

/* ---- errors.c */
/* Sets the exception for a Win32 code of the named function; returns NULL. */
PyObject *nio_raise(nio_state *state, DWORD code, const char *function);
/* Sets InvalidParameterError (code 87) with this text; returns NULL. */
PyObject *nio_raise_invalid(nio_state *state, const char *function,
                            const char *format, ...);
/* Sets NetioError 127 that names the function and the first Windows that has
 * it; returns NULL. */
PyObject *nio_raise_missing(nio_state *state, const char *function);

/* ---- enums.c */
/* A new reference to the member of the enum, or to a plain int where the
 * number is unknown. */
PyObject *nio_enum_new(nio_state *state, nio_enum which, long number);
/* Borrowed for ever: the name of the class; NULL for NIO_ENUM_NULL. */
const char *nio_enum_name(nio_enum which);
/* At module clear. */
void nio_enums_clear(nio_state *state);

/* ---- values.c: numbers of the system to Python's values and back */
/* ipaddress objects; None for a family that is neither. */
PyObject *nio_address_new(nio_state *state, const SOCKADDR_INET *address);
PyObject *nio_prefix_new(nio_state *state, const IP_ADDRESS_PREFIX *prefix);
PyObject *nio_raw_address_new(nio_state *state, ADDRESS_FAMILY family,
                              const uint8_t *bytes);
PyObject *nio_hint_new(nio_state *state,
                       const NL_NETWORK_CONNECTIVITY_HINT *hint);
/* The interface's name as this system's users write it; None if unknown. */
PyObject *nio_interface_name_new(nio_state *state, NET_LUID luid,
                                 NET_IFINDEX index);
/* True, or false with an exception set. `function` is for the message. */
bool nio_family_from(nio_state *state, PyObject *object, const char *function,
                     ADDRESS_FAMILY *ret_family);
/* From an ipaddress object, a str or packed bytes. */
bool nio_address_from(nio_state *state, PyObject *object, const char *function,
                      SOCKADDR_INET *ret_address);
/* From an index (int) or a name (str) of an interface that exists. */
bool nio_interface_from(nio_state *state, PyObject *object,
                        const char *function, NET_IFINDEX *ret_index);

/* ---- rows.c */
/* Bytes of the native row of a kind. */
size_t nio_row_size(nio_kind kind);
/* A new row object holding a copy. details false: only the header's key
 * members are known, the others read as None. */
PyObject *nio_row_new(nio_state *state, nio_kind kind, const void *row,
                      bool details);
/* Borrowed native row of a row object of that kind; NULL with TypeError. */
const void *nio_row_data(nio_state *state, nio_kind kind, PyObject *row,
                         const char *function);

/* ---- table.c */
/* A new Table of `count` rows, which are copied. */
PyObject *nio_table_new(nio_state *state, nio_kind kind, const void *rows,
                        size_t count);

/* ---- registration.c, watch.c */
/* Cancel everything that is live: the atexit hook. */
void nio_registrations_shutdown(nio_state *state);
void nio_watches_shutdown(nio_state *state);
/* At module free: what the state has of them. */
void nio_registration_done(nio_state *state);

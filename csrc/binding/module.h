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

/* An object that whoever needs it first makes, and that stays: no lock is
 * held while it is made, and who was slower takes that of the faster. */
typedef struct nio_once {
    nio_atomic object; /* a reference; 0: none yet */
} nio_once;

/* Borrowed; NULL: none yet. */
static inline PyObject *
nio_once_get(const nio_once *once)
{
    return (PyObject *)(uintptr_t)nio_atomic_load(&once->object);
}

/* Takes over `made`, or NULL with an exception set. Borrowed: what is there
 * now; NULL with the exception where nothing is. */
static inline PyObject *
nio_once_put(nio_once *once, PyObject *made)
{
    if (made == NULL ||
        nio_atomic_replace(&once->object, 0, (uint64_t)(uintptr_t)made)) {
        return made;
    }
    Py_DECREF(made);
    return nio_once_get(once);
}

static inline void
nio_once_clear(nio_once *once)
{
    uint64_t object = nio_atomic_exchange(&once->object, 0);
    Py_XDECREF((PyObject *)(uintptr_t)object);
}

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
    nio_once ip_types[4]; /* IPv4Address, IPv6Address, IPv4Network, ... */
    nio_atomic enums;     /* struct nio_enums *; owned; 0: none yet */
    /* of the buffer protocol, by nio_kind (fields.c); owned, but views borrow
     * them: whoever has one has the table, and with it this module */
    char *formats[NIO_KINDS];
    struct nio_interpreter
        *home; /* of this interpreter (home.c); a reference */
    /* guarded by the lock of cancel.c */
    struct nio_registration *registrations; /* live ones (live.c) */
    struct nio_watch_source *feeds;         /* of open watches (feed.c) */
    bool closing; /* the interpreter exits: nothing joins these lists */
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
/* Borrowed from the state: {number: member}, which nobody changes, and the
 * class NetworkConnectivityHint; NULL: not handed over. */
PyObject *nio_enum_members(nio_state *state, nio_enum which);
PyObject *nio_hint_type(nio_state *state);
/* For the module's own functions of these names. */
int nio_enums_traverse(nio_state *state, visitproc visit, void *arg);
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

/* ---- registration.c, feed.c */
/* Cancel everything that is live: the atexit hook. */
void nio_registrations_shutdown(nio_state *state);
void nio_watches_shutdown(nio_state *state);
/* At module free: what the state has of them. */
void nio_registration_done(nio_state *state);

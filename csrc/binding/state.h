/* SPDX-License-Identifier: MIT */
/* What every file of the binding includes: Python.h in the limited API of
 * 3.11, what that API lacks, and the module's state. Each interpreter has a
 * module object and a state of its own. No Python object is in a static
 * variable except the PyModuleDef, so interpreters share no other object. The
 * system is reached through contract/tower.h only. */
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "base/lock.h" /* nio_atomic */
#include "contract/tower.h"

#include <stdbool.h>

/* From 3.12 on these constants are immortal, and the headers of 3.12
 * and 3.13.0 return them without a new reference even in the limited API
 * of 3.11. A wheel that is built with such headers also runs on 3.11, where
 * each such return would leave None with one reference too few, until it is
 * deallocated. */
#undef Py_RETURN_NONE
#define Py_RETURN_NONE return Py_NewRef(Py_None)
#undef Py_RETURN_TRUE
#define Py_RETURN_TRUE return Py_NewRef(Py_True)
#undef Py_RETURN_FALSE
#define Py_RETURN_FALSE return Py_NewRef(Py_False)
#undef Py_RETURN_NOTIMPLEMENTED
#define Py_RETURN_NOTIMPLEMENTED return Py_NewRef(Py_NotImplemented)

/* Py_XSETREF, which the limited API lacks. */
static inline void
nio_replace(PyObject **slot, PyObject *value)
{
    PyObject *old = *slot;
    *slot = value;
    Py_XDECREF(old);
}

/* An object that is made at first use and then kept. No lock is held while it
 * is made: when two threads make one at the same time, the second of them
 * discards its own. */
typedef struct nio_once {
    nio_atomic object; /* a reference; 0: not made yet */
} nio_once;

/* Borrowed; NULL: not made yet. */
static inline PyObject *
nio_once_get(const nio_once *once)
{
    return (PyObject *)(uintptr_t)nio_atomic_load(&once->object);
}

/* Takes over `made`, or NULL with an exception set. Returns a borrowed
 * reference to the object that is kept; NULL with the exception when there is
 * none. */
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

/* module.c traverses and clears the objects in this order. */
typedef struct nio_state {
    /* exceptions (errors.c) */
    PyObject *NetioError;
    PyObject *InvalidParameterError;
    PyObject *DeadlockError;
    /* types */
    PyTypeObject *row_types[NIO_KINDS]; /* by nio_kind: IpInterfaceRow,
                                         * UnicastIpAddressRow, IpForwardRow
                                         * (rows/row_types.c) */
    PyTypeObject *Table;                /* rows/table.c */
    PyTypeObject *Registration;         /* callbacks/registration.c */
    PyTypeObject *Watch;                /* watch/watch.c */
    PyTypeObject *Change;               /* watch/change.c */
    PyTypeObject *Batch;                /* watch/batch.c */
    /* Classes of ipaddress, imported at first use (values/to_python.c):
     * IPv4Address, IPv6Address, IPv4Network, IPv6Network. */
    nio_once ip_types[4];
    /* struct nio_enums *, owned: the members of the enums, which enums.py
     * hands over at import (values/enums.c); 0: not handed over yet. */
    nio_atomic enums;
    /* Formats of the buffer protocol by nio_kind (rows/fields.c). Owned;
     * buffer views borrow them, and a view keeps its Table, which keeps this
     * module.
     */
    char *formats[NIO_KINDS];
    struct nio_interpreter *interpreter; /* callbacks/: a reference */
    /* guarded by nio_process_lock */
    struct nio_registration *registrations; /* callbacks/: the live ones */
    struct nio_watch_source *sources;       /* watch/: the open ones */
    bool closing; /* the interpreter exits: nothing is added to these lists */
} nio_state;

/* Borrowed: the state of this module. */
nio_state *nio_state_of_module(PyObject *module);
/* Borrowed: the state of the module that made the object's type. The type is
 * one of this module's, not a subclass of it. */
nio_state *nio_state_of(PyObject *self);

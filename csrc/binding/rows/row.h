/* SPDX-License-Identifier: MIT */
/* The row objects: IpInterfaceRow, UnicastIpAddressRow, IpForwardRow. With the
 * GIL. */
#pragma once

#include "binding/rows/fields.h"

/* A row object: the native row inline, 8-byte aligned. Immutable. It refers to
 * no object, so it needs no garbage collection. */
typedef struct nio_row {
    PyObject_HEAD
    nio_kind kind;
    nio_knowledge known;
    uint64_t data[]; /* the native row */
} nio_row;

/* Bytes of the native row of a kind. */
size_t nio_row_size(nio_kind kind);
/* A new row object with a copy of `row` and a reference to its block. A field
 * that is not known is None. */
PyObject *nio_row_new(nio_state *state, nio_kind kind, const void *row,
                      nio_knowledge known);
/* The native row of a row object of that kind, borrowed; NULL with TypeError
 * for another object. */
const void *nio_row_data(nio_state *state, nio_kind kind, PyObject *row,
                         const char *function);

/* A new reference to the Python type of a struct, whose tp_new is `make`. */
PyTypeObject *nio_row_type_new(PyObject *module, const nio_schema *schema,
                               newfunc make);
/* The getter of all fields; `closure` is the nio_field. */
PyObject *nio_row_get(PyObject *self, void *closure);

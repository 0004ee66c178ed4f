/* SPDX-License-Identifier: MIT */
/* Table: rows of one kind in one block of memory. With the GIL. */
#pragma once

#include "binding/state.h"

typedef struct nio_table {
    PyObject_HEAD
    nio_kind kind;
    Py_ssize_t count;    /* the buffer's shape */
    Py_ssize_t size;     /* of a row: the buffer's stride */
    const uint8_t *rows; /* in `memory` or `copy`; NULL: no rows */
    PVOID memory;        /* owned; FreeMibTable frees it */
    uint8_t *copy;       /* owned; PyMem_Free frees it */
    bool has_extras;     /* some rows have blocks; those of `copy` own
                          * references to them */
} nio_table;

/* A new Table with a copy of `count` rows. */
PyObject *nio_table_new(nio_state *state, nio_kind kind, const void *rows,
                        size_t count);
/* A new Table with memory of its own (`copy`) for `count` rows. The caller
 * writes the rows before another thread sees the Table, each with a reference
 * to its block (base/extra.h). */
PyObject *nio_table_blank(nio_state *state, nio_kind kind, size_t count);
/* A new Table of `count` rows that lie in `memory`. Takes ownership of
 * `memory`, also on failure. */
PyObject *nio_table_adopt(nio_state *state, nio_kind kind, PVOID memory,
                          const void *rows, size_t count);

/* Adds the type: 0, or -1 with an exception. */
int nio_table_init(PyObject *module, nio_state *state);

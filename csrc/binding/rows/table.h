/* SPDX-License-Identifier: MIT */
/* Table: rows of one kind in one block of memory. With the GIL. */
#pragma once

#include "binding/state.h"

typedef struct nio_table {
    PyObject_HEAD
    nio_kind kind;
    Py_ssize_t count;    /* the buffer's shape */
    Py_ssize_t size;     /* of a row: the buffer's stride */
    const uint8_t *rows; /* count rows; NULL when there is none */
    PVOID memory;        /* owned, of the system: the rows lie in it */
    uint8_t *copy;       /* owned, of ours: likewise */
} nio_table;

/* A new Table of `count` rows, which are copied. */
PyObject *nio_table_new(nio_state *state, nio_kind kind, const void *rows,
                        size_t count);
/* A new Table with room of its own for `count` rows (`copy`), which the caller
 * writes before anybody else sees it. */
PyObject *nio_table_blank(nio_state *state, nio_kind kind, size_t count);
/* A new Table of `count` rows that lie in `memory`, which FreeMibTable frees:
 * the Table does, and where there is none to be had, this function. */
PyObject *nio_table_adopt(nio_state *state, nio_kind kind, PVOID memory,
                          const void *rows, size_t count);

/* Adds the type: 0, or -1 with an exception. */
int nio_table_init(PyObject *module, nio_state *state);

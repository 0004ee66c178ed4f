/* SPDX-License-Identifier: MIT */
/* What the two files of Table share: the object, and the methods by which
 * its block leaves as a whole. */
#pragma once

#include "binding/rows/fields.h"

typedef struct nio_table {
    PyObject_HEAD
    nio_kind kind;
    Py_ssize_t count;    /* the buffer's shape */
    Py_ssize_t size;     /* of a row: the buffer's stride */
    const uint8_t *rows; /* count rows; NULL when there is none */
    PVOID memory;        /* owned, of the system: the rows lie in it */
    uint8_t *copy;       /* owned, of ours: likewise */
} nio_table;

/* ---- table.c */
/* A new Table with room of its own for `count` rows (`copy`), which the caller
 * writes before anybody else sees it. */
PyObject *nio_table_blank(nio_state *state, nio_kind kind, size_t count);
/* A new Table of `count` rows that lie in `memory`, which FreeMibTable frees:
 * the Table does, and where there is none to be had, this function. */
PyObject *nio_table_adopt(nio_state *state, nio_kind kind, PVOID memory,
                          const void *rows, size_t count);

/* ---- table_export.c */
/* The slot of the buffer protocol; there is nothing to release. */
int nio_table_buffer(PyObject *self, Py_buffer *view, int flags);
/* The three methods of Arrow's PyCapsule interface, and their docstrings. */
PyObject *nio_table_arrow_schema(PyObject *self, PyObject *unused);
PyObject *nio_table_arrow_array(PyObject *self, PyObject *args,
                                PyObject *keywords);
PyObject *nio_table_arrow_stream(PyObject *self, PyObject *args,
                                 PyObject *keywords);
extern const char nio_table_arrow_schema_doc[], nio_table_arrow_array_doc[],
    nio_table_arrow_stream_doc[];

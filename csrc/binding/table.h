/* SPDX-License-Identifier: MIT */
/* What the two files of Table share: the object, and the methods by which
 * its block leaves as a whole. */
#pragma once

#include "binding/fields.h"

typedef struct nio_table {
    PyObject_HEAD
    nio_kind kind;
    Py_ssize_t count; /* the buffer's shape */
    Py_ssize_t size;  /* of a row: the buffer's stride */
    uint8_t *rows;    /* count rows; NULL when there is none */
} nio_table;

/* ---- table.c */
/* A new Table with room for `count` rows, which the caller writes before
 * anybody else sees it. */
PyObject *nio_table_blank(nio_state *state, nio_kind kind, size_t count);

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

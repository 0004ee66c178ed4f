/* SPDX-License-Identifier: MIT */
/* Rows and Tables as pickles (row_pickle.c, table_pickle.c): the bytes of the
 * native rows, and of the blocks that the rows refer to (base/extra.h), each
 * once. The references themselves are written as 0, and are made anew: what a
 * pickle has in their place is never used. With the GIL. */
#pragma once

#include "base/extra.h"
#include "binding/state.h"

/* The layout of what is pickled: a number that grows when a native row, or
 * what goes with it, changes. 1 was that of netioapi 0.1.0, which wrote no
 * number. Another layout is refused, and never misread. */
enum {
    NIO_PICKLE_LAYOUT = 2,
    NIO_PICKLE_BIG_ENDIAN = 1000 /* added on a machine with this byte order */
};

/* The number that this machine writes and reads. */
int nio_pickle_layout(void);
/* False with ValueError for another layout. */
bool nio_pickle_accepts(int layout);
/* A block of pickled items, with one reference; NULL with an exception. */
nio_extra *nio_pickled_extra(PyObject *items);
/* The items of a block as bytes; accepts NULL. */
PyObject *nio_pickled_items(const nio_extra *extra);
/* Adds _from_bytes() and __reduce__() to a type: 0, or -1 with an exception.
 */
int nio_pickle_add_methods(PyTypeObject *type, PyMethodDef methods[2]);

/* Add the methods to the row types, and to Table: 0, or -1 with an exception.
 */
int nio_row_pickle_init(nio_state *state);
int nio_table_pickle_init(nio_state *state);

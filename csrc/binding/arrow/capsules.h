/* SPDX-License-Identifier: MIT */
/* The capsules of Arrow's PyCapsule interface. With the GIL; each function
 * returns a new reference, or NULL with an exception. */
#pragma once

#include "binding/arrow/abi.h"
#include "binding/state.h"

/* `has_extras` is false where no row has a block. `requested` is the schema
 * that the consumer asks for, or NULL. ValueError when it has other columns.
 */
PyObject *nio_arrow_schema(nio_state *state, nio_kind kind);
PyObject *nio_arrow_array(nio_state *state, nio_kind kind, const void *rows,
                          size_t count, bool has_extras,
                          const struct ArrowSchema *requested);
PyObject *nio_arrow_stream(nio_state *state, nio_kind kind, const void *rows,
                           size_t count, bool has_extras,
                           const struct ArrowSchema *requested);
/* Parses the one argument of these methods. *ret_requested is borrowed from
 * `args` or `keywords`; NULL for None. False with an exception when the
 * argument is no schema. */
bool nio_arrow_requested_schema(PyObject *args, PyObject *keywords,
                                const char *format,
                                const struct ArrowSchema **ret_requested);

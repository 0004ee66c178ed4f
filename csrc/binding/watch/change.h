/* SPDX-License-Identifier: MIT */
/* The Change type: one change of a Watcher's stream. With the GIL. */
#pragma once

#include "binding/state.h"

#include "base/change.h"

#include <string.h>

/* A new Change that holds a copy of this change (not a mark) and its row. */
PyObject *nio_change_new(nio_state *state, nio_change *change);
/* The row of a change as `size` bytes, those that it has not as zeros. */
static inline void
nio_change_copy_row(nio_change *change, void *to, size_t size)
{
    size_t have = change->size < size ? change->size : size;
    memcpy(to, nio_change_row(change), have);
    if (have < size) {
        memset((char *)to + have, 0, size - have);
    }
}
/* The kind of this name ("route"); false with ValueError. */
bool nio_change_kind_from(const char *name, nio_kind *ret_kind);
/* Borrowed: the native row of a Change, and its kind; NULL with TypeError
 * where the object is not a Change. */
const void *nio_change_data(nio_state *state, PyObject *object,
                            nio_kind *ret_kind);

/* Adds the type: 0, or -1 with an exception. */
int nio_change_init(PyObject *module, nio_state *state);

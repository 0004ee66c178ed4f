/* SPDX-License-Identifier: MIT */
/* The Change type, one change of a Watcher's stream. */
#pragma once

#include "binding/state.h"

#include "base/change.h"

/* A new Change that holds a copy of this change, which is no mark, and of its
 * row. */
PyObject *nio_change_new(nio_state *state, nio_change *change);
/* Borrowed: the change that a Change holds; its row follows it in memory. */
nio_change *nio_change_of(PyObject *change);

/* Adds the type: 0, or -1 with an exception. */
int nio_change_init(PyObject *module, nio_state *state);

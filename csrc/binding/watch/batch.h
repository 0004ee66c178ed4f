/* SPDX-License-Identifier: MIT */
/* The Batch type, what one read of a Watcher returns. */
#pragma once

#include "binding/state.h"
#include "binding/watch/read_result.h"

/* A new Batch, empty. Only nio_batch_fill changes it, and it is called before
 * another thread sees the Batch. */
PyObject *nio_batch_new(nio_state *state);
/* Takes ownership of the result. */
void nio_batch_fill(PyObject *batch, nio_read_result *result);

/* Adds the type: 0, or -1 with an exception. */
int nio_batch_init(PyObject *module, nio_state *state);

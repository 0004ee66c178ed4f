/* SPDX-License-Identifier: MIT */
/* The Registration type. With the GIL. */
#pragma once

#include "binding/callbacks/context.h"

/* A new Registration in stage STARTING. No other thread can find it until it
 * is enlisted. `family` -1: the function takes none. NULL with an exception.
 */
nio_registration *nio_registration_new(nio_state *state, PyObject *callback,
                                       PyObject *on_error, int family);
/* cancel(): None, or NULL with an exception. */
PyObject *nio_registration_cancel(nio_registration *self, uint64_t timeout_ns,
                                  bool wait);

/* Adds the type: 0, or -1 with an exception. */
int nio_registration_init(PyObject *module, nio_state *state);

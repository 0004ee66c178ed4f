/* SPDX-License-Identifier: MIT */
/* The Registration type. With the GIL. */
#pragma once

#include "binding/callbacks/context.h"

/* A new reference in stage STARTING, which nobody else can find until it is
 * enlisted. `family` -1: the function has none. NULL with an exception. */
nio_registration *nio_registration_new(nio_state *state, PyObject *callback,
                                       PyObject *on_error, int family);
/* cancel(): None, or NULL with an exception. */
PyObject *nio_registration_cancel(nio_registration *self, uint64_t timeout_ns,
                                  bool wait);

/* Adds the type, and prepares what registrations need: 0, or -1 with an
 * exception. */
int nio_registration_init(PyObject *module, nio_state *state);
/* At module free: what the state has of it. */
void nio_registration_done(nio_state *state);

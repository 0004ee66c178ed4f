/* SPDX-License-Identifier: MIT */
/* The exit of the interpreter. */
#pragma once

#include "binding/state.h"

/* Registers the exit: 0, or -1 with an exception. */
int nio_shutdown_init(PyObject *module, nio_state *state);

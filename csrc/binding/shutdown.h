/* SPDX-License-Identifier: MIT */
/* The exit of the interpreter. */
#pragma once

#include "binding/state.h"

/* Registers what the exit does: 0, or -1 with an exception. To be called
 * before there is anything to end. */
int nio_shutdown_init(PyObject *module);

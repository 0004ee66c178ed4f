/* SPDX-License-Identifier: MIT */
/* What the module does when the interpreter exits. */
#pragma once

#include "binding/state.h"

/* Registers the atexit hook: 0, or -1 with an exception. Called before there
 * is a registration or a Watch that the hook has to end. */
int nio_shutdown_init(PyObject *module);

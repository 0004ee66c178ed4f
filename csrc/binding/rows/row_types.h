/* SPDX-License-Identifier: MIT */
/* Adds the three row types to the module. */
#pragma once

#include "binding/state.h"

/* Adds the types, INFINITE and _fields(): 0, or -1 with an exception. */
int nio_row_types_init(PyObject *module, nio_state *state);

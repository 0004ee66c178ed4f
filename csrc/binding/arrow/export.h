/* SPDX-License-Identifier: MIT */
/* Arrow's PyCapsule interface as methods of Table. */
#pragma once

#include "binding/state.h"

/* Adds the methods to state->Table: 0, or -1 with an exception. */
int nio_export_init(nio_state *state);

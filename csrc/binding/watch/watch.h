/* SPDX-License-Identifier: MIT */
/* The Watch type, the native half of netioapi.Watcher. */
#pragma once

#include "binding/state.h"

/* Adds the type: 0, or -1 with an exception. */
int nio_watch_init(PyObject *module, nio_state *state);

/* SPDX-License-Identifier: MIT */
/* get_teredo_port() and get_network_connectivity_hint(). */
#pragma once

#include "binding/state.h"

/* Adds the functions: 0, or -1 with an exception. */
int nio_connectivity_init(PyObject *module);

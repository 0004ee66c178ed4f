/* SPDX-License-Identifier: MIT */
/* The function get_best_route2(). */
#pragma once

#include "binding/state.h"

/* Adds the function: 0, or -1 with an exception. */
int nio_best_route_init(PyObject *module);

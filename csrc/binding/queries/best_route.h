/* SPDX-License-Identifier: MIT */
/* The functions with one answer. */
#pragma once

#include "binding/state.h"

/* Adds the functions: 0, or -1 with an exception. */
int nio_best_route_init(PyObject *module);

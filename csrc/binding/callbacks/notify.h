/* SPDX-License-Identifier: MIT */
/* The notify functions. */
#pragma once

#include "binding/state.h"

/* Adds the functions: 0, or -1 with an exception. */
int nio_notify_init(PyObject *module);

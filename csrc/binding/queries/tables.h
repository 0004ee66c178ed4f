/* SPDX-License-Identifier: MIT */
/* Get*Table and Get*Entry. */
#pragma once

#include "binding/state.h"

/* Adds the functions: 0, or -1 with an exception. */
int nio_tables_init(PyObject *module);

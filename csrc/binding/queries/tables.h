/* SPDX-License-Identifier: MIT */
/* The functions get_*_table() and get_*_entry(). */
#pragma once

#include "binding/state.h"

/* Adds the functions: 0, or -1 with an exception. */
int nio_tables_init(PyObject *module);

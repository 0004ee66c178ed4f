/* SPDX-License-Identifier: MIT */
/* Rows that a program makes: the key members alone, to look up with. */
#pragma once

#include "binding/state.h"

/* tp_new of the three row types. */
PyObject *nio_row_construct(PyTypeObject *type, PyObject *args,
                            PyObject *keywords);

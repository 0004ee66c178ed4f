/* SPDX-License-Identifier: MIT */
/* The constructors of the row types, which make keys for Get*Entry. */
#pragma once

#include "binding/state.h"

/* tp_new of the three row types. */
PyObject *nio_row_construct(PyTypeObject *type, PyObject *args,
                            PyObject *keywords);

/* SPDX-License-Identifier: MIT */
/* Win32 codes as Python exceptions. With the GIL. */
#pragma once

#include "binding/state.h"

/* Sets the exception for a Win32 code of the named function; returns NULL. */
PyObject *nio_raise(nio_state *state, DWORD code, const char *function);
/* The same with this text in place of the system's. */
PyObject *nio_raise_detail(nio_state *state, DWORD code, const char *function,
                           const char *text);
/* Sets InvalidParameterError (code 87) with this text; returns NULL. */
PyObject *nio_raise_invalid(nio_state *state, const char *function,
                            const char *format, ...);
/* Sets NetioError 127, which names the function that the system lacks and the
 * first Windows that has it; returns NULL. */
PyObject *nio_raise_missing(nio_state *state, const char *function);

/* Where an OverflowError is set, makes it a ValueError with the same text: a
 * number that does not fit its C type is a wrong value like others. Returns
 * NULL. */
PyObject *nio_raise_overflow_as_value(void);

/* Adds the exceptions: 0, or -1 with an exception. */
int nio_errors_init(PyObject *module, nio_state *state);

/* SPDX-License-Identifier: MIT */
/* Numbers that a program passes in. With the GIL: true, or false with an
 * exception set. `function` is the name that the error message begins with. */
#pragma once

#include "binding/state.h"

/* From an int from 0 to `largest`; `argument` is named in the message. */
bool nio_number_from(nio_state *state, PyObject *object, const char *function,
                     const char *argument, uint64_t largest,
                     uint64_t *ret_number);

/* SPDX-License-Identifier: MIT */
/* Interfaces that a program names. With the GIL; each function returns true,
 * or false with an exception set. `function` is the name that the error
 * message begins with. */
#pragma once

#include "binding/state.h"

/* From an index or a LUID (int), or a name (str), which may be an alternative
 * one, of an interface that exists. An int of more than 32 bits is a LUID. */
bool nio_interface_from(nio_state *state, PyObject *object,
                        const char *function, NET_IFINDEX *ret_index);
/* Could `name`, the characters of `object`, be the name of an interface? */
bool nio_name_is_possible(nio_state *state, PyObject *object,
                          const wchar_t *name, size_t length,
                          const char *function);

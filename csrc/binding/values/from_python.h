/* SPDX-License-Identifier: MIT */
/* Converts what a program passes in to native values. With the GIL; each
 * function returns true, or false with an exception set. `function` is the
 * name that the error message begins with. */
#pragma once

#include "binding/values/number_from.h"

/* From AF_UNSPEC, AF_INET or AF_INET6 of the socket module. */
bool nio_family_from(nio_state *state, PyObject *object, const char *function,
                     ADDRESS_FAMILY *ret_family);
/* From an ipaddress object, a str or packed bytes. */
bool nio_address_from(nio_state *state, PyObject *object, const char *function,
                      SOCKADDR_INET *ret_address);
/* From an ipaddress network or a str. */
bool nio_prefix_from(nio_state *state, PyObject *object, const char *function,
                     IP_ADDRESS_PREFIX *ret_prefix);
/* From None (NIO_FOREVER) or a number of seconds, which is rounded up to the
 * next nanosecond; 1e9 seconds (31 years) or more are NIO_FOREVER, too.
 * ValueError for a negative number and NaN, TypeError for anything else. */
bool nio_timeout_from(PyObject *object, uint64_t *ret_timeout_ns);

/* Adds _seconds_from(), which checks the package's own parameters in the same
 * way: 0, or -1 with an exception. */
int nio_from_python_init(PyObject *module);

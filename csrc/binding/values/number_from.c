/* SPDX-License-Identifier: MIT */
/* A number that a program passes in: see number_from.h. */
#include "binding/values/number_from.h"

#include "binding/errors.h"

bool
nio_number_from(nio_state *state, PyObject *object, const char *function,
                const char *argument, uint64_t largest, uint64_t *ret_number)
{
    PyObject *number = PyNumber_Index(object);
    if (number == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError)) {
            PyErr_Clear();
            PyErr_Format(PyExc_TypeError, "%s() argument '%s' must be an int",
                         function, argument);
        }
        return false;
    }
    unsigned long long value = PyLong_AsUnsignedLongLong(number);
    Py_DECREF(number);
    bool overflow = value == (unsigned long long)-1 && PyErr_Occurred();
    if (overflow && !PyErr_ExceptionMatches(PyExc_OverflowError)) {
        return false;
    }
    if (overflow || value > largest) {
        PyErr_Clear();
        nio_raise_invalid(state, function,
                          "%s must be a number from 0 to %llu, not %R",
                          argument, (unsigned long long)largest, object);
        return false;
    }
    *ret_number = value;
    return true;
}

/* SPDX-License-Identifier: MIT */
/* Finds the state of a module, or of the module of an object's type. */
#include "binding/state.h"

nio_state *
nio_state_of_module(PyObject *module)
{
    return PyModule_GetState(module);
}

nio_state *
nio_state_of(PyObject *self)
{
    return PyType_GetModuleState(Py_TYPE(self));
}

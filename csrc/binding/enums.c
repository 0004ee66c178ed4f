/* SPDX-License-Identifier: MIT */
/* Numbers of the system to members of the classes of enums.py, which the
 * package hands over at import (_use). A member is asked for with every
 * change, so those of small numbers lie in arrays. Called with the GIL. */
#include "binding/fields.h"

#include <string.h>

const char *
nio_enum_name(nio_enum which)
{
#define NAME(name) [NIO_ENUM_##name] = #name,
    static const char *const names[NIO_ENUM_COUNT] = {NIO_ENUMS(NAME)};
#undef NAME
    return names[which];
}

PyObject *
nio_enum_new(nio_state *state, nio_enum which, long number)
{
    if (number >= 0 && number < NIO_ENUM_SMALL &&
        state->members[which].small[number] != NULL) {
        return Py_NewRef(state->members[which].small[number]);
    }
    PyObject *value = PyLong_FromLong(number);
    PyObject *members = state->members[which].all;
    if (value == NULL || members == NULL) {
        return value;
    }
    PyObject *member = PyDict_GetItemWithError(members, value);
    if (member != NULL) {
        nio_replace(&value, Py_NewRef(member));
    } else if (PyErr_Occurred()) {
        Py_CLEAR(value);
    }
    return value;
}

/* {number: member} of an enum class. */
static PyObject *
members_new(PyObject *type)
{
    PyObject *members = PyDict_New(), *member = NULL;
    PyObject *iterator = members != NULL ? PyObject_GetIter(type) : NULL;
    bool good = iterator != NULL;
    while (good && (member = PyIter_Next(iterator)) != NULL) {
        PyObject *number = PyNumber_Long(member);
        good = number != NULL && PyDict_SetItem(members, number, member) == 0;
        Py_XDECREF(number);
        Py_DECREF(member);
    }
    Py_XDECREF(iterator);
    if (PyErr_Occurred()) {
        Py_CLEAR(members);
    }
    return members;
}

void
nio_enums_clear(nio_state *state)
{
    memset(state->members, 0, sizeof(state->members));
    Py_CLEAR(state->enums);
}

/* Takes over `enums`; false with an exception set. */
static bool
enums_keep(nio_state *state, PyObject *enums)
{
    nio_enums_clear(state);
    state->enums = enums;
    for (int which = NIO_ENUM_NULL + 1; which < NIO_ENUM_COUNT; which++) {
        PyObject *name = PyUnicode_FromString(nio_enum_name((nio_enum)which));
        PyObject *all =
            name == NULL ? NULL : PyDict_GetItemWithError(enums, name);
        Py_XDECREF(name);
        state->members[which].all = all;
        for (long i = 0; all != NULL && i < NIO_ENUM_SMALL; i++) {
            PyObject *number = PyLong_FromLong(i);
            if (number == NULL) {
                return false;
            }
            state->members[which].small[i] =
                PyDict_GetItemWithError(all, number);
            Py_DECREF(number);
        }
        if (PyErr_Occurred()) {
            return false;
        }
    }
    return true;
}

PyDoc_STRVAR(
    use_doc,
    "_use($module, enums, hint_type, /)\n--\n\n"
    "Takes the classes that values are made of: {name: IntEnum class}, and\n"
    "NetworkConnectivityHint. Called once by the package at import.");

static PyObject *
use(PyObject *module, PyObject *args)
{
    nio_state *state = nio_state_of_module(module);
    PyObject *types, *hint_type, *name, *type;
    Py_ssize_t position = 0;
    if (!PyArg_ParseTuple(args, "O!O:_use", &PyDict_Type, &types,
                          &hint_type)) {
        return NULL;
    }
    PyObject *enums = PyDict_New();
    while (enums != NULL && PyDict_Next(types, &position, &name, &type)) {
        PyObject *members = members_new(type);
        if (members == NULL || PyDict_SetItem(enums, name, members) < 0) {
            Py_CLEAR(enums);
        }
        Py_XDECREF(members);
    }
    if (enums == NULL || !enums_keep(state, enums)) {
        return NULL;
    }
    nio_replace(&state->hint_type, Py_NewRef(hint_type));
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"_use", use, METH_VARARGS, use_doc},
    {NULL, NULL, 0, NULL},
};

int
nio_enums_init(PyObject *module, nio_state *Py_UNUSED(state))
{
    return PyModule_AddFunctions(module, functions);
}

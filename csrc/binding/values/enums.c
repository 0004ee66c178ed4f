/* SPDX-License-Identifier: MIT */
/* Converts numbers of the system to members of the classes of enums.py, with
 * the dicts that the package registers at import. Every change needs a member,
 * so members with small numbers are in arrays, too. Any thread reads dicts and
 * arrays without a lock: a registered dict is never changed, and it stays
 * until the module is cleared, even when another one is registered. */
#include "binding/values/enums.h"

/* Members with a number below this are found without a dict. */
enum { SMALL = 20 };

typedef struct nio_enums {
    struct nio_enums *replaced;    /* kept: a thread may still read it */
    PyObject *hint_type;           /* NetworkConnectivityHint */
    PyObject *all[NIO_ENUM_COUNT]; /* {0: member, ...}; NULL: none */
    PyObject *by_number[NIO_ENUM_COUNT][SMALL]; /* borrowed from `all` */
} nio_enums;

static const nio_enums *
enums_of(const nio_state *state)
{
    return (const nio_enums *)(uintptr_t)nio_atomic_load(&state->enums);
}

const char *
nio_enum_name(nio_enum which)
{
#define NAME(name) [NIO_ENUM_##name] = #name,
    static const char *const names[NIO_ENUM_COUNT] = {NIO_ENUMS(NAME)};
#undef NAME
    return names[which];
}

PyObject *
nio_enum_members(nio_state *state, nio_enum which)
{
    const nio_enums *enums = enums_of(state);
    return enums != NULL ? enums->all[which] : NULL;
}

PyObject *
nio_hint_type(nio_state *state)
{
    const nio_enums *enums = enums_of(state);
    return enums != NULL ? enums->hint_type : NULL;
}

PyObject *
nio_enum_new(nio_state *state, nio_enum which, long number)
{
    const nio_enums *enums = enums_of(state);
    if (enums != NULL && number >= 0 && number < SMALL &&
        enums->by_number[which][number] != NULL) {
        return Py_NewRef(enums->by_number[which][number]);
    }
    PyObject *value = PyLong_FromLong(number);
    PyObject *members = enums != NULL ? enums->all[which] : NULL;
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

/* Accepts NULL. */
static void
enums_free(nio_enums *enums)
{
    while (enums != NULL) {
        nio_enums *replaced = enums->replaced;
        for (int which = 0; which < NIO_ENUM_COUNT; which++) {
            Py_XDECREF(enums->all[which]);
        }
        Py_XDECREF(enums->hint_type);
        PyMem_Free(enums);
        enums = replaced;
    }
}

int
nio_enums_traverse(nio_state *state, visitproc visit, void *arg)
{
    const nio_enums *enums = enums_of(state);
    for (; enums != NULL; enums = enums->replaced) {
        for (int which = 0; which < NIO_ENUM_COUNT; which++) {
            Py_VISIT(enums->all[which]);
        }
        Py_VISIT(enums->hint_type);
    }
    return 0;
}

void
nio_enums_clear(nio_state *state)
{
    enums_free((nio_enums *)(uintptr_t)nio_atomic_exchange(&state->enums, 0));
}

/* Adds the members of one class; false with an exception set. */
static bool
enums_add(nio_enums *enums, int which, PyObject *all)
{
    if (!PyDict_Check(all)) {
        PyErr_SetString(PyExc_TypeError, "members are a dict");
        return false;
    }
    enums->all[which] = Py_NewRef(all);
    for (long i = 0; i < SMALL; i++) {
        PyObject *number = PyLong_FromLong(i);
        if (number != NULL) {
            enums->by_number[which][i] = PyDict_GetItemWithError(all, number);
            Py_DECREF(number);
        }
    }
    return PyErr_Occurred() == NULL;
}

/* From {name of a class: members}; NULL with an exception. */
static nio_enums *
enums_new(PyObject *members, PyObject *hint_type)
{
    nio_enums *enums = PyMem_Calloc(1, sizeof(*enums));
    bool good = enums != NULL;
    if (!good) {
        PyErr_NoMemory();
        return NULL;
    }
    enums->hint_type = Py_NewRef(hint_type);
    for (int which = NIO_ENUM_NULL + 1; good && which < NIO_ENUM_COUNT;
         which++) {
        PyObject *name = PyUnicode_FromString(nio_enum_name((nio_enum)which));
        PyObject *all =
            name == NULL ? NULL : PyDict_GetItemWithError(members, name);
        good = all == NULL ? PyErr_Occurred() == NULL
                           : enums_add(enums, which, all);
        Py_XDECREF(name);
    }
    if (!good) {
        enums_free(enums);
        return NULL;
    }
    return enums;
}

PyDoc_STRVAR(
    register_enums_doc,
    "_register_enums($module, enums, hint_type, /)\n--\n\n"
    "Registers the enums: {name of an IntEnum: {number: member}}, whose "
    "inner\n"
    "dicts are never changed, and the class NetworkConnectivityHint. The\n"
    "package calls it once, at import.");

static PyObject *
register_enums(PyObject *module, PyObject *args)
{
    nio_state *state = nio_state_of_module(module);
    PyObject *members, *hint_type;
    uint64_t replaced;
    if (!PyArg_ParseTuple(args, "O!O:_register_enums", &PyDict_Type, &members,
                          &hint_type)) {
        return NULL;
    }
    nio_enums *enums = enums_new(members, hint_type);
    if (enums == NULL) {
        return NULL;
    }
    do {
        replaced = nio_atomic_load(&state->enums);
        enums->replaced = (nio_enums *)(uintptr_t)replaced;
    } while (!nio_atomic_replace(&state->enums, replaced,
                                 (uint64_t)(uintptr_t)enums));
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"_register_enums", register_enums, METH_VARARGS, register_enums_doc},
    {NULL, NULL, 0, NULL},
};

int
nio_enums_init(PyObject *module)
{
    return PyModule_AddFunctions(module, functions);
}

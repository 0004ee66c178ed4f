/* SPDX-License-Identifier: MIT */
/* An interface that a program names, as its index: see interface_from.h. */
#include "binding/values/interface_from.h"

#include "binding/errors.h"
#include "binding/values/number_from.h"
#include "binding/values/to_python.h"

#include <wchar.h>

bool
nio_name_is_possible(nio_state *state, PyObject *object, const wchar_t *name,
                     size_t length, const char *function)
{
    if (length > 0 && length <= IF_MAX_STRING_SIZE && wcslen(name) == length) {
        return true;
    }
    nio_raise_invalid(state, function, "no interface can be named %R", object);
    return false;
}

static bool
index_from_name(nio_state *state, PyObject *object, const char *function,
                NET_IFINDEX *ret_index)
{
    const nio_functions *system = nio_system();
    NETIO_STATUS status = ERROR_INVALID_PARAMETER;
    NET_LUID luid = {0};
    Py_ssize_t length = 0;
    wchar_t *name = PyUnicode_AsWideCharString(object, &length);
    if (name == NULL) {
        return false;
    }
    if (length > 0 && wcslen(name) == (size_t)length &&
        system->ConvertInterfaceAliasToLuid != NULL &&
        system->ConvertInterfaceLuidToIndex != NULL) {
        Py_BEGIN_ALLOW_THREADS
        status = system->ConvertInterfaceAliasToLuid(name, &luid);
        if (status == NO_ERROR) {
            status = system->ConvertInterfaceLuidToIndex(&luid, ret_index);
        }
        Py_END_ALLOW_THREADS
    }
    PyMem_Free(name);
    if (status != NO_ERROR) {
        nio_raise_invalid(state, function, "there is no interface named %R",
                          object);
        return false;
    }
    return true;
}

static bool
index_from_luid(const NET_LUID *luid, NET_IFINDEX *ret_index)
{
    const nio_functions *system = nio_system();
    return system->ConvertInterfaceLuidToIndex != NULL &&
           system->ConvertInterfaceLuidToIndex(luid, ret_index) == NO_ERROR;
}

bool
nio_interface_from(nio_state *state, PyObject *object, const char *function,
                   NET_IFINDEX *ret_index)
{
    uint64_t number = 0;
    NET_LUID luid = {0};
    if (PyUnicode_Check(object)) {
        return index_from_name(state, object, function, ret_index);
    }
    if (!PyIndex_Check(object)) {
        PyErr_Format(PyExc_TypeError,
                     "%s() takes an interface as an index (int) or a name "
                     "(str), not %R",
                     function, (PyObject *)Py_TYPE(object));
        return false;
    }
    if (!nio_number_from(state, object, function, "interface", UINT64_MAX,
                         &number)) {
        return false;
    }
    const bool is_luid = number > UINT32_MAX;
    if (is_luid) {
        luid.Value = number;
    }
    if (is_luid ? !index_from_luid(&luid, ret_index)
                : !nio_luid_of_index((NET_IFINDEX)number, &luid)) {
        nio_raise_invalid(
            state, function, "there is no interface with the %s %llu",
            is_luid ? "LUID" : "index", (unsigned long long)number);
        return false;
    }
    *ret_index = is_luid ? *ret_index : (NET_IFINDEX)number;
    return true;
}

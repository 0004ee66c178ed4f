/* SPDX-License-Identifier: MIT */
/* Converts addresses, interface names and hints of the system to Python's
 * values.
 *
 * ConvertInterfaceLuidToAlias is called with the GIL: the kernel answers from
 * memory, and in a busy program each release could cost a switch interval.
 * ConvertInterfaceIndexToLuid asks the kernel for links, which can wait, so
 * the GIL is released around it. */
#include "binding/values/to_python.h"

#include "binding/values/enums.h"

#include <string.h>

PyObject *
nio_ip_type(nio_state *state, nio_ip_kind which)
{
    static const char *const names[] = {"IPv4Address", "IPv6Address",
                                        "IPv4Network", "IPv6Network"};
    PyObject *type = nio_once_get(&state->ip_types[which]);
    if (type == NULL) {
        PyObject *module = PyImport_ImportModule("ipaddress");
        if (module == NULL) {
            return NULL;
        }
        type = nio_once_put(&state->ip_types[which],
                            PyObject_GetAttrString(module, names[which]));
        Py_DECREF(module);
    }
    return type;
}

static unsigned long
ipv4_number(const uint8_t *bytes)
{
    return ((unsigned long)bytes[0] << 24) | ((unsigned long)bytes[1] << 16) |
           ((unsigned long)bytes[2] << 8) | bytes[3];
}

/* The format "y#" of Py_BuildValue() is used nowhere: the headers of 3.13
 * ignore PY_SSIZE_T_CLEAN, so that a wheel built with them calls functions
 * that refuse "#" in Python 3.12 and earlier. */
static PyObject *
packed_new(const uint8_t bytes[16])
{
    return PyBytes_FromStringAndSize((const char *)bytes, 16);
}

PyObject *
nio_raw_address_new(nio_state *state, ADDRESS_FAMILY family,
                    const uint8_t *bytes)
{
    bool ipv6 = family == AF_INET6;
    if (!ipv6 && family != AF_INET) {
        Py_RETURN_NONE;
    }
    PyObject *type =
        nio_ip_type(state, ipv6 ? NIO_IPV6_ADDRESS : NIO_IPV4_ADDRESS);
    if (type == NULL) {
        return NULL;
    }
    if (ipv6) {
        return PyObject_CallFunction(type, "N", packed_new(bytes));
    }
    return PyObject_CallFunction(type, "k", ipv4_number(bytes));
}

/* The bytes of an address, in network order. Borrowed. */
static const uint8_t *
address_bytes(const SOCKADDR_INET *address)
{
    return address->si_family == AF_INET6
               ? (const uint8_t *)&address->Ipv6.sin6_addr
               : (const uint8_t *)&address->Ipv4.sin_addr;
}

PyObject *
nio_address_new(nio_state *state, const SOCKADDR_INET *address)
{
    return nio_raw_address_new(state, address->si_family,
                               address_bytes(address));
}

PyObject *
nio_prefix_new(nio_state *state, const IP_ADDRESS_PREFIX *prefix)
{
    bool ipv6 = prefix->Prefix.si_family == AF_INET6;
    if ((!ipv6 && prefix->Prefix.si_family != AF_INET) ||
        prefix->PrefixLength > (ipv6 ? 128 : 32)) {
        Py_RETURN_NONE;
    }
    PyObject *type =
        nio_ip_type(state, ipv6 ? NIO_IPV6_NETWORK : NIO_IPV4_NETWORK);
    if (type == NULL) {
        return NULL;
    }
    /* ipaddress refuses host bits, but a row may contain some. */
    uint8_t bytes[16] = {0};
    int length = prefix->PrefixLength;
    memcpy(bytes, address_bytes(&prefix->Prefix), ipv6 ? 16 : 4);
    for (int bit = length; bit < 128; bit++) {
        bytes[bit / 8] = (uint8_t)(bytes[bit / 8] & ~(0x80u >> (bit % 8)));
    }
    if (ipv6) {
        return PyObject_CallFunction(type, "((Ni))", packed_new(bytes),
                                     length);
    }
    return PyObject_CallFunction(type, "((ki))", ipv4_number(bytes), length);
}

PyObject *
nio_hint_new(nio_state *state, const NL_NETWORK_CONNECTIVITY_HINT *hint)
{
    PyObject *level = NULL, *cost = NULL, *result = NULL;
    PyObject *type = nio_hint_type(state);
    if (type == NULL) {
        PyErr_SetString(PyExc_RuntimeError,
                        "import netioapi, not netioapi._native");
        return NULL;
    }
    level = nio_enum_new(state, NIO_ENUM_ConnectivityLevel,
                         hint->ConnectivityLevel);
    if (level != NULL) {
        cost = nio_enum_new(state, NIO_ENUM_ConnectivityCost,
                            hint->ConnectivityCost);
    }
    if (cost != NULL) {
        result = PyObject_CallFunctionObjArgs(
            type, level, cost, hint->ApproachingDataLimit ? Py_True : Py_False,
            hint->OverDataLimit ? Py_True : Py_False,
            hint->Roaming ? Py_True : Py_False, NULL);
    }
    Py_XDECREF(level);
    Py_XDECREF(cost);
    return result;
}

bool
nio_luid_of_index(NET_IFINDEX index, NET_LUID *ret_luid)
{
    const nio_functions *system = nio_system();
    NETIO_STATUS status;
    if (index == 0 || system->ConvertInterfaceIndexToLuid == NULL) {
        return false;
    }
    Py_BEGIN_ALLOW_THREADS
    status = system->ConvertInterfaceIndexToLuid(index, ret_luid);
    Py_END_ALLOW_THREADS
    return status == NO_ERROR;
}

PyObject *
nio_interface_name_new(nio_state *Py_UNUSED(state), NET_LUID luid,
                       NET_IFINDEX index)
{
    const nio_functions *system = nio_system();
    WCHAR name[IF_MAX_STRING_SIZE + 1] = {0};
    if (system->ConvertInterfaceLuidToAlias == NULL) {
        Py_RETURN_NONE;
    }
    if (luid.Value == 0 && !nio_luid_of_index(index, &luid)) {
        Py_RETURN_NONE;
    }
    if (system->ConvertInterfaceLuidToAlias(
            &luid, name, IF_MAX_STRING_SIZE + 1) != NO_ERROR) {
        Py_RETURN_NONE;
    }
    name[IF_MAX_STRING_SIZE] = 0;
    return PyUnicode_FromWideChar(name, -1);
}

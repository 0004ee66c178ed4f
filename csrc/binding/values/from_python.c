/* SPDX-License-Identifier: MIT */
/* What a program passes in, as the native values: families, seconds, addresses
 * and prefixes; numbers and interfaces have files of their own. The ipaddress
 * module parses the text of an address; its bytes are copied. */
#include "binding/values/from_python.h"

#include "base/event.h"
#include "binding/errors.h"
#include "binding/values/interface_from.h"
#include "binding/values/to_python.h"

#include <math.h>
#include <string.h>

/* ---- families and times */
bool
nio_family_from(nio_state *state, PyObject *object, const char *function,
                ADDRESS_FAMILY *ret_family)
{
    int overflow = 0;
    PyObject *number = PyNumber_Index(object);
    if (number == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError)) {
            PyErr_Clear();
            PyErr_Format(PyExc_TypeError,
                         "%s() argument 'family' must be AF_UNSPEC, AF_INET "
                         "or AF_INET6 of the socket module, not %R",
                         function, (PyObject *)Py_TYPE(object));
        }
        return false;
    }
    long family = PyLong_AsLongAndOverflow(number, &overflow);
    Py_DECREF(number);
    if (family == -1 && overflow == 0 && PyErr_Occurred()) {
        return false;
    }
    if (overflow != 0 ||
        (family != AF_UNSPEC && family != AF_INET && family != AF_INET6)) {
        nio_raise_invalid(state, function,
                          "family must be AF_UNSPEC, AF_INET or AF_INET6 of "
                          "the socket module, not %R",
                          object);
        return false;
    }
    *ret_family = (ADDRESS_FAMILY)family;
    return true;
}

/* Is a number above 0? It has no double, and may have no order either. */
static bool
is_positive(PyObject *object)
{
    PyObject *zero = PyLong_FromLong(0), *number = PyNumber_Index(object);
    int positive = zero == NULL
                       ? -1
                       : PyObject_RichCompareBool(
                             number != NULL ? number : object, zero, Py_GT);
    Py_XDECREF(zero);
    Py_XDECREF(number);
    PyErr_Clear();
    return positive > 0;
}

/* From a number of at least 0, infinity included. A number that is too large
 * for a double is infinite, too. */
static bool
seconds_from(PyObject *object, const char *name, double *ret_seconds)
{
    double seconds = PyFloat_AsDouble(object);
    PyObject *error = PyExc_ValueError;
    if (seconds == -1.0 && PyErr_Occurred()) {
        if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
            PyErr_Clear();
            seconds = is_positive(object) ? HUGE_VAL : -HUGE_VAL;
        } else if (PyErr_ExceptionMatches(PyExc_TypeError)) {
            error = PyExc_TypeError;
        } else {
            return false;
        }
    }
    if (error == PyExc_ValueError && seconds >= 0) { /* not NaN */
        *ret_seconds = seconds;
        return true;
    }
    PyErr_Format(error, "%s must be a number of seconds, at least 0, not %R",
                 name, object);
    return false;
}

bool
nio_timeout_from(PyObject *object, uint64_t *ret_timeout_ns)
{
    double seconds = 0;

    *ret_timeout_ns = NIO_FOREVER;
    if (object == Py_None) {
        return true;
    }
    if (!seconds_from(object, "timeout", &seconds)) {
        return false;
    }
    if (seconds < 1e9) {
        *ret_timeout_ns = (uint64_t)ceil(seconds * 1e9);
    }
    return true;
}

static PyObject *
seconds_of(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *object = NULL;
    const char *name = NULL;
    double seconds = 0;
    if (!PyArg_ParseTuple(args, "Os:_seconds_from", &object, &name) ||
        !seconds_from(object, name, &seconds)) {
        return NULL;
    }
    return PyFloat_FromDouble(seconds);
}

/* ---- addresses */
/* Parses text to an object of ipaddress: a new reference, or NULL with an
 * exception, which is InvalidParameterError for an invalid text. */
static PyObject *
parse(nio_state *state, PyObject *text, const char *function, bool network)
{
    Py_ssize_t length = PyUnicode_GetLength(text);
    Py_ssize_t colon = PyUnicode_FindChar(text, ':', 0, length, 1);
    if (colon == -2) {
        return NULL;
    }
    nio_ip_kind which = colon >= 0 ? NIO_IPV6_ADDRESS : NIO_IPV4_ADDRESS;
    if (network) {
        which = colon >= 0 ? NIO_IPV6_NETWORK : NIO_IPV4_NETWORK;
    }
    PyObject *type = nio_ip_type(state, which);
    if (type == NULL) {
        return NULL;
    }
    PyObject *object = PyObject_CallFunctionObjArgs(type, text, NULL);
    if (object == NULL && PyErr_ExceptionMatches(PyExc_ValueError)) {
        PyErr_Clear();
        nio_raise_invalid(state, function, "%R is not an IP %s%s", text,
                          network ? "prefix" : "address",
                          network ? " (host bits must be 0)" : "");
    }
    return object;
}

/* 1: it is an object of ipaddress, 0: it is not, -1: an exception. */
static int
is_ip(nio_state *state, PyObject *object, nio_ip_kind ipv4, nio_ip_kind ipv6)
{
    PyObject *type4 = nio_ip_type(state, ipv4);
    PyObject *type6 = nio_ip_type(state, ipv6);
    if (type4 == NULL || type6 == NULL) {
        return -1;
    }
    int is = PyObject_IsInstance(object, type4);
    return is != 0 ? is : PyObject_IsInstance(object, type6);
}

/* From packed bytes; false, without an exception, unless there are 4 or 16. */
static bool
from_packed(PyObject *packed, SOCKADDR_INET *ret_address)
{
    char *data = NULL;
    Py_ssize_t size = 0;
    if (PyBytes_AsStringAndSize(packed, &data, &size) < 0) {
        PyErr_Clear();
        return false;
    }
    memset(ret_address, 0, sizeof(*ret_address));
    if (size == 4) {
        ret_address->si_family = AF_INET;
        memcpy(&ret_address->Ipv4.sin_addr, data, 4);
    } else if (size == 16) {
        ret_address->si_family = AF_INET6;
        memcpy(&ret_address->Ipv6.sin6_addr, data, 16);
    }
    return size == 4 || size == 16;
}

/* Sets the scope id from the zone of an IPv6Address ("fe80::1%eth0" or "%2").
 */
static bool
scope_from(nio_state *state, PyObject *address, const char *function,
           SOCKADDR_INET *ret_address)
{
    NET_IFINDEX index = 0;
    PyObject *zone = PyObject_GetAttrString(address, "scope_id");
    if (zone == NULL) {
        return false;
    }
    if (zone == Py_None) {
        Py_DECREF(zone);
        return true;
    }
    PyObject *number = PyNumber_Long(zone);
    if (number == NULL && !PyErr_ExceptionMatches(PyExc_ValueError)) {
        Py_DECREF(zone);
        return false;
    }
    PyErr_Clear(); /* not digits: a name */
    bool found = nio_interface_from(state, number != NULL ? number : zone,
                                    function, &index);
    Py_XDECREF(number);
    Py_DECREF(zone);
    if (found) {
        ret_address->Ipv6.sin6_scope_id = index;
    }
    return found;
}

/* From an object of ipaddress.IPv4Address or IPv6Address. */
static bool
from_object(nio_state *state, PyObject *object, const char *function,
            SOCKADDR_INET *ret_address)
{
    PyObject *packed = PyObject_GetAttrString(object, "packed");
    if (packed == NULL) {
        return false;
    }
    bool good = from_packed(packed, ret_address);
    Py_DECREF(packed);
    if (!good) {
        nio_raise_invalid(state, function, "%R has no 4 or 16 packed bytes",
                          object);
        return false;
    }
    return ret_address->si_family != AF_INET6 ||
           scope_from(state, object, function, ret_address);
}

bool
nio_address_from(nio_state *state, PyObject *object, const char *function,
                 SOCKADDR_INET *ret_address)
{
    if (PyBytes_Check(object)) {
        if (from_packed(object, ret_address)) {
            return true;
        }
        nio_raise_invalid(state, function,
                          "a packed address has 4 or 16 bytes, not %zd",
                          PyBytes_Size(object));
        return false;
    }
    PyObject *address = NULL;
    if (PyUnicode_Check(object)) {
        address = parse(state, object, function, false);
    } else {
        int is = is_ip(state, object, NIO_IPV4_ADDRESS, NIO_IPV6_ADDRESS);
        if (is == 0) {
            PyErr_Format(PyExc_TypeError,
                         "%s() takes an address as an ipaddress object, a "
                         "str or packed bytes, not %R",
                         function, (PyObject *)Py_TYPE(object));
        }
        address = is == 1 ? Py_NewRef(object) : NULL;
    }
    if (address == NULL) {
        return false;
    }
    bool good = from_object(state, address, function, ret_address);
    Py_DECREF(address);
    return good;
}

bool
nio_prefix_from(nio_state *state, PyObject *object, const char *function,
                IP_ADDRESS_PREFIX *ret_prefix)
{
    PyObject *network = NULL, *address = NULL, *length = NULL;
    bool good = false;
    if (PyUnicode_Check(object)) {
        network = parse(state, object, function, true);
    } else {
        int is = is_ip(state, object, NIO_IPV4_NETWORK, NIO_IPV6_NETWORK);
        if (is == 0) {
            PyErr_Format(PyExc_TypeError,
                         "%s() takes a prefix as an ipaddress network or a "
                         "str, not %R",
                         function, (PyObject *)Py_TYPE(object));
        }
        network = is == 1 ? Py_NewRef(object) : NULL;
    }
    if (network == NULL) {
        return false;
    }
    memset(ret_prefix, 0, sizeof(*ret_prefix));
    address = PyObject_GetAttrString(network, "network_address");
    if (address != NULL) {
        length = PyObject_GetAttrString(network, "prefixlen");
    }
    uint64_t bits = 0;
    if (length != NULL &&
        from_object(state, address, function, &ret_prefix->Prefix) &&
        nio_number_from(state, length, function, "prefix length", 128,
                        &bits)) {
        ret_prefix->PrefixLength = (UINT8)bits;
        good = true;
    }
    Py_DECREF(network);
    Py_XDECREF(address);
    Py_XDECREF(length);
    return good;
}

static PyMethodDef functions[] = {
    {"_seconds_from", seconds_of, METH_VARARGS,
     PyDoc_STR("_seconds_from($module, value, name, /)\n--\n\n"
               "A number of seconds, at least 0, as a float. ValueError or "
               "TypeError names it.")},
    {NULL, NULL, 0, NULL},
};

int
nio_from_python_init(PyObject *module)
{
    return PyModule_AddFunctions(module, functions);
}

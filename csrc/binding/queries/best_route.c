/* SPDX-License-Identifier: MIT */
/* The function get_best_route2(). The GIL is released around the call of the
 * system. */
#include "binding/queries/best_route.h"

#include "base/extra.h"
#include "binding/errors.h"
#include "binding/functions.h"
#include "binding/rows/row.h"
#include "binding/values/from_python.h"
#include "binding/values/to_python.h"

PyDoc_STRVAR(
    get_best_route2_doc,
    "get_best_route2($module, /, destination, *, source=None, "
    "interface_index=0)\n--\n\n"
    "The route that a packet to `destination` would take now.\n\n"
    "destination: an ipaddress address, a str or packed bytes.\n"
    "source: the source address of the packet; None (the default): the\n"
    "system's choice.\n"
    "interface_index: the interface that the packet leaves by; 0 (the\n"
    "default): any.\n"
    "Returns: (IpForwardRow, source address), the address as an ipaddress\n"
    "object, or None where the system reports none.\n"
    "Raises: NetioError with code 1231 (ERROR_NETWORK_UNREACHABLE) where\n"
    "there is no route, 1232 (ERROR_HOST_UNREACHABLE) where a route forbids\n"
    "the destination; InvalidParameterError, TypeError.\n"
    "Source: GetBestRoute2; RTM_GETROUTE.");

static PyObject *
get_best_route2(PyObject *module, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"destination", "source", "interface_index", NULL};
    static const char function[] = "GetBestRoute2";
    nio_state *state = nio_state_of_module(module);
    PyObject *to = NULL, *from = Py_None, *index = NULL;
    SOCKADDR_INET destination, source, best_source = {0};
    MIB_IPFORWARD_ROW2 row = {0};
    uint64_t interface = 0;
    NETIO_STATUS status;

    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O|$OO:get_best_route2",
                                     names, &to, &from, &index) ||
        !nio_address_from(state, to, function, &destination) ||
        (from != Py_None &&
         !nio_address_from(state, from, function, &source)) ||
        (index != NULL &&
         !nio_number_from(state, index, function, "interface_index",
                          UINT32_MAX, &interface))) {
        return NULL;
    }
    if (from != Py_None && source.si_family != destination.si_family) {
        return nio_raise_invalid(state, function,
                                 "source and destination are not of the same "
                                 "address family");
    }
    if (!nio_is_supported(function)) {
        return nio_raise_missing(state, function);
    }
    Py_BEGIN_ALLOW_THREADS
    status = nio_system()->GetBestRoute2(NULL, (NET_IFINDEX)interface,
                                         from == Py_None ? NULL : &source,
                                         &destination, 0, &row, &best_source);
    Py_END_ALLOW_THREADS
    if (status != NO_ERROR) {
        return nio_raise(state, status, function);
    }
    PyObject *route = nio_row_new(state, NIO_ROUTE, &row, NIO_ROW_WHOLE);
    nio_extra_drop(nio_extra_of(NIO_ROUTE, &row)); /* the route has its own */
    if (route == NULL) {
        return NULL;
    }
    return Py_BuildValue("(NN)", route, nio_address_new(state, &best_source));
}

static PyMethodDef methods[] = {
    {"get_best_route2", (PyCFunction)(void (*)(void))get_best_route2,
     METH_VARARGS | METH_KEYWORDS, get_best_route2_doc},
    {NULL, NULL, 0, NULL},
};

int
nio_best_route_init(PyObject *module)
{
    return PyModule_AddFunctions(module, methods);
}

/* SPDX-License-Identifier: MIT */
/* The questions with one answer: the best route, the Teredo port, the
 * connectivity hint. The GIL is released
 * around each call of the system. */
#include "binding/queries/best_route.h"

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
    "source: the address that the packet comes from; None (the default): the\n"
    "system's choice.\n"
    "interface_index: the interface to leave by; 0 (the default): any.\n"
    "Returns: (IpForwardRow, source address), the address as an ipaddress\n"
    "object, or None where the system names none.\n"
    "Raises: NetioError with code 1231 (ERROR_NETWORK_UNREACHABLE) without a\n"
    "route, 1232 (ERROR_HOST_UNREACHABLE) where one forbids it;\n"
    "InvalidParameterError, TypeError.\n"
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
    uint64_t leave_by = 0;
    NETIO_STATUS status;

    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O|$OO:get_best_route2",
                                     names, &to, &from, &index) ||
        !nio_address_from(state, to, function, &destination) ||
        (from != Py_None &&
         !nio_address_from(state, from, function, &source)) ||
        (index != NULL &&
         !nio_number_from(state, index, function, "interface_index",
                          UINT32_MAX, &leave_by))) {
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
    status = nio_system()->GetBestRoute2(NULL, (NET_IFINDEX)leave_by,
                                         from == Py_None ? NULL : &source,
                                         &destination, 0, &row, &best_source);
    Py_END_ALLOW_THREADS
    if (status != NO_ERROR) {
        return nio_raise(state, status, function);
    }
    PyObject *route = nio_row_new(state, NIO_ROUTE, &row, true);
    if (route == NULL) {
        return NULL;
    }
    return Py_BuildValue("(NN)", route, nio_address_new(state, &best_source));
}

PyDoc_STRVAR(
    get_teredo_port_doc,
    "get_teredo_port($module, /)\n--\n\n"
    "The UDP port that the Teredo client of this machine is reached by.\n\n"
    "Returns: a port number, or 0 where there is no Teredo address.\n"
    "Raises: NetioError.\n"
    "Source: GetTeredoPort; RTM_GETADDR, a 2001::/32 address holds the port.");

static PyObject *
get_teredo_port(PyObject *module, PyObject *Py_UNUSED(unused))
{
    nio_state *state = nio_state_of_module(module);
    USHORT port = 0;
    NETIO_STATUS status;
    if (!nio_is_supported("GetTeredoPort")) {
        return nio_raise_missing(state, "GetTeredoPort");
    }
    Py_BEGIN_ALLOW_THREADS
    status = nio_system()->GetTeredoPort(&port);
    Py_END_ALLOW_THREADS
    if (status == ERROR_NOT_FOUND || status == ERROR_NOT_READY) {
        port = MIB_INVALID_TEREDO_PORT_NUMBER; /* no Teredo client runs */
    } else if (status != NO_ERROR) {
        return nio_raise(state, status, "GetTeredoPort");
    }
    return PyLong_FromLong(port);
}

PyDoc_STRVAR(
    get_network_connectivity_hint_doc,
    "get_network_connectivity_hint($module, /)\n--\n\n"
    "How far this machine reaches now, and at what cost.\n\n"
    "Returns: a NetworkConnectivityHint. On Linux it is drawn from running\n"
    "interfaces, addresses and default routes; nothing is sent.\n"
    "Raises: NetioError; code 127 where this system lacks the function.\n"
    "Source: GetNetworkConnectivityHint; RTM_GETLINK, RTM_GETADDR,\n"
    "RTM_GETROUTE.");

static PyObject *
get_network_connectivity_hint(PyObject *module, PyObject *Py_UNUSED(unused))
{
    nio_state *state = nio_state_of_module(module);
    NL_NETWORK_CONNECTIVITY_HINT hint = {0};
    NETIO_STATUS status;
    if (!nio_is_supported("GetNetworkConnectivityHint")) {
        return nio_raise_missing(state, "GetNetworkConnectivityHint");
    }
    Py_BEGIN_ALLOW_THREADS
    status = nio_system()->GetNetworkConnectivityHint(&hint);
    Py_END_ALLOW_THREADS
    if (status != NO_ERROR) {
        return nio_raise(state, status, "GetNetworkConnectivityHint");
    }
    return nio_hint_new(state, &hint);
}

static PyMethodDef functions[] = {
    {"get_best_route2", (PyCFunction)(void (*)(void))get_best_route2,
     METH_VARARGS | METH_KEYWORDS, get_best_route2_doc},
    {"get_teredo_port", get_teredo_port, METH_NOARGS, get_teredo_port_doc},
    {"get_network_connectivity_hint", get_network_connectivity_hint,
     METH_NOARGS, get_network_connectivity_hint_doc},
    {NULL, NULL, 0, NULL},
};

int
nio_best_route_init(PyObject *module)
{
    return PyModule_AddFunctions(module, functions);
}

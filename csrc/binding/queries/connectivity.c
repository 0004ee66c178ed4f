/* SPDX-License-Identifier: MIT */
/* What the system derives from its tables: the Teredo port and the
 * connectivity hint. The GIL is released around each call of the system. */
#include "binding/queries/connectivity.h"

#include "binding/errors.h"
#include "binding/functions.h"
#include "binding/queries/limited.h"
#include "binding/values/to_python.h"

PyDoc_STRVAR(
    get_teredo_port_doc,
    "get_teredo_port($module, /)\n--\n\n"
    "The UDP port of this machine's Teredo client.\n\n"
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
    "How far this machine's connectivity reaches now, and at what cost.\n\n"
    "Returns: a NetworkConnectivityHint. On Linux it is derived from the\n"
    "interfaces that are up, their addresses and the default routes; no\n"
    "packet is sent.\n"
    "Raises: NetioError; code 127 where this system lacks the function, 1460\n"
    "(ERROR_TIMEOUT) where the routes change faster than they can be read\n"
    "in 10 seconds.\n"
    "Source: GetNetworkConnectivityHint; RTM_GETLINK, RTM_GETADDR,\n"
    "RTM_GETROUTE.");

static PyObject *
get_network_connectivity_hint(PyObject *module, PyObject *Py_UNUSED(unused))
{
    nio_state *state = nio_state_of_module(module);
    NL_NETWORK_CONNECTIVITY_HINT hint = {0};
    nio_limited limited;
    if (!nio_is_supported("GetNetworkConnectivityHint")) {
        return nio_raise_missing(state, "GetNetworkConnectivityHint");
    }
    nio_limited_begin(&limited, NIO_READ_TIMEOUT_NS);
    NETIO_STATUS status = nio_get_connectivity_hint(&hint, &limited.limit);
    nio_limited_end(&limited);
    if (status != NO_ERROR) {
        return nio_limited_raise(state, status, "GetNetworkConnectivityHint");
    }
    return nio_hint_new(state, &hint);
}

static PyMethodDef methods[] = {
    {"get_teredo_port", get_teredo_port, METH_NOARGS, get_teredo_port_doc},
    {"get_network_connectivity_hint", get_network_connectivity_hint,
     METH_NOARGS, get_network_connectivity_hint_doc},
    {NULL, NULL, 0, NULL},
};

int
nio_connectivity_init(PyObject *module)
{
    return PyModule_AddFunctions(module, methods);
}

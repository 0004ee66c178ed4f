/* SPDX-License-Identifier: MIT */
/* The constructors of the row types. A row that a program creates is a key for
 * Get*Entry: it has the key members only. */
#include "binding/rows/row_key.h"

#include "binding/errors.h"
#include "binding/rows/row.h"
#include "binding/values/from_python.h"

typedef struct interface_key {
    uint64_t index;
    uint64_t luid;
} interface_key;

static bool
interface_key_from(nio_state *state, const char *function, PyObject *index,
                   PyObject *luid, interface_key *ret_key)
{
    ret_key->index = 0;
    ret_key->luid = 0;
    return (index == NULL ||
            nio_number_from(state, index, function, "interface_index",
                            UINT32_MAX, &ret_key->index)) &&
           (luid == NULL ||
            nio_number_from(state, luid, function, "interface_luid",
                            UINT64_MAX, &ret_key->luid));
}

static PyObject *
route_new(nio_state *state, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"destination_prefix", "next_hop",
                            "interface_index", "interface_luid", NULL};
    PyObject *prefix = NULL, *next_hop = Py_None, *index = NULL, *luid = NULL;
    MIB_IPFORWARD_ROW2 row = {0};
    interface_key key;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O|O$OO:IpForwardRow",
                                     names, &prefix, &next_hop, &index,
                                     &luid) ||
        !nio_prefix_from(state, prefix, "IpForwardRow",
                         &row.DestinationPrefix) ||
        !interface_key_from(state, "IpForwardRow", index, luid, &key)) {
        return NULL;
    }
    row.NextHop.si_family = row.DestinationPrefix.Prefix.si_family;
    if (next_hop != Py_None &&
        !nio_address_from(state, next_hop, "IpForwardRow", &row.NextHop)) {
        return NULL;
    }
    row.InterfaceIndex = (NET_IFINDEX)key.index;
    row.InterfaceLuid.Value = key.luid;
    return nio_row_new(state, NIO_ROUTE, &row, NIO_ROW_MADE);
}

static PyObject *
address_new(nio_state *state, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"address", "interface_index", "interface_luid",
                            NULL};
    PyObject *address = NULL, *index = NULL, *luid = NULL;
    MIB_UNICASTIPADDRESS_ROW row = {0};
    interface_key key;
    if (!PyArg_ParseTupleAndKeywords(args, keywords,
                                     "O|$OO:UnicastIpAddressRow", names,
                                     &address, &index, &luid) ||
        !nio_address_from(state, address, "UnicastIpAddressRow",
                          &row.Address) ||
        !interface_key_from(state, "UnicastIpAddressRow", index, luid, &key)) {
        return NULL;
    }
    row.InterfaceIndex = (NET_IFINDEX)key.index;
    row.InterfaceLuid.Value = key.luid;
    return nio_row_new(state, NIO_ADDRESS, &row, NIO_ROW_MADE);
}

static PyObject *
interface_new(nio_state *state, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"family", "interface_index", "interface_luid",
                            NULL};
    PyObject *family = NULL, *index = NULL, *luid = NULL;
    MIB_IPINTERFACE_ROW row = {0};
    interface_key key;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O|$OO:IpInterfaceRow",
                                     names, &family, &index, &luid) ||
        !nio_family_from(state, family, "IpInterfaceRow", &row.Family) ||
        !interface_key_from(state, "IpInterfaceRow", index, luid, &key)) {
        return NULL;
    }
    if (row.Family == AF_UNSPEC) {
        return nio_raise_invalid(state, "IpInterfaceRow",
                                 "an interface has one row for AF_INET and "
                                 "one for AF_INET6: give one of them");
    }
    row.InterfaceIndex = (NET_IFINDEX)key.index;
    row.InterfaceLuid.Value = key.luid;
    return nio_row_new(state, NIO_INTERFACE, &row, NIO_ROW_MADE);
}

PyObject *
nio_row_construct(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    nio_state *state = PyType_GetModuleState(type);
    if (state == NULL) {
        return NULL;
    }
    if (type == state->row_types[NIO_ROUTE]) {
        return route_new(state, args, keywords);
    }
    if (type == state->row_types[NIO_ADDRESS]) {
        return address_new(state, args, keywords);
    }
    return interface_new(state, args, keywords);
}

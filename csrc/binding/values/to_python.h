/* SPDX-License-Identifier: MIT */
/* Converts addresses, interface names and hints of the system to Python's
 * values. With the GIL; each function returns a new reference, or NULL with an
 * exception. */
#pragma once

#include "binding/state.h"

/* Objects of ipaddress; None for a family other than AF_INET and AF_INET6. */
PyObject *nio_address_new(nio_state *state, const SOCKADDR_INET *address);
PyObject *nio_prefix_new(nio_state *state, const IP_ADDRESS_PREFIX *prefix);
PyObject *nio_raw_address_new(nio_state *state, ADDRESS_FAMILY family,
                              const uint8_t *bytes);
PyObject *nio_hint_new(nio_state *state,
                       const NL_NETWORK_CONNECTIVITY_HINT *hint);
/* The interface's name (Windows: its alias); None when it is unknown. */
PyObject *nio_interface_name_new(nio_state *state, NET_LUID luid,
                                 NET_IFINDEX index);

typedef enum nio_ip_kind {
    NIO_IPV4_ADDRESS,
    NIO_IPV6_ADDRESS,
    NIO_IPV4_NETWORK,
    NIO_IPV6_NETWORK
} nio_ip_kind;
/* Borrowed: a class of ipaddress, which is imported at first use; NULL with an
 * exception. */
PyObject *nio_ip_type(nio_state *state, nio_ip_kind which);

/* False when no interface has this index. Releases the GIL: on Linux the call
 * reads links, and waits for a process that changes them. */
bool nio_luid_of_index(NET_IFINDEX index, NET_LUID *ret_luid);

/* SPDX-License-Identifier: MIT */
/* The docstrings of notify.c. No other file includes this one. */
#pragma once

#include <Python.h>

#define CALLBACK_DOC                                                          \
    "The callback runs on a thread of the system, one call at a time and\n"   \
    "in order, possibly before this function has returned. An exception\n"    \
    "that it raises goes to on_error(exception), else to\n"                   \
    "sys.unraisablehook.\n\n"

#define FAMILY_DOC                                                            \
    "family: AF_UNSPEC (0, the default: both), AF_INET or AF_INET6 of the\n"  \
    "socket module.\n"

#define INITIAL_DOC                                                           \
    "initial_notification: True adds one call, of type INITIAL, which says\n" \
    "that the registration is live. It comes before all others and never "    \
    "on\n"                                                                    \
    "the calling thread, possibly before this function has returned.\n"

#define ON_ERROR_DOC                                                          \
    "on_error: called with each exception that the callback raises; None\n"   \
    "(the default): sys.unraisablehook.\n"

#define REGISTRATION_DOC                                                      \
    "Returns: a Registration. It stays live until it is cancelled, also\n"    \
    "without a reference to it.\n"

#define ROW_DOC(name, what, row)                                              \
    name                                                                      \
        "($module, /, callback, family=0, *, initial_notification=False,\n"   \
        "    on_error=None, details=True)\n--\n\n"                            \
        "Call callback(row, notification_type) for each change of " what      \
        ".\n\n"                                                               \
        "Every change after this function has returned is delivered. While\n" \
        "a callback runs, changes of one row can merge: on Windows at "       \
        "once,\n"                                                             \
        "on Linux beyond 100,000. The last that is delivered is true.\n"      \
        "" CALLBACK_DOC "callback: called with " row ", or None for "         \
        "INITIAL,\n"                                                          \
        "and with a NotificationType.\n" FAMILY_DOC INITIAL_DOC ON_ERROR_DOC  \
        "details: False leaves all members of a row None but those of its\n"  \
        "key.\n" REGISTRATION_DOC                                             \
        "Raises: InvalidParameterError for another family, NetioError when\n" \
        "the system refuses, TypeError.\n"

PyDoc_STRVAR(notify_ip_interface_change_doc,
             ROW_DOC("notify_ip_interface_change", "an IP interface",
                     "an IpInterfaceRow") "Source: NotifyIpInterfaceChange; "
                                          "Linux: RTM_NEWLINK and the like.");
PyDoc_STRVAR(
    notify_unicast_ip_address_change_doc,
    ROW_DOC("notify_unicast_ip_address_change", "an IP address",
            "a UnicastIpAddressRow") "Source: NotifyUnicastIpAddressChange; "
                                     "Linux: RTM_NEWADDR and the\nlike.");
PyDoc_STRVAR(
    notify_route_change2_doc,
    ROW_DOC("notify_route_change2", "an IP route",
            "an IpForwardRow") "Source: NotifyRouteChange2; Linux: "
                               "RTM_NEWROUTE and the like, and\n"
                               "the routes that the kernel removes without a "
                               "message.");
PyDoc_STRVAR(
    notify_teredo_port_change_doc,
    "notify_teredo_port_change($module, /, callback, *,\n"
    "    initial_notification=False, on_error=None)\n--\n\n"
    "Call callback(port, notification_type) when the Teredo port "
    "changes.\n\n" CALLBACK_DOC
    "callback: called with the UDP port, 0 for none, and with a\n"
    "NotificationType.\n" INITIAL_DOC ON_ERROR_DOC REGISTRATION_DOC
    "Raises: NetioError when the system refuses, TypeError.\n"
    "Source: NotifyTeredoPortChange; Linux: the port in a 2001::/32 address.");
PyDoc_STRVAR(
    notify_network_connectivity_hint_change_doc,
    "notify_network_connectivity_hint_change($module, /, callback, *,\n"
    "    initial_notification=False, on_error=None)\n--\n\n"
    "Call callback(hint) when the machine's connectivity "
    "changes.\n\n" CALLBACK_DOC
    "callback: called with a NetworkConnectivityHint.\n"
    "initial_notification: True adds one first call, with the present "
    "hint,\n"
    "never on the calling thread.\n" ON_ERROR_DOC REGISTRATION_DOC
    "Raises: NetioError when the system refuses, code 127 where it lacks the\n"
    "function; TypeError.\n"
    "Source: NotifyNetworkConnectivityHintChange (Windows 10 2004); Linux: "
    "derived\n"
    "from the interfaces that are up, their addresses and the default "
    "routes.");
PyDoc_STRVAR(
    notify_stable_unicast_ip_address_table_doc,
    "notify_stable_unicast_ip_address_table($module, /, callback, family=0, "
    "*,\n"
    "    on_error=None)\n--\n\n"
    "The table of addresses that can be used, once no address is in\n"
    "duplicate address detection any more.\n\n"
    "Returns (table, None) when it is stable already: the callback is never\n"
    "called. Else (None, registration): callback(table) is called once the\n"
    "table is stable, and again whenever it is stable and has other rows\n"
    "than before, until the registration is cancelled. It has other rows "
    "when\n"
    "an address has come or gone, or has another dad_state, prefix length or\n"
    "peer; not when lifetimes are renewed. On Linux a table has\n"
    "PREFERRED and DEPRECATED addresses only: no tentative one, no\n"
    "duplicate, and none that stays tentative for lack of a carrier. An\n"
    "optimistic address (IFA_F_OPTIMISTIC) can be used, and is "
    "PREFERRED.\n\n" CALLBACK_DOC "callback: called with a Table of "
    "UnicastIpAddressRow.\n" FAMILY_DOC ON_ERROR_DOC
    "Raises: InvalidParameterError for another family, NetioError when\n"
    "the system refuses, TypeError.\n"
    "Source: NotifyStableUnicastIpAddressTable; Linux: IFA_F_TENTATIVE.");
PyDoc_STRVAR(
    cancel_doc,
    "cancel_mib_change_notify2($module, registration, /)\n--\n\n"
    "The same as registration.cancel().\n\n"
    "registration: a Registration.\n"
    "Raises: InvalidParameterError for None, as NULL is invalid in C;\n"
    "TypeError; and what Registration.cancel() raises.\n"
    "Source: CancelMibChangeNotify2.");

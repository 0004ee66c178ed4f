/* SPDX-License-Identifier: MIT */
/* The docstrings of notify.c, which alone includes this. */
#pragma once

#include <Python.h>

#define CALLBACK_DOC                                                          \
    "Callbacks run on a thread of the system's, one at a time and in "        \
    "order,\n"                                                                \
    "also before this function has returned. What one raises goes to\n"       \
    "on_error(exception), else to sys.unraisablehook.\n\n"

#define ROW_DOC(name, what, row)                                              \
    name "($module, /, callback, family=0, *, initial_notification=False,\n"  \
         "    on_error=None, details=True)\n--\n\n"                           \
         "Call callback(row, notification_type) for each change of " what     \
         ".\n\n"                                                              \
         "Live on return: every later change is delivered. " CALLBACK_DOC     \
         "callback: called with " row ", or None for INITIAL,\n"              \
         "    and a NotificationType.\n"                                      \
         "family: AF_UNSPEC (both), AF_INET or AF_INET6 of the socket "       \
         "module.\n"                                                          \
         "initial_notification: one call of type INITIAL tells that it is "   \
         "live.\n"                                                            \
         "on_error: called with each exception of the callback.\n"            \
         "details: False leaves all but the key members of rows None.\n\n"    \
         "Raises InvalidParameterError for any other family, NetioError "     \
         "when the\n"                                                         \
         "system refuses.\n\n"

PyDoc_STRVAR(notify_ip_interface_change_doc,
             ROW_DOC("notify_ip_interface_change", "an IP interface",
                     "an IpInterfaceRow") "Source: NotifyIpInterfaceChange; "
                                          "Linux: RTM_NEWLINK and kin.");
PyDoc_STRVAR(
    notify_unicast_ip_address_change_doc,
    ROW_DOC("notify_unicast_ip_address_change", "an IP address",
            "a UnicastIpAddressRow") "Source: NotifyUnicastIpAddressChange; "
                                     "Linux: RTM_NEWADDR and "
                                     "kin.");
PyDoc_STRVAR(
    notify_route_change2_doc,
    ROW_DOC("notify_route_change2", "an IP route",
            "an IpForwardRow") "Source: NotifyRouteChange2; Linux: "
                               "RTM_NEWROUTE and kin, and\n"
                               "what the kernel deletes without a word.");
PyDoc_STRVAR(
    notify_teredo_port_change_doc,
    "notify_teredo_port_change($module, /, callback, *,\n"
    "    initial_notification=False, on_error=None)\n--\n\n"
    "Call callback(port, notification_type) when the Teredo port "
    "changes.\n\n" CALLBACK_DOC
    "callback: called with the UDP port, 0 for none, and a NotificationType.\n"
    "initial_notification: one call of type INITIAL tells that it is live.\n"
    "on_error: called with each exception of the callback.\n\n"
    "Source: NotifyTeredoPortChange; Linux: the port in a 2001::/32 address.");
PyDoc_STRVAR(
    notify_network_connectivity_hint_change_doc,
    "notify_network_connectivity_hint_change($module, /, callback, *,\n"
    "    initial_notification=False, on_error=None)\n--\n\n"
    "Call callback(hint) when the machine's connectivity "
    "changes.\n\n" CALLBACK_DOC
    "callback: called with a NetworkConnectivityHint.\n"
    "initial_notification: a first call tells the present hint.\n"
    "on_error: called with each exception of the callback.\n\n"
    "Source: NotifyNetworkConnectivityHintChange (Windows 10 2004); Linux: "
    "from\n"
    "running interfaces, addresses and default routes.");
PyDoc_STRVAR(
    notify_stable_unicast_ip_address_table_doc,
    "notify_stable_unicast_ip_address_table($module, /, callback, family=0, "
    "*,\n"
    "    on_error=None)\n--\n\n"
    "The table of addresses, once none of them is settling any more.\n\n"
    "Returns (table, None) when it is stable already: the callback is never\n"
    "called. Else (None, registration): callback(table) is called each time "
    "that\n"
    "the table becomes stable, until the registration is "
    "cancelled.\n\n" CALLBACK_DOC
    "callback: called with a Table of UnicastIpAddressRow.\n"
    "family: AF_UNSPEC (both), AF_INET or AF_INET6 of the socket module.\n"
    "on_error: called with each exception of the callback.\n\n"
    "Source: NotifyStableUnicastIpAddressTable; Linux: IFA_F_TENTATIVE.");
PyDoc_STRVAR(
    cancel_doc,
    "cancel_mib_change_notify2($module, registration, /)\n--\n\n"
    "The same as registration.cancel().\n\n"
    "Raises InvalidParameterError for None, as the header has it for NULL.");

# SPDX-License-Identifier: MIT
"""One call for each function of iphlpapi.dll whose errors netioapi raises. `put_what_calls_need`
puts the rows there that they need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import netioapi
from netioapi import IpForwardRow, IpInterfaceRow, UnicastIpAddressRow
from tests.windows.dll import checked
from tests.windows.structures import AF_INET, AF_INET6
from tests.windows.support import ADDRESS, INDEX, NOTIFY, ROUTE, interface_row, route_row


def put_what_calls_need() -> None:
    for family in (AF_INET, AF_INET6):
        checked("standin_put_interface", interface_row(1500, family), "Ethernet 7")
    ADDRESS.put(ADDRESS.make(3600))
    ROUTE.put(route_row(1))


def _stable() -> None:
    _, registration = netioapi.notify_stable_unicast_ip_address_table(print)
    assert registration is None


def _register(notify: Callable[..., netioapi.Registration]) -> Callable[[], None]:
    return lambda: notify(lambda *_: None, initial_notification=True).cancel()


CALLS: dict[str, Callable[[], Any]] = {
    **{function: _register(notify) for function, (notify, _) in NOTIFY.items()},
    "NotifyStableUnicastIpAddressTable": _stable,
    "GetIpForwardTable2": netioapi.get_ip_forward_table2,
    "GetUnicastIpAddressTable": netioapi.get_unicast_ip_address_table,
    "GetIpInterfaceTable": netioapi.get_ip_interface_table,
    "GetIpForwardEntry2": lambda: netioapi.get_ip_forward_entry2(
        IpForwardRow("198.51.100.0/24", "0.0.0.0", interface_index=INDEX)
    ),
    "GetUnicastIpAddressEntry": lambda: netioapi.get_unicast_ip_address_entry(
        UnicastIpAddressRow("192.0.2.1", interface_index=INDEX)
    ),
    "GetIpInterfaceEntry": lambda: netioapi.get_ip_interface_entry(
        IpInterfaceRow(AF_INET, interface_index=INDEX)
    ),
    "GetBestRoute2": lambda: netioapi.get_best_route2("198.51.100.1"),
    "GetTeredoPort": netioapi.get_teredo_port,
    "GetNetworkConnectivityHint": netioapi.get_network_connectivity_hint,
}

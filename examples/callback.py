# SPDX-License-Identifier: MIT
"""How do I get a callback for each change? By the functions of netioapi.h. A thread of the library
(Windows: of the system) runs the callbacks; after the `with` block none runs any more."""

import threading

import netioapi

done = threading.Event()


def on_route(row: netioapi.IpForwardRow, change: netioapi.NotificationType) -> None:
    print(change.name, row.destination_prefix, "via", row.next_hop, "dev", row.interface_name)


def on_address(row: netioapi.UnicastIpAddressRow, change: netioapi.NotificationType) -> None:
    print(change.name, row.address, "dev", row.interface_name)


with (
    netioapi.notify_route_change2(on_route),
    netioapi.notify_unicast_ip_address_change(on_address),
):
    done.wait()  # until Ctrl-C

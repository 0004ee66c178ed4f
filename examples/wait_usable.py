# SPDX-License-Identifier: MIT
"""How do I wait until my addresses can be used? A new IPv6 address is tentative for a second or
two, until duplicate address detection has found no neighbour with it. This example waits until no
address is tentative."""

from __future__ import annotations

import threading

import netioapi

ready = threading.Event()
tables: list[netioapi.Table[netioapi.UnicastIpAddressRow]] = []


def stable(table: netioapi.Table[netioapi.UnicastIpAddressRow]) -> None:
    tables.append(table)
    ready.set()


table, registration = netioapi.notify_stable_unicast_ip_address_table(stable)
if registration is not None:  # not stable yet: a callback gets the table later
    with registration:
        ready.wait(timeout=30)
    table = tables[0] if tables else None

if table is None:
    print("still not stable")
else:
    for row in table:
        print("usable:", row.address)

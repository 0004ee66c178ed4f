# SPDX-License-Identifier: MIT
"""Which is my default route, and when does it change? The route is looked up once for changes that
come together: when no change has come for a quarter of a second."""

import netioapi


def default_route() -> netioapi.IpForwardRow | None:
    found = [
        row
        for row in netioapi.get_ip_forward_table2()
        if row.destination_prefix.prefixlen == 0 and row.table in (254, None)
    ]
    return min(found, key=lambda row: (row.family, row.metric), default=None)


shown = None
with netioapi.Watcher("route", snapshot=True, settle=0.25, max_delay=2.0) as watcher:
    for _ in watcher:
        row = default_route()
        now = row and (str(row.next_hop), row.interface_name)
        if now != shown:
            print("default route:", "none" if now is None else f"via {now[0]} dev {now[1]}")
            shown = now

# SPDX-License-Identifier: MIT
"""Which is my default route, and when does it change? The default routes are kept in a dict; it is
looked at once for changes that come together: when no change has come for a quarter of a second."""

import netioapi

defaults: dict[bytes, netioapi.IpForwardRow] = {}
shown = None
with netioapi.Watcher("route", snapshot=True, settle=0.25, max_delay=2.0) as watcher:
    for batch in watcher:
        for change in batch:
            row = change.row
            if change.type == netioapi.NotificationType.DELETE:
                defaults.pop(row.key, None)
            elif row.destination_prefix.prefixlen == 0 and row.table in (254, None):
                defaults[row.key] = row
        best = min(defaults.values(), key=lambda row: (row.family, row.metric), default=None)
        now = best and (str(best.next_hop), best.interface_name)
        if now != shown:
            print("default route:", "none" if now is None else f"via {now[0]} dev {now[1]}")
            shown = now

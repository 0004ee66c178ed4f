# SPDX-License-Identifier: MIT
"""How do I keep an exact copy of the routes? Start with a snapshot, and use `row.key` as the key.
The copy is exact at each batch that is synced; after an overflow the difference follows, and then
such a batch."""

import netioapi

routes: dict[bytes, netioapi.IpForwardRow] = {}

with netioapi.Watcher("route", snapshot=True) as watcher:
    for batch in watcher:
        if batch.overflow:
            print("changes were lost; their repair follows")
        for change in batch:
            if change.type == netioapi.NotificationType.DELETE:
                routes.pop(change.row.key, None)
            else:
                routes[change.row.key] = change.row
        print(len(routes), "routes", "(exact)" if batch.synced else "")

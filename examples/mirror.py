# SPDX-License-Identifier: MIT
"""How do I keep an exact copy of the routes? Begin with a snapshot, key by `row.key`, and believe
the copy while it is synced: after an overflow the difference follows by itself."""

import netioapi

routes: dict[bytes, netioapi.IpForwardRow] = {}

with netioapi.Watcher("route", snapshot=True) as watcher:
    for batch in watcher:
        if batch.overflow:
            print("the system lost changes; the copy is being repaired")
        for change in batch:
            if change.type == netioapi.NotificationType.DELETE:
                routes.pop(change.row.key, None)
            else:
                routes[change.row.key] = change.row
        print(len(routes), "routes", "(exact)" if batch.synced else "")

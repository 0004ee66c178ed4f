# SPDX-License-Identifier: MIT
"""A Watcher's inbox beyond its bound: notifications that come while the worker reads rows."""

from __future__ import annotations

import pytest

from netioapi import Watcher
from tests.support import eventually
from tests.windows.dll import Figure, Setting, checked, configure, drain, stat
from tests.windows.structures import AF_INET
from tests.windows.support import ROUTE, route_row
from tests.windows.test_watcher_windows import State, apply, read_all, read_snapshot, tables

pytestmark = [pytest.mark.usefixtures("link"), pytest.mark.timeout(300)]
BOUND = 100_000


def test_a_deletion_is_not_lost_in_a_full_inbox() -> None:
    """The worker tells that a route is there again by an older notification than that of its
    addition, which is still in the inbox when the route is deleted."""
    route, other = route_row(1), route_row(1, "203.0.113.0/24")
    ROUTE.put(route)
    with Watcher("route", family=AF_INET, snapshot=True, queue=1_000_000) as watcher:
        state: State = {}
        apply(state, read_snapshot(watcher))
        before = stat(Figure.ENTRY_CALLS)
        configure(Setting.READ_UNTIL, before + 1)
        try:
            ROUTE.put(route_row(1, "192.0.2.0/25"))
            eventually(lambda: stat(Figure.ENTRY_CALLS) == before + 1)
            ROUTE.put(route_row(1, "192.0.2.128/25"))
            drain()  # the worker has this alone, if it has it already, and waits
            ROUTE.delete(route)
            checked("standin_put_routes", route_row(1, "10.0.0.0/32"), 1500)
            ROUTE.put(route)
            checked("standin_put_routes", route_row(1, "11.0.0.0/32"), BOUND + 2000)
            drain(120)
            configure(Setting.READ_UNTIL, before + 3)  # 192.0.2.128/25, and `route`: there again
            eventually(lambda: stat(Figure.ENTRY_CALLS) == before + 3)
            ROUTE.delete(route)
            ROUTE.put(other)
            drain()
        finally:
            configure(Setting.READ_UNTIL, 0)

        def is_the_same() -> bool:
            apply(state, read_all(watcher))
            return state == {k: v for k, v in tables(AF_INET).items() if k[0] == "route"}

        eventually(is_the_same, 120)

# SPDX-License-Identifier: MIT
"""The inbox of a Watcher beyond its bounds, while the worker is held up reading a row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import netioapi
from netioapi import Watcher
from tests.support.waiting import eventually
from tests.windows.dll import Figure, Setting, checked, configure, drain, stat
from tests.windows.structures import AF_INET
from tests.windows.support import ROUTE, route_row
from tests.windows.test_watcher_windows import State, apply, read_all, read_snapshot, tables

pytestmark = [pytest.mark.usefixtures("link"), pytest.mark.timeout(300)]
BOUND, MOST = 100_000, 400_000


def read_so_many(rows: int) -> None:
    """Lets the worker read so many rows more, and holds it at the next one."""
    end = stat(Figure.ENTRY_CALLS) + rows
    configure(Setting.READ_UNTIL, end)
    eventually(lambda: stat(Figure.ENTRY_CALLS) == end and stat(Figure.HELD) == 1)


@contextmanager
def held_worker() -> Iterator[None]:
    """Notifications inside the block stay in the inbox."""
    configure(Setting.READ_UNTIL, stat(Figure.ENTRY_CALLS) or 1)
    try:
        ROUTE.put(route_row(1, "192.0.2.0/25"))
        eventually(lambda: stat(Figure.HELD) == 1)
        yield
    finally:
        configure(Setting.READ_UNTIL, 0)


def put(first: str, count: int) -> None:
    checked("standin_put_routes", route_row(1, first), count)


def test_deletion_in_a_full_inbox_is_not_lost() -> None:
    """The worker finds a re-added route by a notification older than that of its addition, which is
    still in the inbox when the route is deleted."""
    route, other = route_row(1), route_row(1, "203.0.113.0/24")
    ROUTE.put(route)
    with Watcher("route", family=AF_INET, snapshot=True, queue=1_000_000) as watcher:
        state: State = {}
        apply(state, read_snapshot(watcher))
        ROUTE.put(route_row(1, "192.0.2.128/25"))  # so that a row has been read
        eventually(lambda: watcher.stats()["queued"] == 1)
        with held_worker():
            ROUTE.delete(route)
            put("10.0.0.0/32", 1500)  # more than the worker takes at once
            ROUTE.put(route)
            put("11.0.0.0/32", BOUND + 2000)
            drain(120)
            read_so_many(2)  # the row that held it, and `route`, which is back
            ROUTE.delete(route)
            ROUTE.put(other)
            drain()

        def is_the_same() -> bool:
            apply(state, read_all(watcher))
            return state == {k: v for k, v in tables(AF_INET).items() if k[0] == "route"}

        eventually(is_the_same, 120)
        assert watcher.stats()["resyncs"] == 0


def test_overflow_of_the_inbox_is_reported_and_repaired() -> None:
    keys = {row.key for row in netioapi.get_ip_forward_table2(AF_INET)}
    with Watcher("route", family=AF_INET, queue=1_000_000) as watcher:
        ROUTE.put(route_row(1, "192.0.2.128/25"))
        eventually(lambda: watcher.stats()["queued"] == 1)
        with held_worker():
            put("10.0.0.0/32", MOST + 5000)
            drain(120)
        lost = exact = False
        while not exact:
            batch = watcher.read(timeout=120)
            assert batch is not None, watcher.stats()
            keys |= {change.row.key for change in batch}
            lost |= batch.overflow
            exact = lost and batch.synced
        assert keys == {row.key for row in netioapi.get_ip_forward_table2(AF_INET)}

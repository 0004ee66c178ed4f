# SPDX-License-Identifier: MIT
"""On a real Windows: an adapter is installed, disabled, enabled and removed again, and a Watcher
that follows all of it keeps no row of it. Where Windows does not make the adapter it is skipped."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

import netioapi
from netioapi import NotificationType, Watcher
from tests.support.changes import State, apply, read_snapshot
from tests.support.collector import Collector
from tests.windows.adapter import LoopbackAdapter, Unavailable, why_no_adapter

WHY_NOT = why_no_adapter()
pytestmark = [pytest.mark.skipif(WHY_NOT != "", reason=WHY_NOT), pytest.mark.timeout(600)]
ADDRESS, MASK, PREFIX = "203.0.113.1", "255.255.255.0", "203.0.113.0/24"


@pytest.fixture
def adapter() -> Iterator[LoopbackAdapter]:
    made = LoopbackAdapter()
    try:
        made.__enter__()
    except Unavailable as error:
        pytest.skip(f"this Windows makes no adapter: {error}")
    try:
        yield made
    finally:
        made.remove()


class Followed:
    """The state that a Watcher's changes make."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._state: State = {}
        apply(self._state, read_snapshot(watcher))

    def until(self, wanted: Callable[[list[Any]], object], luid: int) -> None:
        """Reads until `wanted` is true of the rows of that adapter."""
        deadline = time.monotonic() + 120
        while not wanted(rows := [r for r in self._state.values() if r.interface_luid == luid]):
            batch = self._watcher.read(timeout=max(deadline - time.monotonic(), 0))
            assert batch is not None, rows
            apply(self._state, batch)


def test_adapter_that_comes_and_goes_leaves_no_row(adapter: LoopbackAdapter) -> None:
    name, seen = adapter.row().interface_name, Collector()
    with (
        Watcher(snapshot=True) as watcher,
        netioapi.notify_ip_interface_change(seen) as registration,
    ):
        followed = Followed(watcher)
        adapter.add_address(ADDRESS, MASK)
        followed.until(
            lambda rows: (
                any(getattr(r, "address", None) == ip_address(ADDRESS) for r in rows)
                and any(getattr(r, "destination_prefix", None) == ip_network(PREFIX) for r in rows)
            ),
            adapter.luid,
        )
        adapter.switch(name, False)
        followed.until(lambda rows: not rows, adapter.luid)
        adapter.switch(name, True)
        followed.until(lambda rows: rows, adapter.luid)
        adapter.remove()
        followed.until(lambda rows: not rows, adapter.luid)
        # The LUID of a row whose adapter has gone may be 0.
        seen.wait_any(lambda row, type: row is not None and type == NotificationType.DELETE)
        assert watcher.stats()["lost"] == 0
    assert registration.errors == 0

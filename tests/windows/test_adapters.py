# SPDX-License-Identifier: MIT
"""Filters by interface while adapters come, go and are made anew: a name is whatever has it, an
index or a LUID is one adapter."""

from __future__ import annotations

from typing import Any

import pytest

from netioapi import Change, Watcher
from tests.support.changes import State, apply, read_until
from tests.windows.dll import checked
from tests.windows.structures import AF_INET, AF_UNSPEC
from tests.windows.support import ADD, DELETE, INDEX, ROUTE, interface_row, luid_of, route_row
from tests.windows.test_watcher_windows import read_all

PREFIX, OTHER_PREFIX = "198.51.100.0/24", "10.0.0.0/8"


def make(index: int, luid: int, alias: str) -> None:
    row = interface_row(1500, AF_INET, index)
    row.InterfaceLuid = luid
    checked("standin_put_interface", row, alias)


def route(index: int, luid: int, prefix: str = PREFIX) -> Any:
    row = route_row(1, prefix, index)
    row.InterfaceLuid = luid
    return row


def seen(watcher: Watcher) -> list[tuple[int, str, int]]:
    """Without the routes of the marker, which goes to another interface."""
    return [
        (c.type, str(c.row.destination_prefix), c.row.interface_index)
        for c in read_all_routes(watcher)
    ]


def read_all_routes(watcher: Watcher) -> list[Change]:
    return [c for c in read_all(watcher) if c.kind == "route"]


@pytest.mark.parametrize("by", ["index", "LUID"])
def test_filter_by_adapter_follows_it_to_another_index(by: str, link: int) -> None:
    mine, other = luid_of(40), luid_of(41)
    make(40, mine, "VPN")
    ROUTE.put(route(40, mine))
    with Watcher("route", interfaces=[40 if by == "index" else mine, INDEX]) as watcher:
        checked("standin_delete_interface", AF_UNSPEC, 40)
        assert seen(watcher) == [(DELETE, PREFIX, 40)]
        make(40, other, "other")  # the index is given to another adapter
        ROUTE.put(route(40, other, OTHER_PREFIX))
        assert seen(watcher) == []
        make(42, mine, "VPN 2")
        ROUTE.put(route(42, mine))
        assert seen(watcher) == [(ADD, PREFIX, 42)]


def test_filter_by_name_follows_it_over_re_creation(link: int) -> None:
    make(40, luid_of(40), "VPN")
    ROUTE.put(route(40, luid_of(40)))
    with Watcher("route", interfaces=["VPN", INDEX]) as watcher:
        for index in (41, 40):
            before = 81 - index
            checked("standin_delete_interface", AF_UNSPEC, before)
            assert seen(watcher) == [(DELETE, PREFIX, before)]
            make(index, luid_of(index), "VPN")
            ROUTE.put(route(index, luid_of(index)))
            assert seen(watcher) == [(ADD, PREFIX, index)]


def test_adapter_made_anew_comes_with_its_rows(link: int) -> None:
    """Its rows are there before its interface is reported."""
    mine = luid_of(40)
    make(40, mine, "VPN")
    with Watcher("route", "interface", interfaces=[mine], snapshot=True) as watcher:
        state: State = {}
        apply(state, read_until(watcher, lambda c: c.kind == "interface"))
        checked("standin_delete_interface", AF_UNSPEC, 40)
        apply(state, read_until(watcher, lambda c: c.type == DELETE))
        assert state == {}
        make(43, mine, "VPN")
        ROUTE.put(route(43, mine))
        apply(state, read_until(watcher, lambda c: c.kind == "route" and c.type == ADD))
        assert {row.interface_index for row in state.values()} == {43}

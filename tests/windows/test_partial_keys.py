# SPDX-License-Identifier: MIT
"""Keys in notifications that leave out a part, as Windows' may: the LUID of an adapter that has
gone, or the family of a next hop. A Watcher finds the rows that they mean."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from netioapi import Watcher
from tests.support.changes import State, apply, read_snapshot, route_to, tables
from tests.windows import rows
from tests.windows.dll import Setting, checked, inject
from tests.windows.structures import Route, Sockaddr
from tests.windows.support import (
    ADD,
    DELETE,
    INDEX,
    INTERFACE,
    PARAMETER,
    ROUTE,
    ROW_KINDS,
    RowKind,
    luid_of,
    route_row,
    setting,
)
from tests.windows.test_watcher_windows import name_of, read_all, summary

pytestmark = pytest.mark.usefixtures("link")
all_kinds = pytest.mark.parametrize("kind", ROW_KINDS, ids=lambda kind: kind.kind.name)
PREFIX = "198.51.100.0/24"


def without_luid(row: Any) -> Any:
    row.InterfaceLuid = 0
    return row


def without_next_hop(row: Route) -> Route:
    row.NextHop = Sockaddr()
    return row


def via(gateway: str, metric: int = 1) -> Route:
    row = rows.route(INDEX, ip_network(PREFIX), ip_address(gateway), metric, 3)
    row.InterfaceLuid = luid_of(INDEX)
    return row


@all_kinds
def test_deletion_by_index_alone_is_delivered(kind: RowKind) -> None:
    kind.put(kind.make(1400))
    with Watcher(name_of(kind), "route") as watcher:
        (before,) = [one for one in kind.get_table() if getattr(one, kind.number) == 1400]
        with setting(Setting.SILENT):
            kind.delete(kind.make(1400))
        inject(kind.kind, without_luid(kind.make(0)), DELETE)
        (change,) = read_all(watcher)
        assert (change.type, change.row._asdict()) == (DELETE, before._asdict())
        assert watcher.stats()["overflows"] == 0


@all_kinds
def test_change_by_index_alone_is_delivered(kind: RowKind) -> None:
    with Watcher(name_of(kind), "route") as watcher:
        with setting(Setting.SILENT):
            kind.put(kind.make(1400))
        inject(kind.kind, without_luid(kind.make(0)), ADD)
        assert summary(read_all(watcher), kind) == [(PARAMETER if kind is INTERFACE else ADD, 1400)]
        with setting(Setting.SILENT):
            kind.put(kind.make(1300))
        inject(kind.kind, without_luid(kind.make(0)), PARAMETER)
        assert summary(read_all(watcher), kind) == [(PARAMETER, 1300)]


def test_rows_of_a_gone_adapter_are_deleted_by_its_index() -> None:
    """Its index leads nowhere by then."""
    first, count = route_row(1, "10.0.0.0/32"), 300
    checked("standin_put_routes", first, count)
    with Watcher(snapshot=True) as watcher:
        state: State = {}
        apply(state, read_snapshot(watcher))
        keys = {key for key, row in state.items() if row.interface_index == INDEX}
        assert len(keys) > count
        with setting(Setting.SILENT):
            checked("standin_delete_interface", 0, INDEX)
        for number in range(count):
            row = route_row(1, f"10.0.{number >> 8}.{number & 255}/32")
            inject(ROUTE.kind, without_luid(row), DELETE)
        for family in (2, 23):
            row = INTERFACE.make(1)
            row.Family = family
            inject(INTERFACE.kind, without_luid(row), DELETE)
        checked("standin_put_interface", INTERFACE.make(1500), "Ethernet 8")  # for the marker
        changes = [c for c in read_all(watcher) if c.type == DELETE]
        assert {(c.kind, c.row.key) for c in changes} == keys
        assert watcher.stats()["overflows"] == 0


@pytest.mark.parametrize("luid", [True, False])
@pytest.mark.parametrize("gateway", ["0.0.0.0", "192.0.2.1"])
def test_deletion_without_a_next_hop_is_delivered(gateway: str, luid: bool) -> None:
    ROUTE.put(via(gateway))
    with Watcher("route") as watcher:
        with setting(Setting.SILENT):
            ROUTE.delete(via(gateway))
        key = without_next_hop(via(gateway))
        inject(ROUTE.kind, key if luid else without_luid(key), DELETE)
        (change,) = read_all(watcher)
        assert route_to(PREFIX, DELETE)(change)
        assert change.row.next_hop == ip_address(gateway)


def test_partial_key_of_several_rows_deletes_those_that_are_gone() -> None:
    gateways = ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
    for gateway in gateways:
        ROUTE.put(via(gateway))
    with Watcher("route", snapshot=True) as watcher:
        state: State = {}
        apply(state, read_snapshot(watcher))
        with setting(Setting.SILENT):
            ROUTE.delete(via(gateways[1]))
            ROUTE.put(via(gateways[2], 9))
        inject(ROUTE.kind, without_luid(without_next_hop(via(gateways[0]))), DELETE)
        changes = read_all(watcher)
        assert sorted((c.type, str(c.row.next_hop)) for c in changes) == [
            (PARAMETER, gateways[2]),
            (DELETE, gateways[1]),
        ]
        apply(state, changes)
        assert state == {key: row for key, row in tables().items() if key[0] == "route"}

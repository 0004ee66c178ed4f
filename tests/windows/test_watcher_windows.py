# SPDX-License-Identifier: MIT
"""The Watcher over notifications that carry keys, come twice, late, without a change or not at all:
it delivers the real changes with whole rows, and leads to the system's state."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from typing import Any

import pytest

import netioapi
from netioapi import Change, Watcher
from tests.support.changes import State, apply, read_snapshot, read_until, route_to, tables
from tests.support.waiting import eventually
from tests.windows.dll import Figure, Setting, checked, configure, drain, fail, inject, stat
from tests.windows.flood import Flood
from tests.windows.structures import AF_INET, Route
from tests.windows.support import (
    ADD,
    DELETE,
    INDEX,
    PARAMETER,
    ROUTE,
    ROW_KINDS,
    RowKind,
    failing,
    live,
    route_row,
    setting,
)

pytestmark = pytest.mark.usefixtures("link")
all_kinds = pytest.mark.parametrize("kind", ROW_KINDS, ids=lambda kind: kind.kind.name)
END = "203.0.113.0/24"  # the last change of a test; no other follows it


def name_of(kind: RowKind) -> str:
    return kind.kind.name.lower()


def read_all(watcher: Watcher) -> list[Change]:
    """All changes up to now, without a route to END that comes and goes as a marker. (A row that
    exists after its deletion was notified is read once more, behind its addition: so the marker
    goes, too.)"""
    drain()  # the notifications of each registration take their own time
    ROUTE.put(route_row(1, END))
    changes = read_until(watcher, route_to(END))
    ROUTE.delete(route_row(1, END))
    changes += read_until(watcher, route_to(END, DELETE))
    return [c for c in changes if c.kind != "route" or c.row.destination_prefix != ip_network(END)]


def summary(changes: list[Change], kind: RowKind) -> list[tuple[int, int]]:
    return [(c.type, getattr(c.row, kind.number)) for c in changes]


# ---- exact


@contextlib.contextmanager
def watching_a_flood(threads: int, **named: Any) -> Iterator[tuple[Watcher, State]]:
    """A Watcher that begins during a flood; afterwards it must have the system's state."""
    flood = Flood(INDEX, pause=0, threads=threads)
    flood.__enter__()
    try:
        with Watcher(snapshot=True, **named) as watcher:
            state: State = {}
            apply(state, read_snapshot(watcher))
            for _ in range(5):
                batch = watcher.read(timeout=60)
                assert batch is not None
                apply(state, batch)
            yield watcher, state
            flood.__exit__(None, None, None)
            drain(60)
            apply(state, read_all(watcher))
            assert {k: v._asdict() for k, v in state.items()} == {
                k: v._asdict() for k, v in tables().items()
            }
            stats = watcher.stats()
            assert (stats["overflows"], stats["resyncs"], stats["lost"]) == (0, 0, 0)
    finally:
        flood.__exit__(None, None, None)


@pytest.mark.parametrize("overlap", [0, 1])
@pytest.mark.parametrize("threads", [1, 4])
def test_snapshot_under_a_flood_has_no_gap_and_no_duplicate(overlap: int, threads: int) -> None:
    configure(Setting.OVERLAP, overlap)
    for _ in range(5):
        with watching_a_flood(threads):
            pass


@pytest.mark.parametrize("overlap", [0, 1])
def test_small_queue_leads_to_the_exact_state(overlap: int) -> None:
    """Behind a slow reader, changes of one key merge."""
    configure(Setting.OVERLAP, overlap)
    flood = Flood(INDEX, pause=0, threads=2)
    with Watcher("route", snapshot=True, queue=50) as watcher:
        state: State = {}
        with flood:
            eventually(lambda: watcher.stats()["coalesced"] > 1000)
        drain(60)
        deadline = time.monotonic() + 20
        wanted = {key: row for key, row in tables().items() if key[0] == "route"}
        while state != wanted:
            batch = watcher.read(timeout=max(deadline - time.monotonic(), 0))
            assert batch is not None, (len(state), len(wanted))
            for change in batch:  # the DELETE of a row that was never delivered is allowed
                if change.type == DELETE:
                    state.pop((change.kind, change.row.key), None)
                else:
                    state[change.kind, change.row.key] = change.row


def test_overlapping_changes_of_one_key_lead_to_its_state() -> None:
    """Notifications overtake each other, and the last one may be the oldest."""
    configure(Setting.OVERLAP, 1)
    with Watcher("route", family=AF_INET, snapshot=True) as watcher:
        state: State = {}
        apply(state, read_snapshot(watcher))
        for turn in range(20):
            for metric in range(1, 100):
                ROUTE.put(route_row(metric))
                if metric % 7 == 0:
                    ROUTE.delete(route_row(metric))
            if turn % 2:
                ROUTE.delete(route_row(1))
            drain()
            apply(state, read_all(watcher))
            assert state == {k: v for k, v in tables(AF_INET).items() if k[0] == "route"}


# ---- real changes


@all_kinds
def test_deleted_rows_are_whole(kind: RowKind) -> None:
    """In their last state: Windows gives the key, and a deleted row cannot be read."""
    kind.put(kind.make(1400))
    with Watcher(name_of(kind), "route") as watcher:
        (before,) = [one for one in kind.get_table() if getattr(one, kind.number) == 1400]
        kind.delete(kind.make(1400))
        (change,) = [c for c in read_all(watcher) if c.type == DELETE]
        assert (change.kind, change.row) == (name_of(kind), before)
        assert change.row._asdict() == before._asdict()
        kind.put(kind.make(1300))
        assert summary(read_all(watcher), kind) == [(ADD, 1300)]
        configure(Setting.BLOCKED, 1)
        kind.put(kind.make(1280))  # never delivered in this state
        kind.delete(kind.make(1280))
        configure(Setting.BLOCKED, 0)
        assert summary(read_all(watcher), kind) == [(DELETE, 1300)]


@all_kinds
def test_notifications_without_a_change_are_not_delivered(kind: RowKind) -> None:
    """Many notifications of Windows are no change."""
    kind.put(kind.make(1400))
    nowhere = kind.make(1)
    nowhere.InterfaceIndex = nowhere.InterfaceLuid = 99
    with Watcher(name_of(kind), "route") as watcher:
        for number in range(200):
            assert inject(kind.kind, kind.make(number), PARAMETER) >= 1
            assert inject(kind.kind, kind.make(number), ADD) >= 1
            for type in (PARAMETER, ADD, DELETE):
                inject(kind.kind, nowhere, type)
        inject(kind.kind, None, 3)
        assert read_all(watcher) == []
        kind.put(kind.make(1300))
        assert summary(read_all(watcher), kind) == [(PARAMETER, 1300)]
        assert watcher.stats()["ignored"] == 0


@all_kinds
@pytest.mark.parametrize("same", [True, False])
def test_deleted_and_added_again_row_is_delivered_as_both(kind: RowKind, same: bool) -> None:
    kind.put(kind.make(1400))
    with Watcher(name_of(kind), "route") as watcher:
        configure(Setting.BLOCKED, 1)  # no callback before both are done
        kind.delete(kind.make(1400))
        kind.put(kind.make(1400 if same else 1300))
        configure(Setting.BLOCKED, 0)
        assert summary(read_all(watcher), kind) == [(DELETE, 1400), (ADD, 1400 if same else 1300)]


@all_kinds
def test_row_gone_before_it_was_read_is_not_delivered(kind: RowKind) -> None:
    """Gone before it was read: there is nothing to deliver."""
    other = kind.make(1400)
    kind.delete(other) if kind.kind.name == "INTERFACE" else None
    with Watcher(name_of(kind), "route") as watcher:
        configure(Setting.BLOCKED, 1)
        for _ in range(10):
            kind.put(other)
            kind.delete(other)
        configure(Setting.BLOCKED, 0)
        assert read_all(watcher) == []


@all_kinds
@pytest.mark.parametrize("type", [PARAMETER, ADD, DELETE])
def test_unreported_change_is_found_at_the_next_notification(kind: RowKind, type: int) -> None:
    kind.put(kind.make(1400))
    with Watcher(name_of(kind), "route") as watcher:
        with setting(Setting.SILENT):
            kind.put(kind.make(1300))
        assert read_all(watcher) == []
        inject(kind.kind, kind.make(0), type)
        expected = [(DELETE, 1400), (ADD, 1300)] if type == DELETE else [(PARAMETER, 1300)]
        assert summary(read_all(watcher), kind) == expected
        with setting(Setting.SILENT):
            kind.delete(kind.make(1300))
        inject(kind.kind, kind.make(0), type)
        assert summary(read_all(watcher), kind) == [(DELETE, 1300)]
        with setting(Setting.SILENT):
            kind.put(kind.make(1280))
        inject(kind.kind, kind.make(0), type)
        assert summary(read_all(watcher), kind) == [(ADD, 1280)]


def test_deleted_interface_deletes_its_routes_and_addresses(netns: Any) -> None:
    netns.veth()
    netns.ip("address add 192.0.2.1/24 dev v0")
    netns.ip("route add 198.51.100.0/24 dev v0")
    with Watcher(snapshot=True) as watcher:
        state: State = {}
        apply(state, read_snapshot(watcher))
        netns.ip("link del v0")
        drain()
        changes = read_all(watcher)
        apply(state, changes)
        assert {c.type for c in changes} == {DELETE}
        assert {c.kind for c in changes} == {"route", "address", "interface"}
        assert state == tables()
        for change in changes:
            assert change.row._asdict().get("metric", 0) is not None, change


def by(protocol: int) -> Route:
    row = route_row(1)
    row.Protocol = protocol
    return row


def test_route_that_changes_protocol_enters_and_leaves_the_filter() -> None:
    """For a Watcher of some protocols, a route that changes protocol is new, or gone."""
    with Watcher("route", protocols=[3], prefixes=["198.51.100.0/24", END]) as watcher:

        def seen(row: Route) -> list[tuple[int, int]]:
            ROUTE.put(row)
            return [(c.type, c.row.protocol) for c in read_all(watcher)]

        assert seen(by(14)) == []
        assert seen(by(3)) == [(ADD, 3)]
        assert seen(by(13)) == [(DELETE, 3)]
        assert seen(by(14)) == []
        assert seen(by(3)) == [(ADD, 3)]
        ROUTE.delete(by(3))
        assert [c.type for c in read_all(watcher)] == [DELETE]


@pytest.mark.parametrize("interface", [INDEX, "Ethernet 7"])
def test_interface_filter_accepts_index_and_alias(interface: int | str, netns: Any) -> None:
    index = netns.veth()
    with Watcher("route", interfaces=[interface]) as watcher:
        ROUTE.put(route_row(1, "198.51.100.0/24", index))
        ROUTE.put(route_row(2))
        assert [(c.row.interface_index, c.row.metric) for c in read_all(watcher)] == [(INDEX, 2)]


# ---- losses


@all_kinds
@pytest.mark.parametrize("code", [8, 5, 50, 87, 1231, 1450])
def test_row_that_cannot_be_read_is_found_in_its_table(kind: RowKind, code: int) -> None:
    """Nothing is lost, so there is no overflow, and the other tables are not read."""
    kind.put(kind.make(1400))
    with Watcher(snapshot=True) as watcher:
        state: State = {}
        apply(state, read_snapshot(watcher))
        before = stat(Figure.TABLE_CALLS)
        with failing(kind.entry, code, 1):
            kind.put(kind.make(1300))
            eventually(lambda: stat(Figure.TABLE_CALLS) > before)
        changes = read_all(watcher)
        apply(state, changes)
        assert summary(changes, kind) == [(PARAMETER, 1300)]
        assert [c.synthesized for c in changes] == [True]
        assert state == tables()
        stats = watcher.stats()
        assert (stats["overflows"], stats["resyncs"], stats["lost"]) == (0, 1, 0)
        before = stat(Figure.TABLE_CALLS)
        with failing(kind.entry, code, 1):
            kind.delete(kind.make(1300))
            eventually(lambda: stat(Figure.TABLE_CALLS) > before)
        changes = read_all(watcher)
        apply(state, changes)
        assert (DELETE, 1300) in summary([c for c in changes if c.kind == name_of(kind)], kind)
        assert state == tables()
        assert watcher.stats()["overflows"] == 0


def test_failed_reads_are_retried_until_they_succeed() -> None:
    """While neither rows nor tables can be read, `synced` is not delivered."""
    with Watcher("route", snapshot=True) as watcher:
        state: State = {}
        apply(state, read_snapshot(watcher))
        fail("GetIpForwardEntry2", 8)
        fail("GetIpForwardTable2", 8)
        checked("standin_put_routes", route_row(1, "10.0.0.0/32"), 100)
        batch = watcher.read(timeout=60)
        assert batch is not None
        assert (batch.overflow, batch.synced, len(batch)) == (True, False, 0)
        before = stat(Figure.TABLE_CALLS)
        eventually(lambda: stat(Figure.TABLE_CALLS) >= before + 3)
        while batch := watcher.read(timeout=0):
            assert (batch.synced, len(batch)) == (False, 0)
        fail("GetIpForwardTable2", 0, 0)
        fail("GetIpForwardEntry2", 0, 0)
        exact = False
        while not exact:
            batch = watcher.read(timeout=60)
            assert batch is not None
            apply(state, batch)
            exact = batch.synced
        assert state == {key: row for key, row in tables().items() if key[0] == "route"}
        before = stat(Figure.TABLE_CALLS)
        assert read_all(watcher) == []
        assert stat(Figure.TABLE_CALLS) == before  # no further reads


# ---- refusals, and the end


@pytest.mark.parametrize("wanted", [["main"], [254], ["local", 255]])
def test_choosing_routing_tables_raises(wanted: list[int | str]) -> None:
    before = live()
    with pytest.raises(netioapi.NetioError, match="Windows has one routing table: omit") as caught:
        Watcher("route", tables=wanted)
    assert caught.value.code == 50
    assert live() == before


@pytest.mark.parametrize("overlap", [0, 1])
def test_concurrent_close_under_a_flood_leaves_nothing(overlap: int) -> None:
    configure(Setting.OVERLAP, overlap)
    before = live()
    with Flood(INDEX, pause=0, threads=2):
        for turn in range(30):
            watcher = Watcher(snapshot=turn % 2 == 0)
            assert watcher.read(timeout=60) is not None
            ends: list[Callable[[], None]] = [watcher.close] * 3 + [watcher.stop]
            threads = [threading.Thread(target=end) for end in ends]
            for thread in threads:
                thread.start()
            with contextlib.suppress(ValueError):  # it may be closed before the iteration begins
                for _ in watcher:
                    pass
            for thread in threads:
                thread.join(20)
                assert not thread.is_alive()
            assert watcher.closed
            assert live() == before


def test_stuck_callback_delays_close_of_its_own_watcher_alone() -> None:
    watcher, other = Watcher("route"), Watcher("address", "route")
    configure(Setting.BLOCKED, 1)
    ROUTE.put(route_row(1))
    eventually(lambda: stat(Figure.RUNNING) == 2)
    closing = threading.Thread(target=watcher.close)
    closing.start()
    eventually(lambda: watcher.closed)
    assert watcher.stats()["received"] == 0
    assert other.read(timeout=0.05) is None
    configure(Setting.BLOCKED, 0)
    closing.join(10)
    assert not closing.is_alive()
    assert [c.row.metric for c in read_until(other, route_to("198.51.100.0/24"))] == [1]
    other.close()


def test_watcher_takes_the_socket_modules_families(netns: Any) -> None:
    netns.veth()
    with Watcher("route", family=socket.AF_INET6) as watcher:
        ROUTE.put(route_row(1))
        netns.ip("route add 2001:db8::/32 dev v0")
        assert [c.row.family for c in read_until(watcher, route_to("2001:db8::/32"))] == [23]

# SPDX-License-Identifier: MIT
"""A registration that has gone silent: a Watcher finds it by comparing the tables now and then,
reports the loss, and registers anew."""

from __future__ import annotations

import pytest

from netioapi import Change, Watcher
from tests.support.changes import State, apply, read_snapshot, tables
from tests.support.waiting import eventually
from tests.windows.dll import Figure, Setting, configure, drain, stat
from tests.windows.support import (
    ADD,
    DELETE,
    INTERFACE,
    PARAMETER,
    ROUTE,
    ROW_KINDS,
    RowKind,
    failing,
    live,
    route_row,
    setting,
)
from tests.windows.test_watcher_windows import name_of, read_all, summary

all_kinds = pytest.mark.parametrize("kind", ROW_KINDS, ids=lambda kind: kind.kind.name)


@pytest.fixture(autouse=True)
def often(link: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netioapi.watcher._SILENCE_CHECK", 0.02)


def read_repair(watcher: Watcher) -> list[Change]:
    """The changes of a repair, between its marks."""
    changes: list[Change] = []
    lost = exact = False
    while not exact:
        batch = watcher.read(timeout=60)
        assert batch is not None
        lost |= batch.overflow
        exact = lost and batch.synced
        changes += batch
    return changes


def looked(times: int) -> None:
    """Waits until tables were compared so often."""
    before = stat(Figure.TABLE_CALLS)
    eventually(lambda: stat(Figure.TABLE_CALLS) >= before + times)


@all_kinds
def test_silent_registration_is_found_and_made_anew(kind: RowKind) -> None:
    kind.put(kind.make(1400))
    with Watcher(name_of(kind), "route", snapshot=True) as watcher:
        state: State = {}
        apply(state, read_snapshot(watcher))
        for number in (1300, 1280):  # more than once
            registrations, cancelled = live(), stat(Figure.CANCELLED)
            with setting(Setting.SILENT):
                kind.put(kind.make(number))
                changes = read_repair(watcher)
            apply(state, changes)
            assert summary(changes, kind) == [(PARAMETER, number)]
            assert all(change.synthesized for change in changes)
            assert (live(), stat(Figure.CANCELLED)) == (registrations, cancelled + 1)
            assert state == {
                key: row for key, row in tables().items() if key[0] in state_kinds(kind)
            }
        with setting(Setting.SILENT):
            kind.delete(kind.make(1280))
            changes = read_repair(watcher)
        assert (DELETE, 1280) in summary([c for c in changes if c.kind == name_of(kind)], kind)


def state_kinds(kind: RowKind) -> set[str]:
    return {name_of(kind), "route"}


def test_silent_registration_is_found_beside_a_busy_one() -> None:
    with Watcher("route", "interface") as watcher:
        with setting(Setting.SILENT):
            ROUTE.put(route_row(7))
        mtu = 1280
        changes: list[Change] = []
        overflow = False
        while not overflow:
            mtu = mtu + 1 if mtu < 9000 else 1280
            INTERFACE.put(INTERFACE.make(mtu))
            drain()
            while batch := watcher.read(timeout=0.01):
                overflow |= batch.overflow
                changes += batch
        while not any(c.kind == "route" for c in changes):
            batch = watcher.read(timeout=60)
            assert batch is not None
            changes += batch
        assert [(c.type, c.row.metric) for c in changes if c.kind == "route"] == [(ADD, 7)]


def test_quiet_registration_stays() -> None:
    before = live(), stat(Figure.CANCELLED)
    with Watcher(snapshot=True, interfaces=["Ethernet 7"], prefixes=["198.51.100.0/24"]) as watcher:
        read_snapshot(watcher)
        looked(30)
        ROUTE.put(route_row(1))
        assert [c.type for c in read_until_route(watcher)] == [ADD]
        looked(30)
        assert stat(Figure.CANCELLED) == before[1]
        stats = watcher.stats()
        assert (stats["overflows"], stats["resyncs"]) == (0, 0)


def read_until_route(watcher: Watcher) -> list[Change]:
    batch = watcher.read(timeout=60)
    assert batch is not None
    return list(batch)


@pytest.mark.parametrize("code", [8, 1722])
def test_silent_registration_that_cannot_be_made_anew_is_repaired(code: int) -> None:
    with Watcher("route") as watcher:
        registrations, cancelled = live(), stat(Figure.CANCELLED)
        with setting(Setting.SILENT), failing(ROUTE.function, code):
            ROUTE.put(route_row(7))
            assert [c.row.metric for c in read_repair(watcher)] == [7]
        assert (live(), stat(Figure.CANCELLED)) == (registrations, cancelled)
        ROUTE.put(route_row(8))
        assert [c.row.metric for c in read_all(watcher)] == [8]


def test_watcher_that_looks_for_silence_ends() -> None:
    configure(Setting.SILENT, 1)
    for number in range(30):
        with Watcher(snapshot=True):
            ROUTE.put(route_row(number + 1))
            looked(2)
    configure(Setting.SILENT, 0)

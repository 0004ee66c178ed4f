# SPDX-License-Identifier: MIT
"""What Windows merges behind a callback: callbacks get what is left, and a Watcher the state."""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from netioapi import Watcher
from tests.support.changes import State, apply, read_snapshot, tables
from tests.support.collector import Collector
from tests.support.promise import assert_reported
from tests.support.waiting import eventually
from tests.windows.dll import Figure, Setting, configure, drain, inject, stat
from tests.windows.support import (
    ADD,
    ADDRESS,
    DELETE,
    INTERFACE,
    PARAMETER,
    ROUTE,
    ROW_KINDS,
    RowKind,
    address_row,
    route_row,
    setting,
)
from tests.windows.test_watcher_windows import name_of, read_all, summary

pytestmark = pytest.mark.usefixtures("link")
all_kinds = pytest.mark.parametrize("kind", ROW_KINDS, ids=lambda kind: kind.kind.name)


def test_slow_callback_gets_the_last_change_of_each_row() -> None:
    inside, leave = threading.Event(), threading.Event()

    def hold(*_: Any) -> None:
        inside.set()
        assert leave.wait(60)

    rows = [route_row(1, f"198.18.{number}.0/24") for number in range(3)]
    made: list[tuple[str, int]] = []
    with ROUTE.notify(seen := Collector(hold)) as registration:
        ROUTE.put(route_row(1))
        assert inside.wait(60)
        called, merged = stat(Figure.CALLBACKS), stat(Figure.MERGED)
        for row in rows:
            ROUTE.put(row)
            made.append((str(row.DestinationPrefix.Prefix.address), ADD))
            for row.Metric in range(2, 20):
                ROUTE.put(row)
                made.append((made[-1][0], PARAMETER))
        ROUTE.delete(rows[0])
        made.append((str(rows[0].DestinationPrefix.Prefix.address), DELETE))
        assert stat(Figure.MERGED) == merged + 17 * 3 + 2
        leave.set()
        drain()
        assert stat(Figure.CALLBACKS) == called + 6
        events = seen.wait_count(6)[1:]
        assert registration.delivered == 6
    reported = [(str(row.destination_prefix.network_address), type) for row, type in events]
    assert_reported(made, reported)
    assert [type for _, type in reported] == [ADD, PARAMETER, ADD, PARAMETER, DELETE]


@contextlib.contextmanager
def while_another_is_under_way(kind: RowKind) -> Iterator[None]:
    """What Windows reports meanwhile waits, and merges."""
    nowhere = kind.make(1)
    nowhere.InterfaceIndex = nowhere.InterfaceLuid = 99
    drain()
    with setting(Setting.BLOCKED):
        inject(kind.kind, nowhere, PARAMETER)
        eventually(lambda: stat(Figure.RUNNING) > 0)
        yield


@all_kinds
def test_deleted_and_added_again_row_of_a_watcher_is_a_parameter_at_most(kind: RowKind) -> None:
    """Windows reports the ADD alone, of a row that the Watcher has."""
    for number, expected in [(1400, []), (1300, [(PARAMETER, 1300)])]:
        kind.put(kind.make(1400))
        with Watcher(name_of(kind), "route") as watcher:
            merged = stat(Figure.MERGED)
            with while_another_is_under_way(kind):
                kind.delete(kind.make(1400))
                kind.put(kind.make(number))
            assert summary(read_all(watcher), kind) == expected
            assert stat(Figure.MERGED) > merged


@all_kinds
def test_added_and_deleted_row_of_a_watcher_is_nothing(kind: RowKind) -> None:
    """Windows reports the DELETE alone, of a row that the Watcher never had."""
    with Watcher(name_of(kind), "route") as watcher:
        row = kind.make(1400)
        if kind is INTERFACE:
            kind.delete(row)
            assert [type for type, _ in summary(read_all(watcher), kind)] == [DELETE]
        merged = stat(Figure.MERGED)
        with while_another_is_under_way(kind):
            kind.put(row)
            kind.delete(row)
        assert read_all(watcher) == []
        assert stat(Figure.MERGED) > merged


@pytest.mark.parametrize("bare", [0, 1, 2, 5])
@pytest.mark.parametrize("merge", [0, 1, 2])
def test_watcher_has_the_state_whatever_windows_merges(merge: int, bare: int, seed: int) -> None:
    """Of a few rows that come, change and go; each change that it delivers fits its state."""
    configure(Setting.MERGE, merge)
    configure(Setting.BARE_DELETES, bare)
    chance = random.Random(seed)
    with Watcher(snapshot=True) as watcher:
        state: State = {}
        apply(state, read_snapshot(watcher))
        for _ in range(20):
            with while_another_is_under_way(chance.choice(ROW_KINDS)):
                for _ in range(chance.randrange(40)):
                    change_some_row(chance)
            apply(state, read_all(watcher))
            assert {k: v._asdict() for k, v in state.items()} == {
                k: v._asdict() for k, v in tables().items()
            }


def change_some_row(chance: random.Random) -> None:
    kind, number = chance.choice(ROW_KINDS), chance.randrange(1280, 1290)
    row = kind.make(number)
    if kind is ROUTE:
        row = route_row(number, chance.choice(["198.51.100.0/24", "203.0.113.0/25", "::/0"]))
    elif kind is ADDRESS:
        row = address_row(number, chance.choice(["192.0.2.1/24", "192.0.2.2/24", "2001:db8::1/64"]))
    if chance.random() < 0.4:
        with contextlib.suppress(AssertionError):  # it is not there
            kind.delete(row)
    else:
        kind.put(row)

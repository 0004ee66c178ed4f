# SPDX-License-Identifier: MIT
"""Windows calls back with the key of a row alone. With details (the default) the row is read before
the GIL is requested; where that fails for any reason, the key is delivered."""

from __future__ import annotations

import ctypes
import functools
import operator
import sys
import threading
from typing import Any

import pytest

from tests.support.collector import Collector
from tests.support.waiting import eventually
from tests.windows.dll import Figure, Setting, checked, configure, drain, inject, stat
from tests.windows.structures import Interface, Route
from tests.windows.support import (
    ADD,
    ADDRESS,
    DELETE,
    INDEX,
    INTERFACE,
    PARAMETER,
    ROUTE,
    ROW_KINDS,
    RowKind,
    failing,
    route_row,
    setting,
)

pytestmark = pytest.mark.usefixtures("link")
CODES = [2, 5, 8, 50, 87, 1168, 0x80070005]
all_kinds = pytest.mark.parametrize("kind", ROW_KINDS, ids=lambda kind: kind.kind.name)


def take(collector: Collector, count: int) -> list[tuple[Any, ...]]:
    """The events, exactly so many once every callback ran."""
    drain()
    collector.wait_count(count)
    assert len(collector) == count
    events: list[tuple[Any, ...]] = collector.events
    collector.clear()
    return events


def first_change(kind: RowKind) -> tuple[Any, int]:
    """A row to put, and the type of its change: the interface exists already."""
    return kind.make(1400), PARAMETER if kind is INTERFACE else ADD


@all_kinds
def test_callback_gets_the_whole_row(kind: RowKind, collector: Collector) -> None:
    row, type = first_change(kind)
    with kind.notify(collector) as registration:
        kind.put(row)
        ((got, how),) = take(collector, 1)
        assert (how, getattr(got, kind.number)) == (type, 1400)
        assert got == kind.get_entry(got)
        assert got._asdict() == kind.get_entry(got)._asdict()
        setattr(row, kind.member, 1300)
        before = stat(Figure.ENTRY_CALLS)
        kind.put(row)
        ((got, how),) = take(collector, 1)
        assert (how, getattr(got, kind.number)) == (PARAMETER, 1300)
        assert stat(Figure.ENTRY_CALLS) == before + 1
        assert registration.errors == 0


@all_kinds
def test_members_beside_the_key_are_read_again(kind: RowKind, collector: Collector) -> None:
    """Some Windows versions give more than the key; those members are not trusted."""
    kind.put(kind.make(1400))
    stale = kind.make(99)
    with kind.notify(collector), kind.notify(keys := Collector(), details=False):
        assert inject(kind.kind, stale, PARAMETER) == 2
        ((got, _),) = take(collector, 1)
        assert getattr(got, kind.number) == 1400
        ((got, _),) = take(keys, 1)
        assert getattr(got, kind.number) is None
    with setting(Setting.FULL_ROWS), kind.notify(keys, details=False):
        kind.put(kind.make(1300))
        ((got, _),) = take(keys, 1)
        assert kind.is_key_row(got)


@all_kinds
def test_deleted_row_is_delivered_as_its_key(kind: RowKind, collector: Collector) -> None:
    """Also when another row with that key exists by now."""
    kind.put(row := kind.make(1400))
    (whole,) = [one for one in kind.get_table() if getattr(one, kind.number) == 1400]
    with kind.notify(collector):
        configure(Setting.BLOCKED, 1)
        before = stat(Figure.ENTRY_CALLS)
        kind.delete(row)
        kind.put(kind.make(1300))
        configure(Setting.BLOCKED, 0)
        events = take(collector, 2)
    (gone, how), (new, added) = events
    assert (how, added) == (DELETE, ADD)
    assert kind.is_key_row(gone)
    assert gone.key == whole.key == new.key
    assert [getattr(gone, name) for name in kind.keys] == [getattr(whole, n) for n in kind.keys]
    assert getattr(new, kind.number) == 1300
    assert stat(Figure.ENTRY_CALLS) == before + 1


@all_kinds
def test_row_that_is_gone_already_is_delivered_as_its_key(
    kind: RowKind, collector: Collector
) -> None:
    row, type = first_change(kind)
    with kind.notify(collector) as registration:
        configure(Setting.BLOCKED, 1)
        kind.put(row)
        kind.delete(row)
        configure(Setting.BLOCKED, 0)
        (added, how), (gone, last) = take(collector, 2)
        assert (how, last) == (type, DELETE)
        assert kind.is_key_row(added)
        assert added.key == gone.key
        assert registration.errors == 0
        # For an unknown interface GetUnicastIpAddressEntry returns 2, not 1168.
        nowhere = kind.make(1)
        nowhere.InterfaceIndex, nowhere.InterfaceLuid = 99, 99
        assert inject(kind.kind, nowhere, ADD) == 1
        ((got, _),) = take(collector, 1)
        assert kind.is_key_row(got)
        assert (got.interface_index, got.interface_luid) == (99, 99)


@all_kinds
@pytest.mark.parametrize("code", CODES)
def test_row_that_cannot_be_read_is_delivered_as_its_key(
    kind: RowKind, code: int, collector: Collector
) -> None:
    row, type = first_change(kind)
    with kind.notify(collector) as registration:
        with failing(kind.entry, code, 1):
            kind.put(row)
            ((got, how),) = take(collector, 1)
        assert how == type
        assert kind.is_key_row(got)
        assert registration.errors == 0
        setattr(row, kind.member, 1300)
        kind.put(row)
        ((got, _),) = take(collector, 1)
        assert getattr(got, kind.number) == 1300


@all_kinds
def test_callback_without_details_reads_no_row(kind: RowKind, collector: Collector) -> None:
    row, type = first_change(kind)
    with kind.notify(collector, details=False) as registration:
        before = stat(Figure.ENTRY_CALLS), stat(Figure.TABLE_CALLS)
        kind.put(row)
        drain()
        setattr(row, kind.member, 1300)
        kind.put(row)
        drain()
        kind.delete(row)
        events = take(collector, 3)
        assert (stat(Figure.ENTRY_CALLS), stat(Figure.TABLE_CALLS)) == before
        assert [how for _, how in events] == [type, PARAMETER, DELETE]
        assert all(kind.is_key_row(got) for got, _ in events)
        assert registration.delivered == 3


@all_kinds
def test_row_is_read_before_the_gil_is_requested(kind: RowKind) -> None:
    """Between these C calls no Python code runs, so no other thread gets the GIL; the row is read
    all the same, by a thread that then waits for it."""
    assert sys.platform == "win32"
    system = ctypes.PyDLL("iphlpapi.dll")  # its calls keep the GIL
    row, type = first_change(kind)
    seen = Collector()
    with kind.notify(seen) as registration:
        before = stat(Figure.ENTRY_CALLS)
        calls = [
            functools.partial(system.standin_inject, kind.kind, 0, ctypes.byref(row), int(type)),
            functools.partial(system.standin_drain, 1000),
            functools.partial(system.standin_stat, Figure.ENTRY_CALLS),
            functools.partial(getattr, registration, "delivered"),
        ]
        given, drained, read, delivered = map(operator.call, calls)
        assert (given, drained, delivered) == (1, 0, 0)
        assert read == before + 1
        seen.wait_count(1)


@pytest.mark.parametrize("overlap", [0, 1])
@all_kinds
def test_delivered_rows_never_go_back_in_time(kind: RowKind, overlap: int) -> None:
    """One row changes without a pause, and callbacks may overtake each other: a delivered row is
    never older than the one before, and the last is the current one. None that Windows reported is
    missing."""
    changes = 3000
    numbers: list[int] = []

    def look(got: Any, type: Any) -> None:
        numbers.append(getattr(got, kind.number))

    configure(Setting.OVERLAP, overlap)
    kind.put(kind.make(1280))
    with kind.notify(look) as registration:
        posted, called = stat(Figure.POSTED), stat(Figure.CALLBACKS)

        def change() -> None:
            row: Route | Interface | Any = kind.make(1280)
            for number in range(1281, 1281 + changes):
                setattr(row, kind.member, number)
                kind.put(row)

        maker = threading.Thread(target=change)
        maker.start()
        maker.join(30)
        assert stat(Figure.POSTED) == posted + changes
        drain()
        reported = stat(Figure.CALLBACKS) - called
        eventually(lambda: registration.delivered == reported)
    assert numbers == sorted(numbers)
    assert numbers[-1] == 1280 + changes


def test_rows_of_overlapping_callbacks_are_not_mixed_up(collector: Collector) -> None:
    """Each of many rows, notified at once on several threads, is read under its own key."""
    configure(Setting.OVERLAP, 1)
    first = route_row(1, "10.0.0.0/32", INDEX)
    with ROUTE.notify(collector) as registration:
        checked("standin_put_routes", first, 5000)
        drain()
        eventually(lambda: registration.delivered == 5000)
    assert len({row.destination_prefix for row, _ in collector.events}) == 5000
    assert {(row.metric, type) for row, type in collector.events} == {(1, ADD)}
    checked("standin_delete_routes", first, 5000)


def test_row_that_changes_before_its_callback_is_delivered_as_it_is(
    netns: Any, collector: Collector
) -> None:
    """The ADD of an address arrives while it is tentative; its state at the time of the callback is
    delivered."""
    netns.dad_seconds = None
    netns.veth()
    with ADDRESS.notify(collector):
        netns.ip("address add 2001:db8::1/64 dev v0")
        ((got, how),) = take(collector, 1)
        assert (how, got.dad_state.name) == (ADD, "TENTATIVE")
        netns.settle()
        drain()
        (row,) = [one for one, _ in collector.events if one.key == got.key]
        assert row.dad_state.name == "PREFERRED"

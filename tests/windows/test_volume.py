# SPDX-License-Identifier: MIT
"""Large volumes: 100,000 changes, of which none that Windows reports is missing or out of order;
registrations that come and go under a flood from several threads; the cost of the GIL meanwhile."""

from __future__ import annotations

import contextlib
import functools
import random
import sys
import threading
import time
from ipaddress import IPv4Address, ip_network
from typing import Any

import pytest

from netioapi import Watcher
from tests.support.background import BackgroundCall
from tests.support.collector import Collector
from tests.support.promise import assert_reported
from tests.support.waiting import eventually
from tests.windows.dll import Figure, Kind, Setting, checked, configure, drain, inject, stat
from tests.windows.flood import Flood
from tests.windows.structures import AF_INET
from tests.windows.support import (
    ADD,
    DELETE,
    INDEX,
    NOTIFY,
    PARAMETER,
    ROUTE,
    live,
    no_handle_left,
    route_row,
)

pytestmark = [pytest.mark.usefixtures("link"), pytest.mark.timeout(180)]
MANY = 100_000
FIRST = int(IPv4Address("10.0.0.0"))


def numbers(rows: Any) -> list[int]:
    """The number of each row's route, counted from 10.0.0.0/32."""
    return [int(row.destination_prefix.network_address) - FIRST for row in rows]


@pytest.mark.parametrize(("details", "merge"), [(True, 0), (False, 0), (True, 1)])
def test_hundred_thousand_changes_reach_a_callback_in_order(details: bool, merge: int) -> None:
    configure(Setting.MERGE, merge)
    called = stat(Figure.CALLBACKS)
    rows: list[Any] = []
    types: list[int] = []

    def look(row: Any, type: Any) -> None:
        rows.append(row)
        types.append(type)

    with ROUTE.notify(look, AF_INET, details=details) as registration:
        checked("standin_put_routes", route_row(5, "10.0.0.0/32"), MANY // 2)
        checked("standin_delete_routes", route_row(5, "10.0.0.0/32"), MANY // 2)
        drain(120)
        reported = stat(Figure.CALLBACKS) - called
        eventually(lambda: registration.delivered == reported)
        assert registration.errors == 0
    assert merge or reported == MANY
    made = [(number, type) for type in (ADD, DELETE) for number in range(MANY // 2)]
    assert_reported(made, zip(numbers(rows), types, strict=True))
    assert {row.interface_index for row in rows} == {INDEX}
    pairs = zip(rows, types, strict=True)
    assert all(row.metric is None for row, type in pairs if type == DELETE)


@pytest.mark.parametrize("merge", [0, 1])
def test_hundred_thousand_notifications_of_one_row_are_delivered(merge: int) -> None:
    """One row, whose state is read for each notification."""
    configure(Setting.MERGE, merge)
    called = stat(Figure.CALLBACKS)
    ROUTE.put(row := route_row(7))
    order: list[int] = []

    def look(got: Any, type: Any) -> None:
        order.append(type)

    given = [ADD, PARAMETER, PARAMETER, DELETE] * (MANY // 4)
    with ROUTE.notify(look) as registration:
        for type in given:
            inject(Kind.ROUTE, row, type)
        drain(120)
        reported = stat(Figure.CALLBACKS) - called
        eventually(lambda: registration.delivered == reported)
    assert merge or reported == MANY
    assert_reported([("", type) for type in given], [("", type) for type in order])


def test_hundred_thousand_overlapping_changes_are_delivered() -> None:
    """On several threads at once: none is lost and no two calls overlap, though the order is
    lost."""
    seen: set[tuple[int, int]] = set()
    inside = overlaps = 0

    def look(row: Any, type: Any) -> None:
        nonlocal inside, overlaps
        inside += 1
        overlaps += inside > 1
        seen.add((int(row.destination_prefix.network_address) - FIRST, type))
        inside -= 1

    configure(Setting.OVERLAP, 1)
    with ROUTE.notify(look, AF_INET, details=False) as registration:
        checked("standin_put_routes", route_row(5, "10.0.0.0/32"), MANY // 2)
        checked("standin_delete_routes", route_row(5, "10.0.0.0/32"), MANY // 2)
        drain(120)
        eventually(lambda: registration.delivered == MANY)
        assert registration.errors == 0
    assert (len(seen), overlaps) == (MANY, 0)


@pytest.mark.parametrize("overlap", [0, 1])
def test_hundred_thousand_changes_reach_a_watcher(overlap: int) -> None:
    configure(Setting.OVERLAP, overlap)
    changes: list[Any] = []
    with Watcher("route", family=AF_INET) as watcher:
        checked("standin_put_routes", route_row(5, "10.0.0.0/32"), MANY)
        while len(changes) < MANY:
            batch = watcher.read(timeout=60)
            assert batch is not None, watcher.stats()
            assert not batch.overflow
            changes += batch
        drain(60)
        assert watcher.read(timeout=0) is None
        stats = watcher.stats()
    assert {(c.type, c.row.metric, c.initial, c.synthesized) for c in changes} == {
        (ADD, 5, False, False)
    }
    found = numbers(c.row for c in changes)
    assert (sorted(found) if overlap else found) == [*range(MANY)]
    times = [c.time_ns for c in changes]
    assert overlap or times == sorted(times)
    assert (stats["received"], stats["delivered"], stats["coalesced"]) == (MANY, MANY, 0)
    assert (stats["lost"], stats["overflows"], stats["resyncs"]) == (0, 0, 0)


def test_five_hundred_registrations_under_a_flood_leave_nothing(seed: int) -> None:
    failures = Collector()
    functions = [notify for notify, _ in NOTIFY.values()]

    def work(me: int, rounds: int) -> None:
        chance = random.Random(seed + me)
        for _ in range(rounds):
            over = [False]

            def look(*_: Any, over: list[bool] = over) -> None:
                if over[0]:
                    failures("a callback after cancel() returned")

            registration = chance.choice(functions)(
                look, on_error=failures, initial_notification=chance.random() < 0.5
            )
            if chance.random() < 0.5:  # some of them see changes
                threading.Event().wait(chance.random() * 0.01)
            way = chance.randrange(4)
            if way == 0:
                registration.cancel(wait=False)
                continue
            if way == 1:
                with contextlib.suppress(TimeoutError):
                    registration.cancel(0)
            registration.cancel()
            over[0] = True

    def rounds(count: int) -> None:
        with Flood(INDEX, pause=0, threads=2):
            workers = [BackgroundCall(functools.partial(work, me, count // 5)) for me in range(5)]
            for worker in workers:
                worker.join(120)
                worker.result()

    before = live()
    for overlap in (0, 1):
        configure(Setting.OVERLAP, overlap)
        rounds(50)
        eventually(lambda: live() == before)
        ROUTE.notify(lambda *_: None).cancel()
        with no_handle_left():
            rounds(500)
            assert failures.events == []
            eventually(lambda: live() == before)
            drain(60)
            ROUTE.notify(lambda *_: None).cancel()


def spin(seconds: float, until: Any) -> None:
    """A main thread that releases the GIL only when it must."""
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end


def test_changes_beside_a_busy_main_thread_share_gil_acquisitions() -> None:
    """The main thread releases the GIL once per switch interval. Where Windows makes callbacks at
    the same time, those that wait share one acquisition; where it makes one after the other, each
    takes the GIL. A Watcher avoids that."""
    changes = 3000
    configure(Setting.OVERLAP, 1)
    with ROUTE.notify(lambda *_: None, AF_INET) as registration:
        maker = threading.Thread(
            target=checked, args=("standin_put_routes", route_row(5, "10.0.0.0/32"), changes)
        )
        maker.start()
        try:
            spin(60, lambda: registration.delivered == changes)
        finally:
            maker.join()
        assert registration.batches <= changes // 3, registration.batches


def test_busy_main_thread_does_not_delay_a_watcher() -> None:
    """Nothing that fills its queue takes the GIL."""
    changes, interval = 10_000, sys.getswitchinterval()
    with Watcher("route", family=AF_INET) as watcher:
        sys.setswitchinterval(1000)
        try:
            end = time.monotonic() + 60
            checked("standin_put_routes", route_row(5, "10.0.0.0/32"), changes)
            while watcher.stats()["received"] < changes:  # the GIL stays in this thread
                assert time.monotonic() < end, watcher.stats()
        finally:
            sys.setswitchinterval(interval)
        batch = watcher.read(timeout=0)
        assert batch is not None
        assert len(batch) == changes


def test_five_hundred_registrations_get_one_change_each(collector: Collector) -> None:
    with contextlib.ExitStack() as stack:
        made = [stack.enter_context(ROUTE.notify(collector)) for _ in range(500)]
        posted = stat(Figure.POSTED)
        ROUTE.put(route_row(1))
        assert stat(Figure.POSTED) == posted + 500
        collector.wait_count(500)
        drain()
        assert [one.delivered for one in made] == [1] * 500


def test_prefix_of_each_length_is_delivered(collector: Collector) -> None:
    with ROUTE.notify(collector):
        for length in range(33):
            prefix = ip_network(f"10.{length}.0.0/{length}", strict=False)
            ROUTE.put(route_row(length, str(prefix)))
        events = collector.wait_count(33)
    assert [row.destination_prefix.prefixlen for row, _ in events] == [*range(33)]

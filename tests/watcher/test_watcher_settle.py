# SPDX-License-Identifier: MIT
"""settle and max_delay, with a clock that the test advances: no test waits for real time."""

from __future__ import annotations

import random
import select
import socket
import time
from collections.abc import Iterator
from ipaddress import ip_network

import pytest

import netioapi.watcher
from netioapi import NotificationType, Watcher
from tests.support.changes import read_until, route_to
from tests.support.network import Network
from tests.support.platforms import WINDOWS, linux_only
from tests.support.waiting import eventually

ADD, DELETE = NotificationType.ADD, NotificationType.DELETE
PARAMETER = NotificationType.PARAMETER


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(netioapi.watcher, "_clock", clock)
    return clock


class RouteChanger:
    """Changes routes, and returns once `plain` has read each change. (Call `feed` before the same
    route changes again: another watcher may not have it yet.)"""

    def __init__(self, netns: Network) -> None:
        netns.veth()
        self.netns = netns
        self.plain = Watcher("route", family=socket.AF_INET)

    def __call__(self, command: str, type: NotificationType = ADD) -> None:
        self.netns.ip(f"route {command} dev v0")
        read_until(self.plain, route_to(command.split()[1], type))


@pytest.fixture
def change_route(netns: Network) -> Iterator[RouteChanger]:
    change_route = RouteChanger(netns)
    with change_route.plain:
        yield change_route


def feed(watcher: Watcher, count: int) -> None:
    """Lets the watcher take in changes, until it has so many in all."""
    deadline = time.monotonic() + 30
    while watcher._watch.stats()["delivered"] < count:
        assert time.monotonic() < deadline, watcher.stats()
        watcher._watch.wait(60)
        assert watcher.read(timeout=0) is None


def test_settled_changes_are_the_last_ones_once_quiet(
    change_route: RouteChanger, clock: Clock
) -> None:
    with Watcher("route", family=socket.AF_INET, settle=1.0) as watcher:
        change_route("add 10.1.0.0/16")
        change_route("add 10.2.0.0/16")
        feed(watcher, 2)
        change_route("replace 10.1.0.0/16 mtu 1400", PARAMETER)
        feed(watcher, 3)
        clock.now += 0.9
        assert watcher.read(timeout=0) is None
        change_route("add 10.3.0.0/16")
        feed(watcher, 4)
        clock.now += 0.9  # 1.8 after the first change, 0.9 after the last
        assert watcher.read(timeout=0) is None
        clock.now += 0.2
        batch = watcher.read(timeout=0)
        assert batch is not None
        assert [(str(c.row.destination_prefix), c.type) for c in batch] == [
            ("10.2.0.0/16", ADD),
            ("10.1.0.0/16", ADD),  # in its last state, at its last place
            ("10.3.0.0/16", ADD),
        ]
        assert batch[1].row.route_mtu == (None if WINDOWS else 1400)
        assert watcher.read(timeout=0) is None
        change_route("replace 10.1.0.0/16 mtu 1300", PARAMETER)
        change_route("del 10.2.0.0/16", DELETE)
        change_route("del 10.3.0.0/16", DELETE)
        feed(watcher, 7)
        change_route("add 10.3.0.0/16")
        change_route("add 10.4.0.0/16")
        feed(watcher, 9)
        change_route("del 10.4.0.0/16", DELETE)
        feed(watcher, 10)
        clock.now += 1.0
        batch = watcher.read(timeout=0)
        assert batch is not None
        assert [(str(c.row.destination_prefix), c.type) for c in batch] == [
            ("10.1.0.0/16", PARAMETER),
            ("10.2.0.0/16", DELETE),
            ("10.3.0.0/16", PARAMETER),  # it existed before, and exists
        ]  # and 10.4.0.0/16 has come and gone
        stats = watcher.stats()
        assert (stats["received"], stats["delivered"], stats["coalesced"]) == (10, 6, 4)


def test_max_delay_delivers_before_it_is_quiet(change_route: RouteChanger, clock: Clock) -> None:
    with Watcher("route", family=socket.AF_INET, settle=1.0, max_delay=2.5) as watcher:
        for i in range(3):
            change_route(f"add 10.{i}.0.0/16")
            feed(watcher, i + 1)
            clock.now += 0.9
        batch = watcher.read(timeout=0)  # 2.7 after the first change, 0.9 after the last
        assert batch is not None
        assert len(batch) == 3
        change_route("add 10.9.0.0/16")  # the time starts anew
        feed(watcher, 4)
        clock.now += 0.9
        assert watcher.read(timeout=0) is None
        clock.now += 0.1
        assert watcher.read(timeout=0) is not None


def test_settled_batch_is_split_by_max_changes_and_keeps_its_flags(
    change_route: RouteChanger, clock: Clock
) -> None:
    for i in range(10):
        change_route(f"add 10.{i}.0.0/16")
    with Watcher("route", prefixes=["10.0.0.0/8"], snapshot=True, settle=1.0) as watcher:
        change_route("replace 10.3.0.0/16 mtu 1400", PARAMETER)
        change_route("add 10.77.0.0/16")
        feed(watcher, 12)
        clock.now += 1
        batches = []
        while batch := watcher.read(timeout=0, max_changes=4):
            batches.append(batch)
        assert [len(b) for b in batches] == [4, 4, 3]
        assert [b.synced for b in batches] == [False, False, True]
        assert [b.overflow for b in batches] == [False] * 3
        changes = [c for b in batches for c in b]
        assert [c.initial for c in changes] == [True] * 10 + [False]
        state = {c.row.key: c.row for c in changes}
        assert state == routes_below_10()


def test_settled_changes_lead_to_the_same_state(
    change_route: RouteChanger, clock: Clock, seed: int
) -> None:
    chance = random.Random(seed)
    with Watcher("route", family=socket.AF_INET, settle=1.0, max_delay=5.0) as watcher:
        present: dict[int, int] = {}
        state: dict[bytes, object] = {}
        for turn in range(20):
            lines = []
            for _ in range(50):
                i = chance.randrange(12)
                if present.pop(i, None) is None:
                    present[i] = 1
                    lines.append(f"route add 10.1.{i}.0/24 dev v0")
                elif chance.random() < 0.5:
                    present[i] = 1
                    lines.append(
                        f"route replace 10.1.{i}.0/24 dev v0 proto {chance.randint(5, 200)}"
                    )
                else:
                    lines.append(f"route del 10.1.{i}.0/24 dev v0")
            change_route.netns.batch("\n".join(lines))
            change_route(f"add 10.2.{turn}.0/24")
            while (batch := watcher.read(timeout=0)) is None or to_not_in(batch, turn):
                for change in batch or ():
                    follow(state, change)
                clock.now += chance.choice([0.3, 0.6, 1.2])
            for change in batch:
                follow(state, change)
            assert state == routes_below_10()


def routes_below_10() -> dict[bytes, object]:
    """The routes below 10.0.0.0/8, without those of the system."""
    found = netioapi.get_ip_forward_table2(socket.AF_INET)
    return {row.key: row for row in found if str(row.destination_prefix).startswith("10.")}


def to_not_in(batch: netioapi.Batch, turn: int) -> bool:
    return not any(c.row.destination_prefix == ip_network(f"10.2.{turn}.0/24") for c in batch)


def follow(state: dict[bytes, object], change: netioapi.Change) -> None:
    key = change.row.key
    assert change.type != PARAMETER or key in state, change
    assert change.type != ADD or key not in state, change
    if change.type == DELETE:
        assert key in state, change
        del state[key]
    else:
        state[key] = change.row


def test_stop_drops_changes_that_are_held_back(change_route: RouteChanger, clock: Clock) -> None:
    with Watcher("route", settle=1.0) as watcher:
        change_route("add 10.1.0.0/16")
        feed(watcher, 1)
        assert watcher.stats()["queued"] == 1
        watcher.stop()
        clock.now += 10
        assert watcher.read() is None
        assert list(watcher) == []


def test_late_read_is_not_delayed_by_newer_changes(
    change_route: RouteChanger, clock: Clock
) -> None:
    with Watcher("route", family=socket.AF_INET, settle=1.0) as watcher:
        change_route("add 10.1.0.0/16")
        feed(watcher, 1)
        clock.now += 4  # quiet for long enough
        change_route("add 10.2.0.0/16")
        batch = watcher.read(timeout=0)
        assert batch is not None
        assert [str(change.row.destination_prefix) for change in batch] == ["10.1.0.0/16"]
        feed(watcher, 2)  # else the second change may arrive after the clock's next step
        assert watcher.read(timeout=0) is None
        clock.now += 1
        eventually(lambda: watcher.read(timeout=0))


@linux_only("no fileno()")
def test_select_on_a_settled_watcher_wakes_for_due_changes(
    change_route: RouteChanger, clock: Clock
) -> None:
    with Watcher("route", family=socket.AF_INET, settle=1.0) as watcher:
        for number in range(5):
            change_route(f"add 10.{number}.0.0/16")
        feed(watcher, 5)
        assert select.select([watcher], [], [], 0)[0] == []  # held back, and not yet due
        clock.now += 1
        sizes = []
        while batch := watcher.read(timeout=0, max_changes=2):
            sizes.append(len(batch))
            assert sum(sizes) == 5 or select.select([watcher], [], [], 0)[0]
        assert sizes == [2, 2, 1]
        assert select.select([watcher], [], [], 0)[0] == []

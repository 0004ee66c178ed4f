# SPDX-License-Identifier: MIT
"""Merged changes, with `settle` and behind a slow reader: what came and went is not delivered, and
the end of what the reader may have is."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from typing import Any

import pytest

import netioapi
from netioapi import Batch, Change, NotificationType, Watcher
from tests.support.changes import apply, read_until, route_to
from tests.support.network import Network
from tests.support.platforms import linux_only
from tests.support.waiting import eventually
from tests.watcher.test_watcher_settle import Clock, RouteChanger, feed

ADD, DELETE = NotificationType.ADD, NotificationType.DELETE
PARAMETER = NotificationType.PARAMETER
PREFIX = "10.1.0.0/16"
BARRIER = "10.99.0.0/16"

# A word is one change of the route: a(dd), p(arameter), d(elete).
#   before the Watcher | delivered | merged | in the end
CASES = [
    ("", "", "ad", None),
    ("", "", "apd", None),
    ("", "", "adad", None),
    ("", "", "ada", ADD),
    ("", "", "adap", ADD),
    ("", "", "apdadad", None),
    ("", "a", "d", DELETE),
    ("", "a", "da", PARAMETER),
    ("", "a", "dad", DELETE),
    ("", "a", "pd", DELETE),
    ("", "ad", "ad", None),
    ("", "ad", "ada", ADD),
    ("a", "", "d", DELETE),
    ("a", "", "pd", DELETE),
    ("a", "", "da", PARAMETER),
    ("a", "", "dad", DELETE),
    ("a", "", "dadad", DELETE),
    ("a", "d", "ad", None),
    ("a", "d", "a", ADD),
]
# With a snapshot the reader has nothing before, and after the first read what there was.
SNAPSHOT_CASES = [
    ("a", "d", None),
    ("a", "pd", None),
    ("a", "dad", None),
    ("a", "da", ADD),
    ("a", "p", ADD),
    ("", "ad", None),
]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(netioapi.watcher, "_clock", clock)
    return clock


class Words(RouteChanger):
    """Changes of one route by letters; `count` of them were made."""

    mtu = 1300

    def write(self, word: str) -> int:
        for letter in word:
            if letter == "a":
                self(f"add {PREFIX}")
            elif letter == "d":
                self(f"del {PREFIX}", DELETE)
            else:
                self.mtu += 1
                self(f"replace {PREFIX} mtu {self.mtu}", PARAMETER)
        return len(word)


@pytest.fixture
def route(netns: Network) -> Iterator[Words]:
    words = Words(netns)
    with words.plain:
        yield words


def types(batches: list[Batch | None]) -> list[tuple[str, NotificationType]]:
    return [
        (str(change.row.destination_prefix), change.type)
        for batch in batches
        for change in batch or ()
    ]


@pytest.mark.parametrize(("before", "delivered", "merged", "end"), CASES)
def test_settled_changes_end_only_what_the_reader_may_have(
    route: Words,
    clock: Clock,
    before: str,
    delivered: str,
    merged: str,
    end: NotificationType | None,
) -> None:
    route.write(before)
    with Watcher("route", family=socket.AF_INET, settle=1.0) as watcher:
        count = 0
        for letter in delivered:
            count += route.write(letter)
            feed(watcher, count)
            clock.now += 1
            assert watcher.read(timeout=0) is not None
        for letter in merged:
            count += route.write(letter)
            feed(watcher, count)
        clock.now += 1
        found = types([watcher.read(timeout=0)])
        assert found == ([] if end is None else [(PREFIX, end)])
        assert watcher.read(timeout=0) is None
        stats = watcher.stats()
        assert stats["received"] == count
        assert stats["delivered"] == len(delivered) + len(found)
        assert stats["coalesced"] == count - stats["delivered"]
        assert stats["queued"] == 0


@pytest.mark.parametrize(("before", "merged", "end"), SNAPSHOT_CASES)
def test_settled_snapshot_row_that_went_is_not_delivered(
    route: Words, clock: Clock, before: str, merged: str, end: NotificationType | None
) -> None:
    route.write(before)
    with Watcher("route", prefixes=[PREFIX], snapshot=True, settle=1.0) as watcher:
        count = len(before)
        for letter in merged:
            count += route.write(letter)
            feed(watcher, count)
        feed_marks(watcher)
        clock.now += 1
        batch = watcher.read(timeout=0)
        assert batch is not None
        assert batch.synced  # an empty snapshot is reported, too
        assert types([batch]) == ([] if end is None else [(PREFIX, end)])
        for change in batch:
            assert change.initial == ("d" not in merged)


def feed_marks(watcher: Watcher) -> None:
    settler = watcher._settler
    assert settler is not None
    eventually(lambda: watcher.read(timeout=0) is None and settler._synced)


def await_received(watcher: Watcher, count: int) -> None:
    eventually(lambda: watcher.stats()["received"] == count)


@pytest.mark.parametrize(("before", "delivered", "merged", "end"), CASES)
def test_changes_behind_a_slow_reader_end_only_what_it_may_have(
    route: Words, before: str, delivered: str, merged: str, end: NotificationType | None
) -> None:
    route.write(before)
    with Watcher("route", family=socket.AF_INET, queue=1) as watcher:
        count = 0
        for letter in delivered:
            count += route.write(letter)
            assert types([watcher.read(timeout=60)]) == [
                (PREFIX, {"a": ADD, "d": DELETE, "p": PARAMETER}[letter])
            ]
        route(f"add {BARRIER}")  # the queue is at its bound
        await_received(watcher, count := count + 1)
        for letter in merged:  # each is seen: Windows' rows are read after their notifications
            await_received(watcher, count := count + route.write(letter))
        wanted = [(BARRIER, ADD)] + ([] if end is None else [(PREFIX, end)])
        assert types([watcher.read(timeout=60)]) == wanted
        assert watcher.read(timeout=0) is None
        stats = watcher.stats()
        assert stats["coalesced"] == count - stats["delivered"]


def test_read_behind_which_all_changes_came_and_went_goes_on_waiting(route: Words) -> None:
    with Watcher("route", family=socket.AF_INET, queue=1) as watcher:
        for count, letter in enumerate("adadadad", 1):
            route.write(letter)  # which waits for another Watcher
            eventually(lambda count=count: watcher.stats()["received"] == count)  # type: ignore[misc]
        # The first changes may be read one by one: only later ones merge.
        assert types([watcher.read(timeout=0)]) in ([], [(PREFIX, ADD), (PREFIX, DELETE)])
        assert watcher.read(timeout=0) is None
        route.write("ad")
        route(f"add {BARRIER}")
        found: list[Change] = []
        while not any(map(route_to(BARRIER), found)):
            found += watcher.read(timeout=60) or []
        apply({}, found)


def test_settled_changes_left_by_max_changes_are_merged_by_what_was_delivered(
    route: Words, clock: Clock
) -> None:
    prefixes = [f"10.{number}.0.0/16" for number in range(4)]
    with Watcher("route", family=socket.AF_INET, settle=1.0) as watcher:
        for prefix in prefixes:
            route(f"add {prefix}")
        feed(watcher, 4)
        clock.now += 1
        assert types([watcher.read(timeout=0, max_changes=2)]) == [
            (prefixes[0], ADD),
            (prefixes[1], ADD),
        ]
        assert watcher._settler is not None
        for prefix in prefixes:
            route(f"del {prefix}", DELETE)
        eventually(lambda: watcher._watch.stats()["received"] == 8)
        watcher._settler.take_in(watcher._read_now, clock)  # while the others are due
        clock.now += 1
        assert types([watcher.read(timeout=0)]) == [
            (prefixes[0], DELETE),
            (prefixes[1], DELETE),
        ]
        assert watcher.read(timeout=0) is None


def test_max_delay_begins_anew_after_changes_that_came_and_went(route: Words, clock: Clock) -> None:
    with Watcher("route", family=socket.AF_INET, settle=1.0, max_delay=2.0) as watcher:
        feed(watcher, route.write("a"))
        clock.now += 0.5
        count = 1 + route.write("d")
        eventually(lambda: watcher._watch.stats()["received"] == count)
        assert watcher.read(timeout=0) is None
        assert watcher._settler is not None
        assert watcher._settler.due is None  # nothing is held: a read waits without a limit
        clock.now += 1.4
        feed(watcher, count + route.write("a"))
        clock.now += 0.9
        assert watcher.read(timeout=0) is None
        clock.now += 0.2
        assert types([watcher.read(timeout=0)]) == [(PREFIX, ADD)]


@linux_only("the network of the tests has no renamed interface there")
@pytest.mark.parametrize("options", [{"settle": 1.0}, {"queue": 1}])
def test_rows_that_a_name_lets_in_for_a_while_are_not_delivered(
    route: Words, clock: Clock, options: dict[str, Any]
) -> None:
    """The routes of a link that gets the name and loses it; then one that keeps it."""
    route.write("a")
    with (
        Watcher("route", interfaces=["wanted0"], **options) as watcher,
        Watcher("interface", family=socket.AF_INET, snapshot=True) as names,
    ):

        def rename(before: str, after: str) -> None:
            route.netns.ip(f"link set {before} name {after}")
            read_until(names, lambda change: change.row.interface_name == after)

        rename("v0", "wanted0")
        rename("wanted0", "v0")
        rename("v0", "wanted0")
        route.netns.ip(f"route del {PREFIX} dev wanted0")
        read_until(route.plain, route_to(PREFIX, DELETE))
        route.netns.ip(f"route add {BARRIER} dev wanted0")
        found: list[Change] = []
        while not any(map(route_to(BARRIER), found)):
            clock.now += 1.1
            found += watcher.read(timeout=0.01) or ()
        state: dict[tuple[str, bytes], Any] = {}
        apply(state, found)
        assert {str(row.destination_prefix) for row in state.values()} >= {BARRIER}
        assert PREFIX not in {str(row.destination_prefix) for row in state.values()}
        rename("wanted0", "v0")
        while state:
            clock.now += 1.1
            apply(state, watcher.read(timeout=0.01) or ())


def test_random_changes_fold_to_the_kernels_state(netns: Network, clock: Clock, seed: int) -> None:
    """Watchers with any options beside each other. Each change must fit the state of its reader: no
    DELETE of an unknown row, no ADD of a known one."""
    chance = random.Random(seed)
    netns.veth()
    numbers = range(6)
    present: set[int] = set()

    def move() -> str:
        number = chance.choice(numbers)
        route = f"10.1.{number}.0/24 dev v0"
        if number not in present:
            present.add(number)
            return f"route add {route}"
        if chance.random() < 0.3:
            return f"route replace {route} mtu {chance.randint(1000, 1500)}"
        present.remove(number)
        return f"route del {route}"

    for _ in range(8):
        netns.batch("\n".join(move() for _ in range(5)))
        options: dict[str, Any] = {
            "snapshot": chance.random() < 0.5,
            "queue": chance.choice([1, 2, 5, 1000]),
            "settle": chance.choice([0.0, 0.0, 1.0]),
        }
        if options["settle"] and chance.random() < 0.5:
            options["max_delay"] = chance.choice([0.5, 3.0])
        print(options)
        before = below_10()
        with Watcher("route", prefixes=["10.0.0.0/8"], **options) as watcher:
            state = {} if options["snapshot"] else dict(before)
            for turn in range(12):
                netns.batch("\n".join(move() for _ in range(chance.randint(1, 20))))
                clock.now += chance.choice([0.0, 0.4, 1.1])
                batch = watcher.read(timeout=0, max_changes=chance.choice([1, 3, None]))
                apply(state, batch or ())
                if turn % 4 == 3:
                    drain(watcher, clock, state, netns)
                    assert state == below_10(), options


def below_10() -> dict[tuple[str, bytes], object]:
    found = netioapi.get_ip_forward_table2(socket.AF_INET)
    return {
        ("route", row.key): row for row in found if str(row.destination_prefix).startswith("10.")
    }


def drain(watcher: Watcher, clock: Clock, state: dict[Any, Any], netns: Network) -> None:
    """Reads until the watcher has had every change before now."""
    changes: list[Change] = []
    for command, wanted in (("add", ADD), ("del", DELETE)):
        # Each is delivered before the next one is made, so that the two do not merge.
        netns.ip(f"route {command} {BARRIER} dev v0")
        while not any(map(route_to(BARRIER, wanted), changes)):
            clock.now += 1.1
            changes += watcher.read(timeout=0.01) or ()
    apply(state, changes)


@linux_only("the system has no buffer that could be made small")
def test_overflow_between_merged_changes_keeps_the_rule(netns: Network, seed: int) -> None:
    """A small receive buffer behind a flap: what is lost is read again, and merged as well."""
    chance = random.Random(seed)
    netns.veth()
    with Watcher(
        "route", prefixes=["10.0.0.0/8"], snapshot=True, queue=3, receive_buffer=1
    ) as watcher:
        state: dict[tuple[str, bytes], Any] = {}
        for _ in range(6):
            routes = [f"10.{chance.randrange(4)}.{i % 250}.0/24" for i in range(300)]
            netns.batch("\n".join(f"route replace {route} dev v0" for route in routes))
            apply(state, watcher.read(timeout=0, max_changes=50) or ())
            netns.batch("\n".join(f"route del {route} dev v0" for route in set(routes)))
        netns.ip(f"route add {BARRIER} dev v0")
        apply(state, read_until(watcher, route_to(BARRIER)))
        eventually(lambda: apply(state, watcher.read(timeout=0) or ()) or state == below_10())
        assert watcher.stats()["overflows"] > 0

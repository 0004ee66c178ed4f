# SPDX-License-Identifier: MIT
"""The stream of a Watcher on a real network: live, in order, complete, filtered, bounded."""

from __future__ import annotations

import contextlib
import itertools
import random
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from ipaddress import ip_network

import pytest

import netioapi
from netioapi import Batch, Change, NotificationType, Watcher
from tests.support.changes import State, apply, read_snapshot, read_until, route_to, tables
from tests.support.network import Network
from tests.support.platforms import WINDOWS

ADD, DELETE = NotificationType.ADD, NotificationType.DELETE
PARAMETER = NotificationType.PARAMETER
KINDS = ("route", "address", "interface")


def test_watcher_is_live_when_its_constructor_returns(netns: Network) -> None:
    netns.veth()
    for i in range(20):
        with Watcher("route") as watcher:
            netns.ip(f"route add 10.{i}.0.0/16 dev v0")
            changes = read_until(watcher, route_to(f"10.{i}.0.0/16"))
            assert not any(
                c.initial or c.synthesized for c in changes if route_to(f"10.{i}.0.0/16")(c)
            )


def test_changes_come_in_order_with_type_and_time(netns: Network) -> None:
    index = netns.veth()
    before = time.time_ns()
    with Watcher("route", family=socket.AF_INET) as watcher:
        lines = []
        for i in range(100):
            lines += [
                f"route add 10.1.{i}.0/24 dev v0 proto bgp",
                f"route replace 10.1.{i}.0/24 dev v0 proto bgp mtu 1400",
                f"route del 10.1.{i}.0/24 dev v0",
            ]
        wanted = [
            (ip_network(f"10.1.{i}.0/24"), type)
            for i in range(100)
            for type in (ADD, PARAMETER, DELETE)
        ]
        if WINDOWS:  # a row is read after its notification, so each state has to last that long
            changes = []
            for number, type in enumerate((ADD, PARAMETER, DELETE)):
                netns.batch("\n".join(lines[number::3]))
                changes += read_until(watcher, route_to("10.1.99.0/24", type))
            wanted.sort(key=lambda one: (ADD, PARAMETER, DELETE).index(one[1]))
        else:
            netns.batch("\n".join(lines))
            changes = read_until(watcher, route_to("10.1.99.0/24", DELETE))
    assert [(c.row.destination_prefix, c.type) for c in changes] == wanted
    assert {c.row.interface_index for c in changes} == {index}
    times = [c.time_ns for c in changes]
    assert times == sorted(times)
    assert before <= times[0] <= times[-1] <= time.time_ns()


@pytest.mark.parametrize(
    "kinds", [k for n in (1, 2, 3) for k in itertools.combinations(KINDS, n)], ids="+".join
)
def test_watcher_of_chosen_kinds_gets_those_alone(netns: Network, kinds: tuple[str, ...]) -> None:
    last = {
        "route": route_to("10.99.0.0/16"),
        "address": lambda c: c.kind == "address" and str(c.row.address) == "10.9.9.9",
        "interface": lambda c: c.kind == "interface" and c.row.interface_name == "v9",
    }
    with Watcher(*kinds) as watcher:
        for _ in range(3):
            netns.veth()
            netns.ip("address add 10.9.0.1/24 dev v0")
            netns.ip("link del v0")
        netns.veth("v9", "p9")
        netns.ip("address add 10.9.9.9/32 dev v9")
        netns.ip("route add 10.99.0.0/16 dev v9")
        changes = read_until(watcher, *(last[kind] for kind in kinds))
    assert {c.kind for c in changes} == set(kinds)


def test_snapshot_comes_before_later_changes(netns: Network) -> None:
    netns.veth()
    netns.ip("address add 10.0.0.1/24 dev v0")
    netns.ip("route add 10.1.0.0/16 via 10.0.0.2")
    with Watcher(snapshot=True) as watcher:
        netns.ip("route add 10.2.0.0/16 via 10.0.0.2")
        changes = read_snapshot(watcher)
        if not any(map(route_to("10.2.0.0/16"), changes)):
            changes += read_until(watcher, route_to("10.2.0.0/16"))
        initial = [c.initial for c in changes]
        assert initial == sorted(initial, reverse=True), "an initial change behind a later one"
        new = next(filter(route_to("10.2.0.0/16"), changes))
        old = next(filter(route_to("10.1.0.0/16"), changes))
        assert old.initial
        assert not new.initial
        assert {c.kind for c in changes if c.initial} == set(KINDS)
        state: State = {}
        apply(state, changes)
        assert_becomes_the_truth(watcher, state)


def assert_becomes_the_truth(watcher: Watcher, state: State, timeout: float = 60) -> None:
    """Reads until the state equals the tables, in all fields and not in the keys alone."""
    deadline = time.monotonic() + timeout
    while (truth := tables()) != state:
        left = deadline - time.monotonic()
        wrong = {k for k in truth.keys() | state.keys() if truth.get(k) != state.get(k)}
        assert left > 0, [(k[0], truth.get(k), state.get(k)) for k in wrong]
        if batch := watcher.read(timeout=min(left, 0.1)):
            apply(state, batch)


@contextlib.contextmanager
def churn(netns: Network, lines: list[str]) -> Iterator[None]:
    """`ip` commands that run beside the block, and have all run at its end."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            with netns:  # enters the namespace in this thread
                netns.batch("\n".join(lines))
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    yield
    thread.join(60)
    assert not thread.is_alive()
    assert not failed, failed


def test_snapshot_under_churn_has_no_gap_and_no_duplicate(netns: Network, seed: int) -> None:
    chance = random.Random(seed)
    netns.veth()
    present: set[int] = set()
    for turn in range(15):
        lines = []
        for _ in range(400):
            i = chance.randrange(300)
            lines.append(
                f"route {'del' if i in present else 'add'} 10.7.{i >> 8}.{i & 255}/32 dev v0"
            )
            present ^= {i}
        lines.append(f"route add 10.8.{turn}.0/24 dev v0")
        with churn(netns, lines), Watcher(snapshot=True) as watcher:
            state: State = {}
            initial = read_snapshot(watcher)
            apply(state, initial)
            if not any(map(route_to(f"10.8.{turn}.0/24"), initial)):
                apply(state, read_until(watcher, route_to(f"10.8.{turn}.0/24")))
            assert_becomes_the_truth(watcher, state)


def test_full_queue_still_leads_to_the_exact_state(netns: Network) -> None:
    netns.veth()
    with Watcher("route", family=socket.AF_INET, queue=16) as watcher:
        lines = [
            f"route replace 10.3.{i % 100}.0/24 dev v0 mtu {1000 + i // 100}" for i in range(10_000)
        ]
        lines += [f"route del 10.3.{i}.0/24 dev v0" for i in range(50)]
        lines.append("route add 10.4.0.0/16 dev v0")
        # On Windows a row is read after its notification, so each state has to last that long.
        at_once = 100 if WINDOWS else len(lines)
        deadline = time.monotonic() + 30
        for start in range(0, len(lines), at_once):
            netns.batch("\n".join(lines[start : start + at_once]))
            while watcher.stats()["received"] < min(start + at_once, len(lines)):
                assert time.monotonic() < deadline, watcher.stats()
                watcher._watch.wait(0.01)
        before = watcher.stats()
        assert before["queued"] <= 16 + 101
        state: State = {}
        changes = read_until(watcher, route_to("10.4.0.0/16"))
        for change in changes:  # merged: the DELETE of a route whose ADD was never delivered
            if change.type == DELETE:
                state.pop((change.kind, change.row.key), None)
            else:
                state[change.kind, change.row.key] = change.row
        found = netioapi.get_ip_forward_table2(socket.AF_INET)
        # Without Windows' own routes.
        ours = [r for r in found if str(r.destination_prefix).startswith("10.")]
        assert state == {("route", row.key): row for row in ours}
        stats = watcher.stats()
    assert stats["coalesced"] > 9_000
    assert stats["queued"] == stats["lost"] == 0
    assert stats["received"] == stats["delivered"] + stats["coalesced"]
    assert stats["delivered"] == len(changes)


def test_max_changes_bounds_a_batch_and_keeps_the_rest(netns: Network) -> None:
    netns.veth()
    with Watcher("route", family=socket.AF_INET) as watcher:
        netns.batch("\n".join(f"route add 10.5.{i}.0/24 dev v0" for i in range(50)))
        seen: list[Change] = []
        while len(seen) < 50:
            batch = watcher.read(timeout=60, max_changes=7)
            assert batch is not None
            assert 1 <= len(batch) <= 7
            seen += batch
        assert [c.row.destination_prefix for c in seen] == [
            ip_network(f"10.5.{i}.0/24") for i in range(50)
        ]
        assert watcher.read(timeout=0) is None


def test_batch_is_a_sequence_with_tables(netns: Network) -> None:
    netns.veth()
    with Watcher(snapshot=True) as watcher:
        netns.ip("route add 10.1.0.0/16 dev v0")
        batch = settled(watcher)
    assert isinstance(batch, Batch)
    assert len(batch) == len(list(batch)) > 0
    assert batch[0] == next(iter(batch))
    parts: tuple[tuple[str, Iterable[object]], ...] = (
        ("route", batch.routes),
        ("address", batch.addresses),
        ("interface", batch.interfaces),
    )
    for kind, table in parts:
        rows = [c.row for c in batch if c.kind == kind]
        assert rows
        assert list(table) == rows
    empty = Batch([], True, True)
    assert empty  # so that `while batch := watcher.read()` goes on
    assert len(empty) == len(empty.routes) == 0
    assert repr(empty) == "<Batch of 0 overflow synced>"


def settled(watcher: Watcher) -> Batch:
    """One batch with all changes up to the first route that is not initial."""
    changes: list[Change] = []
    while not any(c.kind == "route" and not c.initial for c in changes):
        batch = watcher.read(timeout=60)
        assert batch is not None
        changes += batch
    return Batch(changes, False, False)


def test_change_is_immutable_with_a_readable_repr(netns: Network) -> None:
    netns.veth()
    with Watcher("route") as watcher:
        netns.ip("route add 10.6.0.0/16 dev v0")
        change = next(filter(route_to("10.6.0.0/16"), read_until(watcher, route_to("10.6.0.0/16"))))
    assert repr(change).startswith("<Change route ADD IpForwardRow(")
    assert change.row is change.row
    for name in ("kind", "type", "row", "time_ns", "initial", "synthesized", "other"):
        with pytest.raises(AttributeError):
            setattr(change, name, 1)
    with pytest.raises(TypeError):
        Change()


def test_two_hundred_watchers_get_the_same_changes(netns: Network) -> None:
    netns.veth()
    watchers = [Watcher("route", family=socket.AF_INET) for _ in range(200)]
    netns.batch("\n".join(f"route add 10.5.{i}.0/24 dev v0" for i in range(20)))
    for watcher in watchers:
        changes = read_until(watcher, route_to("10.5.19.0/24"))
        assert [c.row.destination_prefix for c in changes] == [
            ip_network(f"10.5.{i}.0/24") for i in range(20)
        ]
    for watcher in watchers:
        watcher.close()


def test_filtered_out_changes_wake_no_reader(netns: Network) -> None:
    netns.veth()
    with Watcher("route", prefixes=["10.6.0.0/16"]) as watcher, Watcher("route") as other:
        netns.batch("\n".join(f"route add 10.5.{i}.0/24 dev v0" for i in range(200)))
        read_until(other, route_to("10.5.199.0/24"))
        assert watcher.read(timeout=0.01) is None
        assert watcher._watch.wakeups == 0
        for i in range(20):
            netns.ip(f"route add 10.6.{i}.0/24 dev v0")
            read_until(watcher, route_to(f"10.6.{i}.0/24"))
        assert watcher._watch.wakeups <= 20

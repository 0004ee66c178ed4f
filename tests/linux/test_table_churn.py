# SPDX-License-Identifier: MIT
"""Tables that are read while they change: a route that stays is in them exactly once, a route that
is gone is not."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

import netioapi
from netioapi import IpForwardRow, Watcher
from netioapi.enums import ConnectivityLevel
from tests.linux.namespace import Namespace
from tests.linux.one_prefix import is_the_same
from tests.support.waiting import eventually

ROUTES = 3000
STEMS = {socket.AF_INET: "10.{:d}.{:d}.0/24", socket.AF_INET6: "fd01:{:x}:{:x}::/64"}


@contextmanager
def churn(netns: Namespace, lines: str) -> Iterator[None]:
    """Runs the commands over and over, until the end of the block."""
    done = threading.Event()

    def again() -> None:
        with netns:
            while not done.is_set():
                netns.batch(lines)

    thread = threading.Thread(target=again)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(60)
    assert not thread.is_alive()


@pytest.fixture
def churning(netns: Namespace) -> Iterator[Namespace]:
    """Routes that stay, and routes sorted before and behind them that come and go."""
    netns.veth()
    stay = [s.format(n // 250 + 100, n % 250) for s in STEMS.values() for n in range(ROUTES)]
    netns.batch("\n".join(f"route add {one} dev v0" for one in stay))
    netns.ip("address add fd00:ffff::1/64 dev v0 nodad")
    netns.ip("route add default via fd00:ffff::9")
    come = [f"9.0.{n}.0/24" for n in range(50)] + [f"fd00:0:{n:x}::/64" for n in range(200)]
    lines = [f"route {verb} {one} dev v0" for verb in ("add", "delete") for one in come]
    with churn(netns, "\n".join(lines * 20)):  # almost without a pause
        yield netns


@pytest.mark.parametrize("family", STEMS, ids=lambda family: family.name)
def test_stable_routes_occur_once_in_a_table_under_churn(churning: Namespace, family: int) -> None:
    stem = "10." if family == socket.AF_INET else "fd01:"
    for _ in range(20):
        rows = netioapi.get_ip_forward_table2(family)
        keys = [row.key for row in rows]
        assert len(set(keys)) == len(keys)
        there = [row for row in rows if str(row.destination_prefix).startswith(stem)]
        assert len(there) == ROUTES


def called_by_many_threads(ask: Callable[[int], bool], times: int) -> list[bool]:
    """Calls `ask` from more threads than there are processors, so that each is interrupted."""
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(ask, range(times)))


@pytest.mark.slow
def test_entry_under_churn_is_found(churning: Namespace) -> None:
    # The kernel's walk of which may skip some.
    rows = netioapi.get_ip_forward_table2(socket.AF_INET6)
    stay = [row for row in rows if str(row.destination_prefix).startswith("fd01:")]

    def is_found(number: int) -> bool:
        try:
            row = stay[number % len(stay)]
            return netioapi.get_ip_forward_entry2(row).key == row.key
        except netioapi.NetioError:
            return False

    assert all(called_by_many_threads(is_found, 4000))


@pytest.mark.slow
def test_hint_under_churn_keeps_its_default_route(churning: Namespace) -> None:
    def is_internet(_: int) -> bool:
        hint = netioapi.get_network_connectivity_hint()
        return hint.connectivity_level == ConnectivityLevel.INTERNET_ACCESS

    assert all(called_by_many_threads(is_internet, 2500))


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_unreported_removals_during_resyncs_are_found(netns: Namespace) -> None:
    """A link goes down, and another one while the routes of the first are still being dumped. Those
    dumps race with changes; only the last ones can miss the second link's routes."""
    for name in ("ra", "rb", "rc"):
        netns.ip(f"link add {name} type bridge")
        netns.ip(f"link set {name} up")
    many = [f"route add 20.0.{n // 250}.{n % 250} dev rc" for n in range(40_000)]
    lost = [
        f"route add 10.{n}.{k}.0/24 dev {name}"
        for n, name in ((1, "ra"), (2, "rb"))
        for k in range(99)
    ]
    netns.batch("\n".join(many))
    come = "\n".join(
        f"route {verb} 30.0.{n}.0/24 dev rc" for verb in ("add", "delete") for n in range(100)
    )
    state: dict[bytes, IpForwardRow] = {}
    with Watcher("route", family=socket.AF_INET, snapshot=True) as watcher:

        def same() -> bool:
            return is_the_same(watcher, state, socket.AF_INET, 254)

        for lines in (1000, 2000, 4000, 6000):
            netns.batch("\n".join(["link set ra up", "link set rb up", *lost]))
            eventually(same, what="the table before")
            with churn(netns, come):
                before = watcher.stats()
                eventually(lambda b=before: watcher.stats()["received"] > b["received"] + 100)
                # The second link goes down at some moment of the dumps that the first one causes.
                meanwhile = ["route get 127.0.0.1"] * lines
                netns.batch("\n".join(["link set ra down", *meanwhile, "link set rb down"]))
                # And all dumps race with changes.
                eventually(lambda b=before: watcher.stats()["resyncs"] >= b["resyncs"] + 1)
            eventually(same, what=f"the table after two links went down, {lines} lines apart")

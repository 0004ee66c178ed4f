# SPDX-License-Identifier: MIT
"""A Watcher when the system loses notifications: the overflow is reported, and then repaired."""

from __future__ import annotations

import socket
import time

import pytest

from netioapi import NotificationType, Watcher
from tests.support.changes import State, apply, read_snapshot, tables
from tests.support.network import Network
from tests.support.platforms import linux_only

pytestmark = linux_only("no receive buffer to overflow; a link that goes down keeps its routes")
ROUTES = 20_000


def burst(netns: Network) -> None:
    """The kernel deletes all routes in one step and reports each: more than a small buffer
    holds."""
    netns.ip("link set v0 down")
    netns.ip("link set v0 up")


@pytest.fixture
def routed(netns: Network) -> Network:
    netns.veth()
    netns.batch("\n".join(f"route add 2001:db8:{i:x}::/48 dev v0" for i in range(ROUTES)))
    return netns


def test_overflow_is_reported_and_then_repaired(routed: Network) -> None:
    with Watcher("route", family=socket.AF_INET6, snapshot=True, receive_buffer=4096) as watcher:
        state: State = {}
        apply(state, read_snapshot(watcher))
        assert len(state) >= ROUTES
        burst(routed)
        lost = exact = False
        synthesized = 0
        deadline = time.monotonic() + 20
        while not exact:
            batch = watcher.read(timeout=max(deadline - time.monotonic(), 0))
            assert batch is not None, (lost, len(state), watcher.stats())
            apply(state, batch)
            lost |= batch.overflow
            exact = lost and batch.synced
            synthesized += sum(c.synthesized and c.type == NotificationType.DELETE for c in batch)
        stats = watcher.stats()
        assert stats["overflows"] >= 1
        assert stats["resyncs"] >= 1
        assert synthesized > 0
        assert_equal_at_last(watcher, state)


def test_overflow_of_a_settled_watcher_is_reported_and_repaired(routed: Network) -> None:
    with Watcher(
        "route", family=socket.AF_INET6, receive_buffer=4096, settle=0.05, max_delay=5
    ) as watcher:
        burst(routed)
        lost = exact = False
        deleted = set()
        deadline = time.monotonic() + 20
        while not exact:
            batch = watcher.read(timeout=max(deadline - time.monotonic(), 0))
            assert batch is not None, (lost, watcher.stats())
            lost |= batch.overflow
            exact = lost and batch.synced
            keys = [c.row.key for c in batch]
            assert len(keys) == len(set(keys)), "more than the last state of a route"
            deleted |= {c.row.key for c in batch if c.type == NotificationType.DELETE}
        assert len(deleted) >= ROUTES


def assert_equal_at_last(watcher: Watcher, state: State) -> None:
    deadline = time.monotonic() + 10
    while True:
        truth = {k: v for k, v in tables(socket.AF_INET6).items() if k[0] == "route"}
        if truth == state:
            return
        assert time.monotonic() < deadline, (len(truth), len(state))
        if batch := watcher.read(timeout=0.1):
            apply(state, batch)

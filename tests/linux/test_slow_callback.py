# SPDX-License-Identifier: MIT
"""Far more changes than one callback's queue keeps, while that callback blocks: memory stays
bounded, other registrations are not delayed, and the delivered changes lead to the exact state."""

from __future__ import annotations

import socket
import struct
from functools import partial
from typing import Any

import pytest

import netioapi
from netioapi import NotificationType, Watcher
from tests.linux.namespace import Namespace
from tests.support.blocking_callback import BlockingCallback
from tests.support.collector import Collector
from tests.support.waiting import eventually

BOUND = 100_000  # QUEUE_BOUND of csrc/rtnetlink/api/notify.c
BATCH = 1024  # the largest batch, which the callback's thread may have taken already
ROUTES = 500
ROUNDS = 150  # of ROUTES additions and deletions: 150,000 changes
NEWROUTE, DELROUTE = 24, 25


def changes(verb: int, index: int, numbers: range) -> bytes:
    """One message per number: 198.18.x.x/32 through the link `index`."""
    flags = 0x601 if verb == NEWROUTE else 1  # REQUEST, and CREATE | EXCL
    head = struct.pack("=BBBBBBBBI", socket.AF_INET, 32, 0, 0, 254, 4, 253, 1, 0)
    return b"".join(
        struct.pack("=IHHII", 44, verb, flags, 0, 0)
        + head
        + struct.pack("=HH", 8, 1)
        + struct.pack("!I", 0xC6120000 + number)
        + struct.pack("=HHI", 8, 4, index)
        for number in numbers
    )


class State(BlockingCallback):
    """Blocks in the first change until it is released, and rebuilds the routes from all changes."""

    def __init__(self) -> None:
        super().__init__()
        self.routes: dict[bytes, object] = {}
        self.wrong: list[object] = []

    def __call__(self, row: Any, type: Any) -> None:
        if not self.returned:
            super().__call__(row, type)
        if (type == NotificationType.ADD) == (row.key in self.routes):
            # The DELETE of a route that was never delivered is allowed.
            if type != NotificationType.DELETE:
                self.wrong.append((type, row))
        if type == NotificationType.DELETE:
            self.routes.pop(row.key, None)
        else:
            self.routes[row.key] = row


def has_received(watcher: Watcher, count: int) -> bool:
    return watcher.stats()["received"] >= count


@pytest.mark.timeout(120)
def test_slow_callback_gets_merged_changes_and_the_exact_state(netns: Namespace) -> None:
    index = netns.veth()
    state, quick = State(), Collector()
    kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    with (
        kernel,
        netioapi.notify_route_change2(state, socket.AF_INET) as slow,
        Watcher("route", family=socket.AF_INET, queue=10) as witness,
    ):
        netns.ip("route add 198.51.100.0/24 dev v0")
        assert state.entered.wait(60)
        add, delete = (changes(v, index, range(ROUTES)) for v in (NEWROUTE, DELROUTE))
        for number in range(1, ROUNDS + 1):
            kernel.send(add)
            kernel.send(delete)
            if number % 10 == 0:  # no faster than the reader empties the kernel's buffer
                expected = 1 + number * 2 * ROUTES
                eventually(partial(has_received, witness, expected))
        with netioapi.notify_route_change2(quick, socket.AF_INET):
            kernel.send(changes(NEWROUTE, index, range(0, ROUTES, 2)))
            quick.wait_count(ROUTES // 2)
        assert slow.delivered == 1
        assert witness.stats()["overflows"] == 0
        state.release.set()
        truth = {row.key for row in netioapi.get_ip_forward_table2(socket.AF_INET)}
        eventually(lambda: set(state.routes) == truth, 60, "the exact state")
        assert len(truth) == ROUTES // 2 + 1
        assert not state.wrong
        assert slow.delivered <= BOUND + BATCH + ROUTES
        # Then each change is delivered by itself again.
        before = slow.delivered
        netns.ip("route delete 198.51.100.0/24")
        eventually(lambda: len(state.routes) == len(truth) - 1)
        assert slow.delivered == before + 1

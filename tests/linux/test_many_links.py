# SPDX-License-Identifier: MIT
"""An interface that gets thousands of names, and thousands of interfaces that come and go: the
library forgets them, whether a Watcher is read meanwhile or not."""

from __future__ import annotations

import gc
import threading
from itertools import cycle, pairwise
from typing import Any

import pytest

import netioapi
from tests.linux.heap import heap_counter
from tests.linux.namespace import Namespace
from tests.support.changes import read_snapshot, read_until

RENAMES = 5_000
PAIRS = 150  # of links
AT_ONCE = 50
LEFT = 48 << 10  # bytes that may stay: less than a name kept for each


def read_all(watcher: netioapi.Watcher) -> int:
    """Reads until all that was received was read; the number of changes."""
    count = 0
    while batch := watcher.read(0):
        count += len(batch)
    return count


@pytest.mark.timeout(300)
@pytest.mark.parametrize("what", ["renames", pytest.param("links", marks=pytest.mark.slow)])
@pytest.mark.parametrize("reads", [True, False], ids=["read", "not read"])
def test_removed_names_and_links_are_forgotten(netns: Namespace, what: str, reads: bool) -> None:
    used = heap_counter()
    if used is None:
        pytest.skip("the C library does not say how much is in use")
    netns.veth("n0", "p0", up=False)
    netns.veth("mark", "p1", up=False)
    if what == "renames":
        names = [f"n{number % RENAMES}" for number in range(RENAMES + 1)]
        steps = [f"link set dev {a} name {b}" for a, b in pairwise(names)]
        first = ["link set dev n0 name m0", "link set dev m0 name n0"]
    else:
        steps = []
        for number in range(0, PAIRS, AT_ONCE):
            some = range(number, number + AT_ONCE)
            steps += [f"link add a{n} type veth peer name b{n}" for n in some]
            steps += [f"link delete a{n}" for n in some]
        first = steps[: 2 * AT_ONCE]
    arrived = threading.Event()
    wanted = cycle((1400, 1500))
    mtu = 1500

    def witness(row: Any, type: Any) -> None:
        if row.interface_name == "mark" and row.nl_mtu == mtu:
            arrived.set()

    with (
        netioapi.Watcher("interface", "address", queue=1000) as watcher,
        netioapi.notify_ip_interface_change(witness),
    ):

        def step(lines: list[str]) -> None:
            """Waits until all changes have arrived: this test is not about the socket's buffer."""
            nonlocal mtu
            arrived.clear()
            mtu = next(wanted)
            netns.batch("\n".join([*lines, f"link set dev mark mtu {mtu}"]))
            assert arrived.wait(30)
            if reads:
                read_all(watcher)

        def rest() -> int:
            step([])
            read_all(watcher)
            gc.collect()
            return used()

        step(first)
        before = rest()
        for number in range(0, len(steps), AT_ONCE):
            step(steps[number : number + AT_ONCE])
        after = rest()
        stats = watcher.stats()
    print("bytes:", before, after, stats)
    assert stats["received"] > len(steps) // 2
    assert stats["overflows"] == 0
    assert after - before < LEFT


def test_link_message_that_says_nothing_new_causes_no_reading(netns: Namespace) -> None:
    """An alias is in no row. Each message was followed by a dump of the link."""
    netns.veth()
    with netioapi.Watcher("interface", snapshot=True) as watcher:
        read_snapshot(watcher)
        netns.ip("link set v0 mtu 1400")  # after which all messages of the setup have come
        read_until(watcher, lambda change: getattr(change.row, "nl_mtu", 0) == 1400)
        before = watcher.stats()
        for number in range(50):
            netns.ip(f"link set v0 alias name{number}")
        netns.ip("link set v0 mtu 1300")
        changes = read_until(watcher, lambda change: getattr(change.row, "nl_mtu", 0) == 1300)
        after = watcher.stats()
    assert {change.row.nl_mtu for change in changes if change.row.interface_name == "v0"} == {1300}
    assert after["resyncs"] - before["resyncs"] < 10  # one for each MTU, and IPv6's own messages

# SPDX-License-Identifier: MIT
"""Registrations and watchers that begin during a dump: they are live on return, and older state is
no change to them."""

from __future__ import annotations

import random
import threading
from pathlib import Path
from typing import Any

import pytest

import netioapi
from tests.linux.c_programs import compiler, unavailable
from tests.linux.namespace import Namespace
from tests.support.collector import Collector
from tests.support.paths import ROOT
from tests.support.processes import python, run


def mtu(netns: Namespace, value: int) -> None:
    """Makes the engine dump all tables again, without a change of routes."""
    netns.ip(f"link set v0 mtu {value}")


def prefixes(collector: Collector, last: str) -> list[str]:
    def seen(events: list[tuple[Any, ...]]) -> list[str] | None:
        names = [str(row.destination_prefix) for row, _ in events]
        return names if last in names else None

    return collector.wait_for(seen)


@pytest.mark.slow
def test_registration_during_a_dump_gets_later_changes_alone(netns: Namespace, seed: int) -> None:
    """A dump that is under way when the first registration for routes arrives does not count for
    it: routes are dumped first."""
    chance = random.Random(seed)
    netns.veth()
    netns.batch("".join(f"addr add 10.1.{i >> 8}.{i & 255}/8 dev v0\n" for i in range(1, 8000)))
    netns.batch("".join(f"route add 198.18.0.{i} dev v0\n" for i in range(200)))
    with netioapi.notify_ip_interface_change(lambda *_: None):
        for number in range(40):
            mtu(netns, 1300 + number)
            threading.Event().wait(chance.uniform(0, 0.03))
            collector = Collector()
            with netioapi.notify_route_change2(collector):
                threading.Event().wait(0.1)  # time for the next dump, which could report old routes
                netns.ip(f"route add 198.18.1.{number} dev v0")
                seen = prefixes(collector, f"198.18.1.{number}/32")
            assert seen == [f"198.18.1.{number}/32"]


def test_registration_after_an_abandoned_dump_gets_later_changes_alone(
    netns: Namespace, seed: int
) -> None:
    """The last registration for routes ends during their dump, and the next one begins at once."""
    chance = random.Random(seed)
    netns.veth()
    netns.batch("".join(f"route add 10.1.{i >> 8}.{i & 255} dev v0\n" for i in range(50000)))
    with netioapi.notify_ip_interface_change(lambda *_: None):
        for number in range(15):
            registration = netioapi.notify_route_change2(lambda *_: None)
            mtu(netns, 1300 + number)
            threading.Event().wait(chance.uniform(0, 0.05))
            registration.cancel()
            collector = Collector()
            with netioapi.notify_route_change2(collector):
                netns.ip(f"route add 198.18.1.{number} dev v0")
                seen = prefixes(collector, f"198.18.1.{number}/32")
            assert seen == [f"198.18.1.{number}/32"]


OVERFLOWING = """
import ctypes, subprocess
import netioapi

set_congestion = ctypes.CDLL(None).set_congestion
with netioapi.Watcher("address") as first:
    set_congestion(1)
    with netioapi.Watcher("route") as second:
        for verb in ("add", "delete"):  # no message arrives
            subprocess.run(["ip", "route", verb, "10.9.9.0/24", "dev", "v0"], check=True)
        set_congestion(0)
        for watcher in (first, second):
            batch = watcher.read(timeout=30)
            assert batch is not None and batch.overflow, batch
            while not batch.synced:
                batch = watcher.read(timeout=30)
print("both reported it")
"""


def test_watcher_that_joins_during_an_overflow_reports_it(netns: Namespace, tmp_path: Path) -> None:
    """The overflow begins during the dump that the new watcher waits for, and lasts longer."""
    cc = compiler()
    if cc is None:
        unavailable("no C compiler")
    library = tmp_path / "congested.so"
    flags = ["-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    run([str(cc), *flags, str(ROOT / "tests/linux/congested.c"), "-o", str(library)])
    netns.veth()
    netns.ip("route add 10.1.0.0/24 dev v0")
    python(OVERFLOWING, marker="both reported it", env={"LD_PRELOAD": str(library)})

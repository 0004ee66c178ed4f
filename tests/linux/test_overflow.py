# SPDX-License-Identifier: MIT
"""A flood into a small buffer: the overflow is reported and counted, and lost changes are found by
comparing tables, so that the rebuilt state is the kernel's in the end.

The follower is a process that is stopped during the flood: a reader that runs might keep up.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.linux.namespace import Namespace
from tests.support.paths import ROOT

ROUTES = 20_000

FOLLOW = """
import json, sys
from tests.linux.model.follow import CallbackFollower, WatcherFollower
layer = sys.argv[1]
follower = WatcherFollower(receive_buffer=4096) if layer == "watcher" else CallbackFollower()
follower.settle(60)
print("ready", flush=True)
for line in sys.stdin:
    follower.counts.clear()
    truth = follower.settle(100)
    while follower.take(0.5):
        pass
    follower.settle(100)
    report = {"routes": len(follower.state["route"]), "counts": dict(follower.counts)}
    if layer == "watcher":
        report |= {"overflows": follower.overflows, "synced": follower.synced}
        report["stats"] = dict(follower.watcher.stats())
    print(json.dumps(report), flush=True)
follower.close()
print("closed", flush=True)
"""


class Child:
    """The follower's process: one line out for each line in."""

    def __init__(self, layer: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", "-c", FOLLOW, layer],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self._read = b""

    def line(self, timeout: float = 150) -> str:
        assert self.process.stdout is not None
        deadline = time.monotonic() + timeout
        while b"\n" not in self._read:
            left = max(deadline - time.monotonic(), 0)
            ready, _, _ = select.select([self.process.stdout], [], [], left)
            assert ready, f"silent for {timeout} s"
            chunk = os.read(self.process.stdout.fileno(), 65536)
            assert chunk, f"ended: exit code {self.process.wait(60)}"
            self._read += chunk
        line, self._read = self._read.split(b"\n", 1)
        return line.decode()

    def settled(self) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(b"settle\n")
        report: dict[str, Any] = json.loads(self.line())
        return report

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WNOWAIT)
        yield
        self.process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.line() == "closed"
        assert self.process.wait(20) == 0


@pytest.fixture(params=["watcher", pytest.param("callbacks", marks=pytest.mark.slow)])
def child(netns: Namespace, request: pytest.FixtureRequest) -> Iterator[Child]:
    netns.veth(up=False)
    netns.ip("link set v0 up")
    netns.ip("address add 10.0.0.1/24 dev v0")
    child = Child(request.param)
    try:
        assert child.line(60) == "ready"
        yield child
        child.close()
    finally:
        child.process.kill()
        child.process.wait()
        for pipe in (child.process.stdin, child.process.stdout):
            assert pipe is not None
            pipe.close()


def names(first: int, count: int) -> list[str]:
    return [
        f"172.{16 + n // 65536}.{n // 256 % 256}.{n % 256}" for n in range(first, first + count)
    ]


def lines(verb: str, routes: list[str]) -> str:
    return "\n".join(f"route {verb} {name} via 10.0.0.9 dev v0" for name in routes)


@pytest.mark.timeout(400)
def test_flood_into_a_small_buffer_is_reported_and_repaired(netns: Namespace, child: Child) -> None:
    before = 10_000
    netns.batch(lines("add", names(0, before)))
    first = child.settled()
    # Some routes go, many come, and some of those come and go again.
    with child.stopped():
        netns.batch(lines("delete", names(0, before // 2)))
        netns.batch(lines("add", names(before, ROUTES)))
        netns.batch(lines("delete", names(before, 1000)))
    report = child.settled()
    kept = before - before // 2 + ROUTES - 1000
    assert report["routes"] == kept + first["routes"] - before
    if "overflows" in report:
        assert report["overflows"] >= 1
        assert report["synced"], "no batch said that the state is exact again"
        assert report["stats"]["overflows"] >= 1
        assert report["stats"]["resyncs"] >= 1
        # Lost changes are delivered all the same, marked as synthesized.
        found = sum(n for what, n in report["counts"].items() if "(found)" in what)
        assert found >= ROUTES // 2, report
    # The stream goes on.
    netns.ip("route add 192.0.2.0/24 dev v0")
    again = child.settled()
    assert again["routes"] == report["routes"] + 1
    assert again["counts"] == {"ADD route": 1}


def test_flood_of_addresses_and_links_is_repaired(netns: Namespace, child: Child) -> None:
    """The kernel does not say of which kind the lost messages were."""
    with child.stopped():
        netns.batch(
            "\n".join(f"address add 10.9.{n // 250}.{n % 250 + 1}/32 dev v0" for n in range(2000))
        )
        netns.ip("link add v7 type veth peer name p7")
        netns.ip("link delete v7")
        netns.ip("link set v0 name w0")
        netns.ip("link add v8 type veth peer name p8")
    report = child.settled()  # equal to the kernel's tables, links and addresses included
    new = sum(n for what, n in report["counts"].items() if what.startswith("ADD"))
    assert new >= 2000
    if "overflows" in report:
        assert report["overflows"] >= 1

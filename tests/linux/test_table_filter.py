# SPDX-License-Identifier: MIT
"""Routing tables without a subscriber: the kernel's messages about them are filtered out, wake no
thread and take no room in the receive buffer. The delivered changes stay exact while subscribers
come and go."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading

import pytest

from netioapi import NotificationType, Watcher, notify_route_change2
from tests.linux.namespace import Namespace
from tests.support.changes import read_until, route_to
from tests.support.collector import Collector
from tests.support.paths import ROOT
from tests.support.processes import run

from .model.follow import CallbackFollower, Follower, WatcherFollower, quiet
from .reader import wakeups

LOCAL = 255
# In the kernel's messages the tables above 255 share a byte with table 252.
TABLES = [7, 252, 253, 254, LOCAL, 256, 1000, 100000]


def routes(verb: str, count: int, table: int) -> str:
    return "".join(f"route {verb} 10.{n >> 8}.{n & 255}.0/24 dev lo table {table}\n"
                   for n in range(count))  # fmt: skip


# ---- what costs nothing ----------------------------------------------------------


@pytest.mark.parametrize("wanted", [None, [7], [256], [LOCAL]], ids=str)
def test_unwanted_tables_do_not_wake_the_reader(netns: Namespace, wanted: list[int] | None) -> None:
    same_byte = {252, 256, 1000, 100000}
    with Watcher("route", tables=wanted) as watcher:
        mine = wanted[0] if wanted else 254
        for table in [LOCAL, 7, 1000]:
            netns.ip(f"route add 192.0.2.0/24 dev lo table {mine}")
            read_until(watcher, route_to("192.0.2.0/24"))
            before = wakeups()
            netns.batch(routes("add", 300, table))
            netns.batch(routes("delete", 300, table))
            # One wakeup may belong to the change before.
            waked = wakeups() - before > 1
            delivered = table in (wanted or TABLES) and not (wanted is None and table == LOCAL)
            assert waked == (delivered or {table, mine} <= same_byte)
            netns.ip(f"route delete 192.0.2.0/24 dev lo table {mine}")
            changes = read_until(watcher, route_to("192.0.2.0/24", NotificationType.DELETE))
            assert len(changes) == (601 if delivered else 1)


STOPPED = """
import sys
from netioapi import Watcher
watcher = Watcher("route", tables=eval(sys.argv[1]), receive_buffer=4096)
print("ready", flush=True)
sys.stdin.readline()
while watcher.read(timeout=0.5):
    pass
print(watcher.stats()["overflows"], flush=True)
watcher.close()
"""


@pytest.mark.parametrize(("wanted", "fills"), [(None, False), ([7], False), ([LOCAL], True)])
def test_unwanted_tables_take_no_room_in_the_buffer(
    netns: Namespace, wanted: list[int] | None, fills: bool
) -> None:
    """A stopped process with a small buffer, during a flood of its own addresses."""
    with subprocess.Popen(
        [sys.executable, "-c", STOPPED, repr(wanted)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        child.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)
        netns.batch(routes("add", 2000, LOCAL))
        child.send_signal(signal.SIGCONT)
        out, _ = child.communicate("\n", timeout=30)
        assert child.returncode == 0
    assert (int(out) > 0) == fills


# ---- what must come --------------------------------------------------------------


class Churn:
    """Routes of all tables come and go, and sometimes links and addresses, until `with` ends."""

    def __init__(self, netns: Namespace, seed: int) -> None:
        self._netns = netns
        self._chance = random.Random(seed)
        self._end = threading.Event()
        self._failed: list[BaseException] = []
        self._thread = threading.Thread(target=self._run)

    def lines(self) -> str:
        lines = []
        for _ in range(40):
            table, metric = self._chance.choice(TABLES), self._chance.choice([0, 5])
            verb = self._chance.choice(["add", "replace", "append", "delete", "delete"])
            n, device = self._chance.randrange(12), self._chance.choice(["v0", "v1"])
            prefix = self._chance.choice([f"10.7.{n}.0/24", f"fd07:{n}::/64"])
            family = 6 if ":" in prefix else 4
            lines.append(
                f"-{family} route {verb} {prefix} dev {device} table {table} metric {metric}"
            )
        if self._chance.random() < 0.2:
            lines += ["link set v1 down", "link set v1 up"]
        if self._chance.random() < 0.3:
            verb = self._chance.choice(["add", "delete"])
            lines.append(f"address {verb} 10.8.0.{self._chance.randrange(1, 5)}/24 dev v0")
        return "\n".join(lines) + "\n"

    def _run(self) -> None:
        try:
            with self._netns:
                while not self._end.is_set():
                    # Some commands fail: the route exists already, or not.
                    run(["ip", "-force", "-batch", "-"], stdin=self.lines(), code=None)
        except BaseException as error:
            self._failed.append(error)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        assert not self._failed, self._failed


def new_follower(chance: random.Random) -> Follower:
    if chance.random() < 0.25:
        return WatcherFollower()
    tables = chance.sample(TABLES, chance.randint(1, 4))
    follower = WatcherFollower(tables)
    follower.without = frozenset(TABLES) - set(tables)
    return follower


@pytest.mark.timeout(150)
def test_subscribers_that_come_and_go_under_churn_stay_exact(netns: Namespace, seed: int) -> None:
    """Each subscriber has the state of its own tables, by changes that follow each other."""
    chance = random.Random(seed)
    for name in ("v0", "v1"):
        netns.veth(name, f"p{name[1]}")
    netns.ip("address add 10.0.0.1/24 dev v0")
    with contextlib.ExitStack() as stack:
        # Callbacks have no snapshot: they begin when all is quiet, and sometimes not at all.
        stack.callback(lambda: [follower.close() for follower in followers])
        followers: list[Follower] = []
        for turn in range(8):
            if turn == 3:
                followers.append(CallbackFollower())
            with Churn(netns, chance.randrange(2**32)):
                for _ in range(12):
                    if len(followers) > 1 and chance.random() < 0.45:
                        followers.pop(chance.randrange(len(followers))).close()
                    else:
                        followers.append(new_follower(chance))
                    for follower in followers:
                        follower.take(0)
            quiet(followers, timeout=0.05)


def test_new_subscriber_of_a_new_table_gets_later_changes_alone(netns: Namespace) -> None:
    """For a table without a subscriber so far: existing routes are no change, later ones are."""
    first = ["198.18.0.0/24", "198.18.1.0/24"]
    for number, table in enumerate(TABLES):
        with Watcher("route", tables=[TABLES[number - 1]]), Watcher("address"):
            for prefix in first:
                netns.ip(f"route add {prefix} dev lo table {table}")
            netns.ip(f"route delete {first[0]} dev lo table {table}")
            with Watcher("route", tables=[table]) as watcher:
                netns.ip(f"route delete {first[1]} dev lo table {table}")
                netns.ip(f"route add 203.0.113.0/24 dev lo table {table}")
                changes = read_until(watcher, route_to("203.0.113.0/24"))
        assert [(c.type.name, str(c.row.destination_prefix), c.row.table) for c in changes] == [
            ("DELETE", first[1], table),
            ("ADD", "203.0.113.0/24", table),
        ]


def test_new_subscriber_causes_no_change_for_others(netns: Namespace) -> None:
    """The tables are dumped again for the new subscriber: that is no change for the others."""
    netns.batch(routes("add", 200, LOCAL) + routes("add", 200, 254) + routes("add", 200, 1000))
    collector = Collector()
    with notify_route_change2(collector), Watcher("route", tables=[254]) as watcher:
        for _ in range(10):
            with Watcher("route", tables=[LOCAL, 1000], snapshot=True) as other:
                initial = []
                while True:
                    batch = other.read(timeout=60)
                    assert batch is not None
                    initial += list(batch)
                    if batch.synced:
                        break
            assert sum(c.row.destination_prefix.prefixlen == 24 for c in initial) == 400
        netns.ip("route add 203.0.113.0/24 dev lo")
        assert len(read_until(watcher, route_to("203.0.113.0/24"))) == 1
        assert len(collector.wait_for(lambda events: events or None)) == 1

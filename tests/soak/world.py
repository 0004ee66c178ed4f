# SPDX-License-Identifier: MIT
"""One network namespace for a while: it changes at random, followers must arrive at the kernel's
state, others register and read beside them, and in the end it dies before they do."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.linux.flood import Flood
from tests.linux.model.follow import CallbackFollower, Follower, WatcherFollower, quiet
from tests.linux.model.oracle import look
from tests.linux.model.walk import Walk, prepare
from tests.linux.model.world import OTHERS
from tests.linux.namespace import Namespace, fresh_namespace
from tests.support.processes import run

from .counters import Activity
from .registrations import registrations
from .watchers import QUEUES, streams, watchers

TABLES = [255, 254, 253, *OTHERS]
SPARE = "f0"  # the link of floods and bursts, which no move of the model changes
SIZES = (100, 1000, 4000)
BUFFERS = (None, 1, 4096, 1 << 16)
PREFIXES = ["10.0.0.0/8", "198.18.0.0/16", "2001:db8::/32", "fd00::/8", "::/0"]
KEPT = 100  # lines of a follower's log that are kept


def random_follower(chance: random.Random, receive_buffer: int | None) -> Follower:
    way = chance.randrange(4)
    if way == 0:
        return CallbackFollower()
    options: dict[str, Any] = {"queue": chance.choice(QUEUES), "receive_buffer": receive_buffer}
    if chance.random() < 0.2:
        options |= {"settle": chance.choice((0.001, 0.05)), "max_delay": 0.1}
    if chance.random() < 0.3:
        options["prefixes"] = chance.sample(PREFIXES, 2)
    follower = WatcherFollower(TABLES if way == 1 else None, **options)
    follower.label = f"a watcher with {options}"
    return follower


class World:
    def __init__(self, activity: Activity, netns: Namespace, other: Namespace) -> None:
        self.activity, self.netns = activity, netns
        # An engine has the largest buffer that any subscriber in its namespace requested.
        self.receive_buffer = activity.random.choice(BUFFERS)
        self.walk = Walk(netns, other, activity.random.getrandbits(32))
        self.followers: list[Follower] = []
        self.activities: list[Activity] = []

    def begin(self) -> None:
        prepare(self.netns)
        self.netns.ip("link set lo up")
        self.index = self.netns.veth(SPARE, "g0")
        for _ in range(self.activity.random.randint(1, 3)):
            self.follow()
        works: list[Callable[[Activity], None]] = [
            registrations,
            partial(watchers, receive_buffer=self.receive_buffer),
            partial(streams, receive_buffer=self.receive_buffer),
        ]
        for number, work in enumerate(self.activity.random.choices(works, k=3)):
            name = f"{self.activity.name}.{number}"
            self.activities.append(Activity(work, name, self.activity.seed, self.activity.counters))
            self.activities[-1].start()

    def follow(self) -> None:
        """Adds a follower, or replaces one."""
        chance = self.activity.random
        if len(self.followers) == 3:
            self.leave(self.followers.pop(chance.randrange(3)))
        self.followers.append(random_follower(chance, self.receive_buffer))
        self.activity.counters.add("followers")

    def leave(self, follower: Follower) -> None:
        follower.close()
        self.activity.counters.add("changes", sum(follower.counts.values()))
        self.activity.counters.add("overflows", getattr(follower, "overflows", 0))

    # ---- what happens -------------------------------------------------------
    def moves(self) -> None:
        for _ in range(self.activity.random.randint(1, 6)):
            # Some moves depend on what the kernel would not report.
            self.walk.world.truth = look()
            self.walk.step()
            self.activity.counters.add("moves")

    def burst(self) -> None:
        chance = self.activity.random
        count, first = chance.choice(SIZES), chance.randrange(4000)
        kind = chance.choice(("route4", "route6", "address"))
        if kind == "address":
            count = min(count, 500)
        one: Callable[[int], str] = {
            "route4": lambda n: f"-4 route add 198.18.{n >> 8}.{n & 255}/32 dev {SPARE} proto 99",
            "route6": lambda n: f"-6 route add 2001:db8::{n:x}/128 dev {SPARE} proto 99",
            "address": lambda n: f"address add 198.19.{n >> 8}.{n & 255}/32 dev {SPARE}",
        }[kind]
        lines = "\n".join(one(n) for n in range(first, first + count))
        # Existing objects are refused; the rest goes on.
        run(["ip", "-force", "-batch", "-"], stdin=lines + "\n", code=None, timeout=120)
        self.activity.counters.add("bursts")
        self.activity.counters.add("burst changes", count)

    def end_of_bursts(self) -> None:
        """The kernel reports IPv6 routes one by one, and IPv4 routes not at all."""
        way = self.activity.random.randrange(3)
        if way == 0:
            for family in (4, 6):
                self.netns.ip(f"-{family} route flush proto 99", check=False)
            return
        for _ in range(way):
            self.netns.ip(f"link set {SPARE} down")
            self.netns.ip(f"link set {SPARE} up")
        self.netns.ip(f"-4 address flush dev {SPARE}")

    def flood(self) -> None:
        with Flood(self.index, pause=self.activity.random.choice((0.001, 0.01))):
            self.activity.pause(1)
        self.activity.counters.add("floods")

    def look(self) -> None:
        self.walk.look(list(self.followers))
        for follower in self.followers:
            del follower.log[:-KEPT]
            follower.deleted.clear()
        self.activity.counters.add("looks")

    # ---- the whole ----------------------------------------------------------
    def live(self) -> None:
        ways = [self.moves, self.burst, self.end_of_bursts, self.flood]
        self.look()
        while not self.activity.ending.is_set():
            for _ in range(self.activity.random.randint(1, 3)):
                self.activity.random.choices(ways, [20, 2, 2, 1])[0]()
            self.look()
            if self.activity.chance(0.2):
                self.follow()

    def end(self) -> None:
        """All are exact, with no more changes to come, and the watchers say `synced`."""
        quiet(self.followers)
        for follower in self.followers:
            assert getattr(follower, "synced", True), "exact, but no batch said synced"
        self.activity.counters.add("exact at the end", len(self.followers))

    def finish(self) -> None:
        for one in self.activities:
            one.ending.set()
        while self.followers:
            self.leave(self.followers.pop())
        for one in self.activities:
            one.join()


def world(activity: Activity) -> None:
    with contextlib.ExitStack() as later:
        with fresh_namespace() as other, fresh_namespace() as netns:
            place = World(activity, netns, other)
            # Half of the time only its registrations and watchers are left in it.
            later.callback(place.finish)
            try:
                place.begin()
                place.live()
                place.end()
            except AssertionError as error:
                way = "\n".join(place.walk.steps[-40:])
                raise AssertionError(f"{error}\nafter these steps:\n{way}") from None
            if activity.chance(0.5):
                later.close()
    activity.counters.add("namespaces", 2)

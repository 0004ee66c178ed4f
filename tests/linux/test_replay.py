# SPDX-License-Identifier: MIT
"""Changes during a dump are reported by messages that are older than the dumped rows. Such a
message about one of several routes must not be applied to the route that is left."""

from __future__ import annotations

import random
import socket

import pytest

from netioapi import IpForwardRow, Watcher
from tests.linux.namespace import Namespace
from tests.linux.one_prefix import STEPS, TABLE, OnePrefix, is_the_same
from tests.support.waiting import eventually

from . import slow_reading

X = "172.16.0.0/24"
ROUNDS = 25


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("before", "meanwhile"),
    [
        pytest.param(
            [f"add {X} via 10.0.0.9 proto 43", f"append {X} via 10.0.0.9 proto 44"],
            [f"delete {X} via 10.0.0.9 proto 44"],
            id="one of two of an identity is deleted",
        ),
        pytest.param(
            [f"add {X} via 10.0.0.9", f"append {X} via 10.0.0.8"],
            [f"replace {X} via 10.0.0.7", f"delete {X} via 10.0.0.7"],
            id="one of two of a prefix is replaced, and deleted",
        ),
    ],
)
def test_deletion_during_a_dump_removes_the_right_route(
    netns: Namespace, seed: int, before: list[str], meanwhile: list[str]
) -> None:
    chance = random.Random(seed)
    netns.veth("v0", "p0")
    netns.ip("address add 10.0.0.1/24 dev v0")
    slow_reading.prepare(netns)
    state: dict[bytes, IpForwardRow] = {}

    def same() -> bool:
        return is_the_same(watcher, state, socket.AF_INET, 254)

    with Watcher("route", family=socket.AF_INET, tables=[254], snapshot=True) as watcher:
        for number in range(ROUNDS):
            netns.batch("\n".join(f"route {line}" for line in before))
            eventually(same, what=f"the table, in round {number}")
            lines = slow_reading.begin(chance) + [f"route {line}" for line in meanwhile]
            netns.batch("\n".join(lines))
            eventually(same, what=f"the table, after round {number}")
            netns.ip(f"route flush {X}")
            eventually(same, what=f"the empty table, in round {number}")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_changes_during_a_dump_keep_the_state_exact(
    netns: Namespace, seed: int, family: int
) -> None:
    """Every way to change the routes of one prefix, several changes at once."""
    chance = random.Random(seed)
    one = OnePrefix(family, chance, is_read=True)
    for link in (0, 1):
        netns.veth(f"v{link}", f"p{link}")
    slow_reading.prepare(netns)
    state: dict[bytes, IpForwardRow] = {}
    steps: list[str] = []
    with Watcher("route", family=family, tables=[TABLE], snapshot=True) as watcher:
        for number in range(STEPS // 2):
            at_once = slow_reading.begin(chance)
            if number % 5 == 0:
                at_once += one.ready()
            at_once += [chance.choice(one.steps)() for _ in range(chance.randint(1, 8))]
            steps += [
                "-- at once:",
                *(line for line in at_once if not line.startswith("route get")),
            ]
            netns.batch("\n".join(at_once), check=False)
            eventually(
                lambda: is_the_same(watcher, state, family, TABLE),
                what="the table, after " + "\n".join(steps[-40:]),
            )


def test_unambiguous_messages_cause_no_resync(netns: Namespace) -> None:
    """However many routes come and go: a dump of a million routes costs a second."""
    netns.sysctl("ipv6.conf.default.accept_dad", 0)
    netns.veth()
    netns.ip("address add 10.0.0.1/24 dev v0")
    netns.ip("address add fd00::1/64 dev v0 nodad")
    eventually(lambda: "scope link" in netns.ip("-6 address show dev v0"))

    def lines(what: str, host: int) -> str:
        routes = ((f"172.16.{n}.0/24", f"fd01:{n:x}::/64") for n in range(250))
        hops = f"10.0.0.{host}", f"fd00::{host}"
        return "\n".join(
            f"route {what} {prefix} via {hop}"
            for pair in routes
            for prefix, hop in zip(pair, hops, strict=True)
        )

    with Watcher("route") as watcher:
        before = watcher.stats()
        for what, host in (("add", 2), ("replace", 3), ("delete", 3)):
            netns.batch(lines(what, host))
        eventually(lambda: watcher.stats()["received"] >= 3 * 500)
        after = watcher.stats()
        assert (after["resyncs"], after["overflows"]) == (before["resyncs"], before["overflows"])

# SPDX-License-Identifier: MIT
"""IPv6 routes of one prefix that the kernel's dump leaves out: those that lie between two legs of a
set of gateways. A replacement or a deletion may mean them, and they come to light when the set has
gone. The state of the applied changes equals `ip -json` at every step, that of a Watcher, and that
of a program that has registered a callback and then read the table."""

from __future__ import annotations

import queue
import random
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from ipaddress import ip_network
from typing import Any

import pytest

import netioapi
from netioapi import IpForwardRow, NotificationType, Watcher
from tests.linux.namespace import Namespace
from tests.linux.one_prefix import STEPS, follow
from tests.support.waiting import eventually

PREFIX = "2001:db8:9::/48"
NETWORK = ip_network(PREFIX)
METRICS = (6, 7)
LINKS = {"v0": "2001:db8:1::", "v1": "2001:db8:2::"}
PROTOCOLS = {"boot": 3, "ra": 9, "bgp": 186}
Hop = tuple[int, str, str, int]  # metric, interface, gateway, protocol


def truth(netns: Namespace) -> Iterator[tuple[Hop, int | None]]:
    """What `ip -json` shows of the prefix: each leg, and the nexthop object of its route."""
    for route in netns.json(f"-6 route show {PREFIX}"):
        protocol = PROTOCOLS[route["protocol"]]
        for leg in route.get("nexthops", [route]):
            hop = (route["metric"], leg["dev"], leg.get("gateway", "::"), protocol)
            yield hop, route.get("nhid")


class Registered:
    """Microsoft's way: the state of the table, read after the registration, and of the changes."""

    def __init__(self) -> None:
        self._changes: queue.SimpleQueue[tuple[Any, NotificationType]] = queue.SimpleQueue()
        self.registration = netioapi.notify_route_change2(self._put, socket.AF_INET6)
        table = netioapi.get_ip_forward_table2(socket.AF_INET6)
        self.state = {row.key: row for row in table if row.destination_prefix == NETWORK}

    def _put(self, row: Any, type: NotificationType) -> None:
        if row.destination_prefix == NETWORK:
            self._changes.put((row, type))

    def follow(self) -> None:
        while not self._changes.empty():
            row, type = self._changes.get()
            if type == NotificationType.DELETE:
                self.state.pop(row.key, None)
            else:
                self.state[row.key] = row


class Hidden:
    """The prefix in three places: in a namespace, and in the states of the two readers.

    A Watcher begun in between (`restart`) knows the routes as a dump shows them, and so does a
    registration (`register`)."""

    def __init__(self, netns: Namespace) -> None:
        self.netns = netns
        self.steps: list[str] = []
        self._open = ExitStack()
        # Detection ends with a message, after which the engine would read the routes again, and
        # forget those that are hidden.
        netns.sysctl("ipv6.conf.default.accept_dad", 0)
        for name, stem in LINKS.items():
            netns.veth(name, name.replace("v", "p"))
            netns.ip(f"address add {stem}1/64 dev {name} nodad")
        for number, hop in ((1, hops()[0]), (2, hops()[2])):
            netns.ip(f"-6 nexthop add id {number} {hop}")
        netns.ip("nexthop add id 10 group 1/2")

    def __enter__(self) -> Hidden:
        self.registered = Registered()
        self.restart()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()
        self.registered.registration.cancel()

    def register(self) -> None:
        self.registered.registration.cancel()
        self.registered = Registered()
        self.steps.append("(a new registration)")

    def restart(self) -> None:
        self._open.close()
        self.state: dict[bytes, IpForwardRow] = {}
        self.watcher = self._open.enter_context(
            Watcher("route", family=socket.AF_INET6, prefixes=[PREFIX], snapshot=True)
        )
        self.steps.append("(a new Watcher)")

    def ip(self, *commands: str, check: bool = True) -> None:
        """Commands of `ip -batch`, one after another; without `check` some may be refused."""
        self.steps += commands
        if check:
            self.netns.batch("\n".join(commands))
        else:
            for command in commands:
                self.netns.batch(command, check=False)

    def is_exact(self) -> bool:
        follow(self.watcher, self.state)
        self.registered.follow()
        return self.has(self.state) and self.has(self.registered.state)

    def has(self, state: dict[bytes, IpForwardRow]) -> bool:
        """Does the state have what `ip -json` shows, and beyond that only routes that lie between
        two legs of a set, since it saw them before?"""
        shown: dict[Hop, set[int | None]] = {}
        legs: dict[int, int] = {}
        for hop, nexthop in truth(self.netns):
            shown.setdefault(hop, set()).add(nexthop)
            if hop[2] != "::" and nexthop is None:
                legs[hop[0]] = legs.get(hop[0], 0) + 1
        known: dict[Hop, int | None] = {
            (
                row.metric,
                str(row.interface_name),
                str(row.next_hop),
                int(row.kernel_protocol or 0),
            ): row.nexthop_id or None
            for row in state.values()
        }
        if any(known.get(hop, -1) not in nexthops for hop, nexthops in shown.items()):
            return False
        return all(
            legs.get(hop[0], 0) > 1 and (hop[2] == "::" or nexthop is not None)
            for hop, nexthop in known.items()
            if hop not in shown
        )

    def check(self) -> None:
        eventually(self.is_exact, what="the state, after\n" + "\n".join(self.steps[-15:]))


def hops() -> list[str]:
    return [f"via {stem}{host} dev {name}" for name, stem in LINKS.items() for host in (3, 4)]


@pytest.fixture
def hidden(netns: Namespace) -> Iterator[Hidden]:
    with Hidden(netns) as hidden:
        yield hidden


A, B, C = hops()[2], hops()[0], hops()[1]


@pytest.mark.parametrize("between", ["dev v1", "nhid 2", "nhid 10"])
@pytest.mark.parametrize(
    "acts",
    [
        pytest.param(["replace {p} dev v0"], id="replaced without a gateway"),
        pytest.param(["replace {p} nhid 1"], id="replaced by a nexthop object"),
        pytest.param(["replace {p} nhid 10"], id="replaced by a group"),
        pytest.param([f"replace {{p}} {C}"], id="set replaced by one gateway"),
        pytest.param([f"replace {{p}} {C} proto bgp"], id="by one of another protocol"),
        pytest.param(
            [f"replace {{p}} nexthop {C} nexthop {B}", "delete {p}"], id="set replaced by a set"
        ),
        pytest.param(["delete {p}"], id="set deleted as a whole"),
        pytest.param(["delete {p} proto boot"], id="set deleted by protocol"),
        pytest.param([f"delete {{p}} {A}"], id="leg deleted"),
    ],
)
@pytest.mark.parametrize("known", ["from a dump", "from messages", "from a table"])
def test_route_between_two_gateways_is_kept_exact(
    hidden: Hidden, between: str, acts: list[str], known: str
) -> None:
    place = f"{PREFIX} metric 6"
    hidden.ip(f"route add {place} {A}")
    hidden.ip(f"route append {place} {between}")
    hidden.ip(f"route append {place} {B}")
    if known == "from a dump":
        hidden.restart()
    elif known == "from a table":
        hidden.register()
    hidden.check()
    for act in acts:
        hidden.ip("route " + act.format(p=place))
        hidden.check()
    while list(truth(hidden.netns)):  # until nothing is hidden any more
        hidden.ip(f"route delete {place}")
        hidden.check()
    assert not hidden.state
    assert not hidden.registered.state


class Walk:
    """Random commands, of which the kernel refuses some."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def target(self) -> str:
        hop = self.chance.choice
        return hop(
            [
                hop(hops()),
                hop(hops()),
                f"dev {hop(list(LINKS))}",
                f"nhid {hop([1, 2, 10])}",
                " ".join(f"nexthop {one}" for one in self.chance.sample(hops(), 2)),
                hop(["blackhole", "unreachable"]),
            ]
        )

    def command(self) -> str:
        place = f"{PREFIX} metric {self.chance.choice(METRICS)}"
        if self.chance.random() < 0.2:
            which = ["", *hops()[:3], "dev v0", "proto bgp", "nhid 1", "nhid 10"]
            return f"route delete {place} {self.chance.choice(which)}"
        verb = self.chance.choice(["add", "append", "append", "replace", "replace", "change"])
        protocol = self.chance.choice(["boot", "boot", "bgp", "ra"])
        target = self.target()
        kind = target if target in ("blackhole", "unreachable") else ""
        rest = "" if kind else target
        return f"route {verb} {kind} {place} {rest} proto {protocol}"


@pytest.mark.timeout(600)
def test_random_replacements_among_routes_of_one_prefix_keep_the_state_exact(
    hidden: Hidden, seed: int
) -> None:
    walk = Walk(random.Random(seed))
    for number in range(STEPS):
        if walk.chance.random() < 0.3:
            walk.chance.choice([hidden.restart, hidden.register])()
        commands = [walk.command() for _ in range(walk.chance.choice([1, 1, 2, 5]))]
        hidden.ip(*commands, check=False)
        hidden.check()
        if number % 50 == 49:
            while list(truth(hidden.netns)):
                hidden.ip(f"route delete {PREFIX}")
                hidden.check()
            assert not hidden.state
            assert not hidden.registered.state

# SPDX-License-Identifier: MIT
"""Random changes of the routes of one prefix, and the comparison of a state with its table."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Callable
from typing import Any

import netioapi
from netioapi import IpForwardRow, NotificationType, Watcher

# At least so many: the kernel may refuse most steps of a shorter walk; this one takes 2 s.
STEPS = max(int(os.environ.get("NETIOAPI_STEPS", "250")), 250)
TABLE = 1000


class OnePrefix:
    """Random commands for `ip`, of which the kernel refuses many. `is_read`: the tables are dumped
    in between, so the watcher knows the routes as a dump shows them."""

    def __init__(self, family: int, chance: random.Random, *, is_read: bool = False) -> None:
        self.six = family == socket.AF_INET6
        self.chance = chance
        self.protocols = ["boot", "boot", "bgp", "44"]
        self.prefix = "fd01::/64" if self.six else "172.16.0.0/24"
        self.steps: list[Callable[[], str]] = [
            *[self.put] * 10,
            *[self.delete] * 4,
        ]
        # The kernel's dump of an IPv6 multipath route leaves out a route by nexthop object that
        # lies between its legs, and gives every leg the protocol of the first. After a dump for a
        # link that went down, a leg's own protocol cannot be known.
        if not self.six:
            self.steps += [self.nexthop, self.nexthop, self.group, self.no_nexthop]
        elif is_read:
            self.protocols = ["boot"]
        if not self.six or is_read:
            self.steps += [self.link_down]

    def ready(self) -> list[str]:
        """Sets both links up, with an address each."""
        links = [f"link set v{link} up" for link in (0, 1)]
        return links + [f"address replace {self.address(n)} dev v{n} nodad" for n in (0, 1)]

    def address(self, link: int) -> str:
        return f"fd00:{link}::1/64" if self.six else f"10.{link}.0.1/24"

    def hop(self) -> tuple[str, str]:
        link, host = self.chance.randrange(2), self.chance.randint(2, 3)
        return (f"fd00:{link}::{host}" if self.six else f"10.{link}.0.{host}"), f"dev v{link}"

    def target(self) -> str:
        kind = self.chance.randrange(2 if self.six else 3)
        if kind == 0:
            return f"via {self.hop()[0]}"
        if kind == 1:
            legs = [f"via {self.hop()[0]} weight {self.chance.randint(1, 3)}" for _ in range(2)]
            return " ".join(f"nexthop {leg}" for leg in legs)
        return f"nhid {self.chance.choice([1, 2, 10])}"

    def put(self) -> str:
        verb = self.chance.choice(["add", "append", "append", "prepend", "replace", "change"])
        protocol = self.chance.choice(self.protocols)
        return self.route(f"{verb} {self.prefix}", f"{self.target()} proto {protocol}")

    def delete(self) -> str:
        which = ["", "", f"via {self.hop()[0]}", "proto bgp", "proto 44"]
        return self.route(f"delete {self.prefix}", self.chance.choice(which))

    def route(self, what: str, rest: str) -> str:
        return f"route {what} table {TABLE} {rest}"

    def nexthop(self) -> str:
        hop, dev = self.hop()
        return f"nexthop replace id {self.chance.randint(1, 2)} via {hop} {dev}"

    def group(self) -> str:
        return f"nexthop replace id 10 group {self.chance.choice(['1', '1/2', '2', '2,3/1'])}"

    def no_nexthop(self) -> str:
        return f"nexthop delete id {self.chance.choice([1, 2, 10])}"

    def link_down(self) -> str:
        return f"link set v{self.chance.randrange(2)} down"


def follow(watcher: Watcher, state: dict[bytes, IpForwardRow]) -> None:
    while (batch := watcher.read(timeout=0)) is not None:
        for change in batch:
            assert isinstance(change.row, IpForwardRow)
            if change.type == NotificationType.DELETE:
                del state[change.row.key]
            else:
                state[change.row.key] = change.row


def shown(row: IpForwardRow) -> tuple[Any, ...]:
    return str(row.next_hop), row.interface_name, row.kernel_protocol, row.weight, row.nexthop_id


def is_the_same(
    watcher: Watcher, state: dict[bytes, IpForwardRow], family: int, number: int
) -> bool:
    """Is the state of the applied changes equal to the table of that number?"""
    follow(watcher, state)
    table: dict[bytes, tuple[Any, ...]] = {}
    for row in netioapi.get_ip_forward_table2(family):
        if row.table == number:
            table.setdefault(row.key, shown(row))  # the first of two with one identity
    return table == {key: shown(row) for key, row in state.items()}

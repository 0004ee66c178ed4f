# SPDX-License-Identifier: MIT
"""The world that the moves change: its state at the last look, and random choices from it.

A move is a function of the world that returns the commands of one step, or None when there is
nothing to act on. A command is a line for `ip`, or `sysctl NAME VALUE`; a prefix `other:` makes it
happen in the second namespace.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from tests.linux.namespace import Namespace
from tests.support.processes import run

from .oracle import Truth

# lo, and links that the machine may bring (bonds, tunnels), are left alone.
OURS = ("v", "p", "w", "br", "mv", "tn", "xl")
OTHERS = (77, 1000, 100_000)  # the last two do not fit into rtm_table


class World:
    def __init__(self, netns: Namespace, other: Namespace, seed: int) -> None:
        self.netns, self.other = netns, other
        self.random = random.Random(seed)
        self.away: set[str] = set()  # links in the other namespace
        self.truth: Truth | None = None
        self.crowd: Any = None  # crowd.py

    # ---- what is there ------------------------------------------------------
    @property
    def links(self) -> dict[str, dict[str, Any]]:
        """Our links that are here, by name, as `ip address` shows them."""
        assert self.truth is not None
        return {
            link["ifname"]: link for link in self.truth.raw[3] if link["ifname"].startswith(OURS)
        }

    @property
    def up(self) -> list[str]:
        return [name for name, link in self.links.items() if "UP" in link["flags"]]

    @property
    def down(self) -> list[str]:
        return [name for name, link in self.links.items() if "UP" not in link["flags"]]

    def running(self) -> list[str]:
        return [name for name in self.up if "LOWER_UP" in self.links[name]["flags"]]

    def addresses(self, family: str, **wanted: Any) -> list[tuple[str, dict[str, Any]]]:
        """(link, address) pairs of a family, without the link-local addresses of the kernel."""
        return [
            (name, one)
            for name, link in self.links.items()
            for one in link["addr_info"]
            if one["family"] == family
            and not one["local"].startswith("fe80")
            and all(one.get(key) == value for key, value in wanted.items())
        ]

    def routes(self, family: int, **wanted: Any) -> list[dict[str, Any]]:
        """Routes that moves have made, without the kernel's own."""
        assert self.truth is not None
        return [
            one
            for one in self.truth.raw[0 if family == 4 else 1]
            if one["protocol"] not in ("2", "9")
            and all(one.get(key) == value for key, value in wanted.items())
        ]

    @property
    def nexthops(self) -> dict[int, dict[str, Any]]:
        assert self.truth is not None
        return self.truth.nexthops

    def singles(self, family: int) -> list[int]:
        """Nexthop objects with a device: ids below 100 are IPv4, below 200 IPv6."""
        low, high = (1, 100) if family == 4 else (100, 200)
        return [id_ for id_, one in self.nexthops.items() if low <= id_ < high and "dev" in one]

    def groups(self, family: int) -> list[int]:
        low, high = (200, 250) if family == 4 else (250, 300)
        return [id_ for id_ in self.nexthops if low <= id_ < high]

    # ---- choices ------------------------------------------------------------
    def one(self, choices: Any) -> Any:
        """One of the choices; None if there are none."""
        found = sorted(choices, key=str)
        return self.random.choice(found) if found else None

    def some(self, choices: Any, most: int) -> list[Any]:
        found = sorted(choices, key=str)
        return self.random.sample(found, min(len(found), self.random.randint(2, most)))

    def number(self, name: str) -> int:
        """A link's subnet: 10.N.0.0/16 and fd00:N::/48, with N from the digits of its name."""
        return int("".join(c for c in name if c.isdigit()) or "0") + 10 * ord(name[0]) % 200

    def subnet4(self, name: str) -> str:
        return f"10.{self.number(name)}.{self.random.randrange(3)}"

    def gateway(self, family: int) -> tuple[str, str] | None:
        """A (gateway, link) pair that one of our addresses can reach."""
        inet, length = ("inet", 24) if family == 4 else ("inet6", 64)
        running = self.running()
        found = self.one(
            (one["local"], name)
            for name, one in self.addresses(inet, prefixlen=length, noprefixroute=None)
            if name in running
        )
        if found is None:
            return None
        separator = "." if family == 4 else ":"
        stem = found[0].rsplit(separator, 1)[0]
        return f"{stem}{separator}{self.random.randrange(200, 204)}", found[1]

    def prefix(self, family: int) -> str:
        n = self.random.randrange(12)
        if family == 4:
            lengths = (24, 24, 25, 32)
            return f"172.16.{n}.0/{self.random.choice(lengths)}"
        return f"fd01:{n:x}::/{self.random.choice((64, 64, 48, 128))}"

    def table(self) -> str:
        return self.random.choice(["", "", "", *(f" table {n}" for n in OTHERS)])

    # ---- doing --------------------------------------------------------------
    def act(self, commands: list[str]) -> bool:
        """Runs the commands of a step. False: the kernel refused one (the rest did not run)."""
        for command in commands:
            if command.startswith("crowd "):
                getattr(self.crowd, command.removeprefix("crowd "))()
                continue
            where, text = self.netns, command
            if command.startswith("other:"):
                where, text = self.other, command.removeprefix("other:")
            with where:
                if text.startswith("sysctl "):
                    _, name, value = text.split()
                    try:
                        where.sysctl(name, value)
                    except OSError:
                        return False
                elif run(["ip", *text.split()], code=None).returncode != 0:
                    return False
        return True

    def act_at_once(self, commands: list[str]) -> None:
        """As fast as `ip` can; refused commands are skipped."""
        for is_line, group in groupby(map(_as_line, commands), lambda one: one[0]):
            texts = [text for _, text in group]
            if is_line:
                self.netns.batch("\n".join(texts), check=False)
            else:
                for text in texts:
                    self.act([text])


def _as_line(command: str) -> tuple[bool, str]:
    """Can the command be a line of `ip -batch`, which takes no options? And that line."""
    found = re.fullmatch(r"-([46]) (route (?!flush).*)", command)
    if found is not None:  # the family follows from the destination
        anywhere = "0.0.0.0/0" if found[1] == "4" else "::/0"
        return True, re.sub(r"\bdefault\b", anywhere, found[2], count=1)
    return not re.match(r"-|sysctl |other:", command), command


Move = Callable[[World], "list[str] | None"]


@dataclass(frozen=True)
class Entry:
    name: str
    weight: float
    move: Move


MOVES: dict[str, Entry] = {}


def move(weight: float = 1.0) -> Callable[[Move], Move]:
    """Adds a function to the table of moves, by its name."""

    def enter(function: Move) -> Move:
        name = function.__name__
        assert name not in MOVES, name
        MOVES[name] = Entry(name, weight, function)
        return function

    return enter

# SPDX-License-Identifier: MIT
"""The walk: one random move after the other, and after each all followers must be at the truth."""

from __future__ import annotations

from collections import Counter
from typing import Protocol

from tests.linux.namespace import Namespace

from . import addresses, links, nexthops, routes  # noqa: F401  (they enter their moves)
from .oracle import Truth, look
from .world import MOVES, World


class Settles(Protocol):
    def settle(self) -> Truth: ...


def prepare(netns: Namespace) -> None:
    """Three pairs of links with an address each, duplicate detection off, small and quick."""
    netns.sysctl("ipv6.conf.default.accept_dad", 0)
    for n in range(3):
        netns.veth(f"v{n}", f"p{n}")
        netns.ip(f"address add 10.{n}.0.1/24 dev v{n}")
        netns.ip(f"address add fd00:{n}::1/64 dev v{n} nodad")


class Walk:
    def __init__(self, netns: Namespace, other: Namespace, seed: int) -> None:
        self.world = World(netns, other, seed)
        self.steps: list[str] = []
        self.done: Counter[str] = Counter()

    def look(self, followers: list[Settles]) -> None:
        """All followers at the truth, and all at the same one."""
        world = self.world
        truth = look()
        for follower in followers:
            truth = follower.settle()
        world.truth = truth
        with world.other:
            world.away = {one["ifname"] for one in world.other.json("link")} - {"lo"}

    def step(self) -> None:
        """One move that there is something for. What was never done comes first."""
        world, names = self.world, sorted(MOVES)
        weights = [MOVES[name].weight * (1 if self.done[name] else 20) for name in names]
        again = len(self.steps) % 15 == 14 and MOVES["rebuild"].move(world)
        while True:
            name = "rebuild" if again else world.random.choices(names, weights)[0]
            if commands := again or MOVES[name].move(world):
                break
        shown = f"{name}: {'; '.join(commands)}".replace(world.other.path, "OTHER")
        shown = shown.replace(world.netns.path, "HERE")
        right = world.act(commands)
        self.steps.append(f"{len(self.steps) + 1:4} {shown}{'' if right else '  (refused)'}")
        if right:
            self.done[name] += 1

    def walk(self, steps: int, followers: list[Settles]) -> None:
        self.look(followers)
        for _ in range(steps):
            self.step()
            try:
                self.look(followers)
            except AssertionError as error:
                way = "\n".join(self.steps[-60:])
                raise AssertionError(f"{error}\nafter these steps (seed above):\n{way}") from None

# SPDX-License-Identifier: MIT
"""The walk: one random move after the other; after each, all followers must be at the truth, and
the changes that led there must be right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Set

from tests.linux import slow_reading
from tests.linux.namespace import Namespace

from . import addresses, indices, links, nexthops, routes, variants  # noqa: F401  (their moves)
from .announced import Announced
from .checks import Checks, touched_by
from .follow import Follower
from .oracle import look
from .world import MOVES, OURS, World

# Without an address or a carrier, or where the link is down, the kernel makes these changes
# unreported: look at the link first.
NOT_AT_ONCE = frozenset({"ipv6_off", "ipv6_on", "alternative_name_add", "alternative_name_delete"})


def prepare(netns: Namespace) -> None:
    """Three pairs of links with an address each, and without duplicate address detection: small and
    fast."""
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
        self.moves = dict(MOVES)
        self.generations: dict[int, list[set[str]]] = {}  # announced.py

    def look(self, followers: Sequence[Follower]) -> None:
        """Brings all followers to the truth, each to the same one."""
        world = self.world
        truths = [follower.settle() for follower in followers] or [look()]
        world.truth = truths[-1]
        with world.other:
            names = {one["ifname"] for one in world.other.json("link")}
            world.away = {name for name in names if name.startswith(OURS)}

    def choose(self, kinds: Set[str]) -> tuple[str, list[str]] | None:
        """A move of these kinds that can act on something, or None. Moves that were never done come
        first."""
        world, names = self.world, sorted(kinds)
        weights = [self.moves[name].weight * (1 if self.done[name] else 20) for name in names]
        again = len(self.steps) % 15 == 14 and self.moves["rebuild"].move(world)
        for _ in range(1000):
            name = "rebuild" if again else world.random.choices(names, weights)[0]
            if commands := again or self.moves[name].move(world):
                return name, commands
        return None

    def enter(self, name: str, commands: list[str], remark: str) -> None:
        shown = f"{name}: {'; '.join(commands)}".replace(self.world.other.path, "OTHER")
        shown = shown.replace(self.world.netns.path, "HERE")
        self.steps.append(f"{len(self.steps) + 1:4} {shown}{remark}")

    def step(self) -> list[str]:
        found = self.choose(self.moves.keys())
        assert found is not None
        name, commands = found
        right = self.world.act(commands)
        self.enter(name, commands, "" if right else "  (refused)")
        self.done[name] += right
        return commands

    def burst(self, moves: int) -> list[str]:
        """Makes several moves at once, all chosen by one look, of few kinds, so that they
        interfere. The first one leads to a dump of all tables, and the others happen during it."""
        chance = self.world.random
        kinds = frozenset(chance.sample(sorted(self.moves.keys() - NOT_AT_ONCE), 12))
        at_once = slow_reading.begin(chance)
        for _ in range(moves):
            if (found := self.choose(kinds)) is not None:
                self.enter(*found, f"  (at once, {len(at_once)})")
                self.done[found[0]] += 1
                at_once += found[1]
        self.world.act_at_once(at_once)
        return at_once

    def walk(self, steps: int, followers: Sequence[Follower], at_once: int = 1) -> None:
        """`at_once`: the largest number of moves between two looks."""
        self.look(followers)
        end = len(self.steps) + steps
        with Announced(self.generations) as announced:
            checks = Checks(announced, at_once=at_once > 1)
            while len(self.steps) < end:
                before = self.world.truth
                assert before is not None
                checks.begin(followers, before)
                if at_once > 1:
                    commands = self.burst(self.world.random.randint(1, at_once))
                else:
                    commands = self.step()
                try:
                    self.look(followers)
                    checks.end(followers, before, self.world.truth, touched_by(commands))
                except AssertionError as error:
                    way = "\n".join(self.steps[-60:])
                    raise AssertionError(
                        f"{error}\nafter these steps (seed above):\n{way}"
                    ) from None

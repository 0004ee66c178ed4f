# SPDX-License-Identifier: MIT
"""A case: the state before, one action, and the things that are then gone, there, or as before.

A follower of each layer watches a case and must arrive at the kernel's state by changes that follow
each other. `gone` and `there` state the expected effect on the kernel, so that a case shows what it
is meant to show.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

import pytest

from tests.linux.namespace import Namespace, fresh_namespace

from .model.follow import CallbackFollower, Follower, WatcherFollower, quiet, settle
from .model.oracle import plain
from .model.world import World

AT_ONCE = 4
TABLES = [255, 254, 253, 77, 1000]
Index = dict[str, int]
Thing = Callable[[str, Any, Any, Index], bool]


def R(
    dst: str,
    dev: str | None = None,
    table: int | None = None,
    *,
    hop: str | None = None,
    metric: int | None = None,
    tos: int | None = None,
    source: str | None = "any",
    **record: Any,
) -> Thing:
    """A route, or one leg of it."""

    def is_it(kind: str, key: Any, have: Any, index: Index) -> bool:
        return (
            kind == "route"
            and key[3] == ip_network(dst)
            and (dev is None or key[4] == index[dev])
            and (table is None or key[0] == table)
            and (hop is None or key[5] == plain(hop))
            and (metric is None or key[2] == metric)
            and (tos is None or key[1] == tos)
            and (source == "any" or key[6] == (source and ip_network(source)))
            and record.items() <= have.items()
        )

    return is_it


def A(local: str, **record: Any) -> Thing:
    """An address."""
    return lambda kind, key, have, index: (
        kind == "address" and key[1] == plain(local) and record.items() <= have.items()
    )


def I(dev: str, family: int, **record: Any) -> Thing:  # noqa: E743
    """An interface of one family."""
    return lambda kind, key, have, index: (
        kind == "interface" and key == (family, index[dev]) and record.items() <= have.items()
    )


@dataclass(frozen=True)
class Case:
    name: str
    before: list[str]
    act: list[str]
    gone: list[Thing] = field(default_factory=list)
    there: list[Thing] = field(default_factory=list)
    # There before and after, and never deleted in between.
    stay: list[Thing] = field(default_factory=list)
    # The number of changes that the action gives the Watcher; None: any number.
    changes: int | None = None


def ids(cases: list[Case]) -> list[Any]:
    return [pytest.param(case, id=case.name) for case in cases]


def expect(
    follower: Follower, things: list[Thing], index: Index, wanted: bool, timeout: float = 60
) -> None:
    """Waits until all things are there (or none is), applying changes that are still on their
    way."""
    deadline = time.monotonic() + timeout
    for number, thing in enumerate(things):
        while wanted != bool(
            found := [
                (kind, key, record)
                for kind, state in follower.state.items()
                for key, record in state.items()
                if thing(kind, key, record, index)
            ]
        ):
            assert time.monotonic() < deadline, (
                f"{'there' if wanted else 'gone'}[{number}]: {found}"
            )
            follower.take(0.05)


class Player:
    """Plays the selected cases of a module, some at once: most of a case is the wait for what may
    not come. Each has networks of its own, which its thread enters."""

    def __init__(self, cases: Sequence[Case]) -> None:
        self._pool = ThreadPoolExecutor(AT_ONCE)
        self._played = {case.name: self._pool.submit(self._play, case) for case in cases}

    @staticmethod
    def _play(case: Case) -> None:
        with contextlib.closing(Namespace()) as other, fresh_namespace() as network:
            network.ip("link set lo up")
            play(case, network, other)

    def result(self, case: Case) -> None:
        """Returns when the case has passed, and raises what it raised."""
        self._played[case.name].result()

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)


def play(case: Case, netns: Namespace, other: Namespace) -> None:
    """Sets up v0-p0 and v1-p1, up, with 10.N.0.1/24 and fd00:N::1/64, and plays the case."""
    netns.sysctl("ipv6.conf.default.accept_dad", 0)
    for n in range(2):
        netns.veth(f"v{n}", f"p{n}")
        netns.ip(f"address add 10.{n}.0.1/24 dev v{n}")
        netns.ip(f"address add fd00:{n}::1/64 dev v{n} nodad")
    world = World(netns, other, 0)
    replaced = {"OTHER": other.path, "HERE": netns.path}

    def act(commands: list[str]) -> None:
        for command in commands:
            for word, path in replaced.items():
                command = command.replace(word, path)
            assert world.act([command]), command

    act(case.before)
    with WatcherFollower(TABLES) as watcher, CallbackFollower() as callbacks:
        followers: list[Follower] = [watcher, callbacks]
        index = quiet(followers).index
        # What is to go exists at first; what is to come is not mistaken for something older.
        expect(watcher, [*case.gone, *case.stay], index, True)
        mark = len(watcher.log)
        watcher.deleted.clear()
        act(case.act)
        index |= settle(followers).index
        expect(watcher, case.gone, index, False)
        expect(watcher, case.there, index, True)
        index |= quiet(followers).index
        expect(watcher, case.gone, index, False, timeout=0)
        expect(watcher, [*case.there, *case.stay], index, True, timeout=0)
        broken = [one for one in watcher.deleted for thing in case.stay if thing(*one, index)]
        assert not broken, broken
        if case.changes is not None:
            assert len(watcher.log) - mark == case.changes, "\n".join(watcher.log[mark:])

# SPDX-License-Identifier: MIT
"""The model test: after every random change, the state rebuilt from the delivered changes alone
equals the kernel's, as `ip -json` shows it. A failure prints the difference, the steps and the
seed; NETIOAPI_SEED repeats it, NETIOAPI_STEPS makes it longer, NETIOAPI_SEEDS walks so many times.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from tests.linux import slow_reading
from tests.linux.namespace import Namespace

from .model.crowd import MOVES_OF_A_CROWD, Crowd, CrowdFollower, decoys
from .model.follow import CallbackFollower, Follower, WatcherFollower, quiet
from .model.links import NET
from .model.walk import Walk, prepare
from .model.world import MOVES, OTHERS

STEPS = int(os.environ.get("NETIOAPI_STEPS", "120"))
CROWDED_STEPS = int(os.environ.get("NETIOAPI_STEPS", "60"))
SEEDS = range(int(os.environ.get("NETIOAPI_SEEDS", "1")))
TABLES = [255, 254, 253, *OTHERS]
FOLLOWERS: dict[str, Callable[[], Follower]] = {
    "watcher": WatcherFollower,
    "watcher of every table": lambda: WatcherFollower(TABLES),
    "watcher of some prefixes": lambda: WatcherFollower(TABLES, ["10.0.0.0/8", "fd01::/16"]),
    "callbacks": CallbackFollower,
}


def possible() -> set[str]:
    """The moves that this run can make: one setting is missing in a user namespace."""
    hidden = {"silent_ipv6_on_down"}
    return set(MOVES) - (set() if (NET / "ipv6/route/skip_notify_on_dev_down").exists() else hidden)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("number", SEEDS)
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] if "of" in name else []) for name in FOLLOWERS],
)
def test_random_walk_keeps_the_followers_exact(
    netns: Namespace, other_netns: Namespace, seed: int, name: str, number: int
) -> None:
    prepare(netns)
    walk = Walk(netns, other_netns, seed + number)
    with FOLLOWERS[name]() as follower:
        walk.walk(STEPS, [follower])
        quiet([follower])
    assert sum(walk.done.values()) > STEPS / 2, "the kernel refused most of the moves"


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", ["watcher of every table", "callbacks"])
def test_random_bursts_keep_the_followers_exact(
    netns: Namespace, other_netns: Namespace, seed: int, name: str
) -> None:
    """Many moves at once, during a dump of all tables."""
    prepare(netns)
    slow_reading.prepare(netns)
    walk = Walk(netns, other_netns, seed)
    with FOLLOWERS[name]() as follower:
        walk.walk(STEPS * 3, [follower], at_once=25)
        quiet([follower])
    assert sum(follower.counts.values()) > STEPS, "the kernel refused most of the moves"


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("number", SEEDS)
def test_random_walk_keeps_watchers_exact_that_know_a_dump(
    netns: Namespace, other_netns: Namespace, seed: int, number: int
) -> None:
    """A Watcher for ten steps each, alone: it knows the routes as the kernel's dump shows them, and
    not those that lie between two of a set."""
    prepare(netns)
    walk = Walk(netns, other_netns, seed + number)
    while len(walk.steps) < STEPS:
        with WatcherFollower(TABLES) as follower:
            walk.walk(min(10, STEPS - len(walk.steps)), [follower])


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("number", SEEDS)
def test_random_walk_beside_large_tables_keeps_the_followers_exact(
    netns: Namespace, other_netns: Namespace, seed: int, number: int
) -> None:
    """Each reading races with routes that flap. A second follower begins among them, and reads in
    another namespace."""
    prepare(netns)
    decoys(other_netns)
    crowd = Crowd(netns)
    walk = Walk(netns, other_netns, seed + number)
    walk.world.crowd = crowd
    walk.moves.update(MOVES_OF_A_CROWD)
    with CrowdFollower(crowd) as follower:
        while len(walk.steps) < CROWDED_STEPS:
            with ExitStack() as open_now:
                with crowd.flapping():
                    second = CrowdFollower(crowd, reads_in=other_netns)
                    both = [follower, open_now.enter_context(second)]
                    walk.walk(20, both)
                for one in both:
                    one.drain()


@pytest.mark.real  # one of the moves is the machine's root's alone
@pytest.mark.timeout(600)
@pytest.mark.slow
def test_every_move_occurs_in_a_walk(netns: Namespace, other_netns: Namespace, seed: int) -> None:
    """At least 40 kinds of change, none of which the kernel always refuses."""
    prepare(netns)
    walk = Walk(netns, other_netns, seed)
    with WatcherFollower(TABLES) as watcher, CallbackFollower() as callbacks:
        while (never := possible() - set(walk.done)) and len(walk.steps) < 4000:
            walk.walk(10, [watcher, callbacks])
        quiet([watcher, callbacks])
    assert len(possible()) >= 40
    assert never == set()


def test_model_detects_a_missing_change(netns: Namespace) -> None:
    """A change that is not delivered to the follower is found."""
    prepare(netns)
    with WatcherFollower(interfaces=["lo"]) as follower:
        with pytest.raises(AssertionError, match=r"10\.0\.0\.1.*missing"):
            follower.settle(timeout=0.1)

# SPDX-License-Identifier: MIT
"""Every way to change the routes of one prefix, in random order. A message does not always say
which route it means, least of all when two share an identity. After each step the state of the
applied changes equals a new dump. NETIOAPI_SEED repeats a walk, NETIOAPI_STEPS makes it longer."""

from __future__ import annotations

import random
import socket

import pytest

from netioapi import IpForwardRow, Watcher
from tests.linux.namespace import Namespace
from tests.linux.one_prefix import STEPS, TABLE, OnePrefix, is_the_same
from tests.support.waiting import eventually


@pytest.mark.timeout(600)
@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_walk_over_one_prefix_keeps_the_state_exact(
    netns: Namespace, seed: int, family: int
) -> None:
    one = OnePrefix(family, random.Random(seed))
    for link in (0, 1):
        netns.veth(f"v{link}", f"p{link}")
    state: dict[bytes, IpForwardRow] = {}
    steps: list[str] = []
    with Watcher("route", family=family, tables=[TABLE]) as watcher:
        for number in range(STEPS):
            if number % 10 == 0:
                netns.batch("\n".join(one.ready()))
            steps.append(one.chance.choice(one.steps)())
            netns.ip(steps[-1], check=False)
            eventually(
                lambda: is_the_same(watcher, state, family, TABLE),
                what="the table, after " + "\n".join(steps[-20:]),
            )
        assert watcher.stats()["received"] > STEPS // 5, "the kernel refused most of the steps"

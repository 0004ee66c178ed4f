# SPDX-License-Identifier: MIT
"""A table that is read while others change it: what was there all the time is in it, and once."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

import netioapi
from tests.linux.namespace import Namespace

ROUTES = 3000
STEMS = {socket.AF_INET: "10.{:d}.{:d}.0/24", socket.AF_INET6: "fd01:{:x}:{:x}::/64"}


@pytest.fixture
def churning(netns: Namespace) -> Iterator[Namespace]:
    """Routes that stay, and others before and behind them that come and go."""
    netns.veth()
    stay = [s.format(n // 250 + 100, n % 250) for s in STEMS.values() for n in range(ROUTES)]
    netns.batch("\n".join(f"route add {one} dev v0" for one in stay))
    come = [one for n in range(50) for one in (f"9.0.{n}.0/24", f"fd00:0:{n:x}::/64")]
    lines = "\n".join(f"route {verb} {one} dev v0" for verb in ("add", "delete") for one in come)
    done = threading.Event()

    def churn() -> None:
        with netns:
            while not done.is_set():
                netns.batch(lines)

    thread = threading.Thread(target=churn)
    thread.start()
    yield netns
    done.set()
    thread.join(60)
    assert not thread.is_alive()


@pytest.mark.parametrize("family", STEMS, ids=lambda family: family.name)
def test_what_stays_is_there_once(churning: Namespace, family: int) -> None:
    stem = "10." if family == socket.AF_INET else "fd01:"
    for _ in range(20):
        rows = netioapi.get_ip_forward_table2(family)
        keys = [row.key for row in rows]
        assert len(set(keys)) == len(keys)
        there = [row for row in rows if str(row.destination_prefix).startswith(stem)]
        assert len(there) == ROUTES

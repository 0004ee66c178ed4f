# SPDX-License-Identifier: MIT
"""A program that closes descriptors that it did not open closes our sockets, too: they are opened
again, whatever their numbers were used for meanwhile."""

from __future__ import annotations

import pytest

from tests.linux.namespace import Namespace
from tests.support.processes import python

SCRIPT = """
import os, sys, time
import netioapi as n

def sockets():
    found = set()
    for number in map(int, os.listdir("/proc/self/fd")):
        try:
            if os.readlink(f"/proc/self/fd/{number}").startswith("socket:"):
                found.add(number)
        except FileNotFoundError:
            pass  # the descriptor of the listing
    return found

def until_synced(watcher):
    deadline = time.monotonic() + 20
    while True:
        batch = watcher.read(timeout=deadline - time.monotonic())
        assert batch is not None, watcher.stats()
        if batch.synced:
            return

which, hole = sys.argv[1], os.dup(0)
before = sockets()
with n.Watcher("route", snapshot=True) as watcher:
    until_synced(watcher)
    feed, requester = sorted(sockets() - before)
    os.close(hole)  # the next open gets this number, and the sockets' own stay free
    if which != "requester":
        os.close(feed)
    if which != "feed":
        os.close(requester)
    if which == "both, and one is another's now":
        os.dup2(0, feed)
    deadline = time.monotonic() + 20
    while True:  # a new watcher may be refused for a moment
        try:
            other = n.Watcher("route", snapshot=True)
            break
        except n.NetioError:
            assert time.monotonic() < deadline
    until_synced(other)
    other.close()
    if which != "requester":
        until_synced(watcher)
assert sockets() == before, sockets()
print("done")
"""


@pytest.mark.parametrize("which", ["feed", "requester", "both", "both, and one is another's now"])
def test_sockets_closed_by_the_program_are_reopened(netns: Namespace, which: str) -> None:
    python(SCRIPT, which, marker="done", timeout=50)

# SPDX-License-Identifier: MIT
"""The `synced` flag is true under churn, too: the changes delivered up to it lead to the kernel's
table at one moment, not earlier than that of the flag before.

All commands for `ip` are made up in advance, so that every state of the table is known.
"""

from __future__ import annotations

import contextlib
import random
import subprocess
from collections.abc import Callable, Iterator

import pytest

from netioapi import Batch, NotificationType, Watcher
from tests.linux.namespace import Namespace
from tests.support.waiting import eventually

from .reader import slow_down

TABLE = 77
BURST, BURSTS = 1_000, 16
LENGTH = BURST * BURSTS


class Script:
    """Changes of one route each, and the moments at which the table was in each state: {prefix:
    number of its MTU}."""

    def __init__(self, chance: random.Random, keys: int, present: int) -> None:
        prefixes = [f"10.{n >> 8}.{n & 255}.0/24" for n in range(keys)]
        state = dict.fromkeys(prefixes[:present], 1020)
        self.first = "".join(self._line("add", prefix, 1020) for prefix in state)
        self.lines: list[str] = []
        mixed = self._hash_of(state)
        self._moments: dict[int, list[int]] = {mixed: [0]}
        self.at: dict[int, dict[str, int]] = {}  # at the ends of bursts
        for moment in range(1, LENGTH + 1):
            prefix = chance.choice(prefixes)
            before = state.get(prefix)
            if before is None:
                state[prefix] = chance.randrange(1020, 1025)
                self.lines.append(self._line("add", prefix, state[prefix]))
            elif chance.random() < 0.5:
                del state[prefix]
                self.lines.append(self._line("delete", prefix, before))
            else:
                state[prefix] = before % 5 + 1020
                self.lines.append(self._line("replace", prefix, state[prefix]))
            for item in ((prefix, before), (prefix, state.get(prefix))):
                mixed ^= hash(item) if item[1] is not None else 0
            self._moments.setdefault(mixed, []).append(moment)
            if moment % BURST == 0:
                self.at[moment] = dict(state)

    @staticmethod
    def _line(verb: str, prefix: str, mtu: int) -> str:
        return f"route {verb} {prefix} dev lo table {TABLE} mtu {mtu}\n"

    @staticmethod
    def _hash_of(state: dict[str, int]) -> int:
        mixed = 0
        for item in state.items():
            mixed ^= hash(item)
        return mixed

    def moment(self, state: dict[str, int], since: int) -> int:
        """The first moment, not before `since`, at which the table was in that state."""
        for moment in self._moments.get(self._hash_of(state), []):
            if moment >= since:
                return moment
        raise AssertionError(f"the table never was so from {since} on: {sorted(state.items())}")

    @contextlib.contextmanager
    def running(self) -> Iterator[Callable[[int], int]]:
        """Runs `ip` beside the block. Yields a function that makes it do the next `count` changes,
        and returns the moment that they lead to."""
        begin = 0
        with subprocess.Popen(["ip", "-batch", "-"], stdin=subprocess.PIPE, text=True) as process:
            assert process.stdin is not None
            stdin = process.stdin

            def go_on(count: int) -> int:
                nonlocal begin
                stdin.writelines(self.lines[begin : begin + count])
                stdin.flush()
                begin += count
                return begin

            yield go_on
            stdin.close()
            assert process.wait(60) == 0


def apply(state: dict[str, int], batch: Batch) -> None:
    for change in batch:
        prefix = str(change.row.destination_prefix)
        assert (prefix in state) == (change.type != NotificationType.ADD), change
        if change.type == NotificationType.DELETE:
            state.pop(prefix, None)
        else:
            state[prefix] = change.row.route_mtu


def table(netns: Namespace) -> dict[str, int]:
    rows = netns.json(f"-N -4 route show table {TABLE}")
    return {
        row["dst"] if "/" in row["dst"] else f"{row['dst']}/32": row["metrics"][0]["mtu"]
        for row in rows
    }


def read(watcher: Watcher) -> Batch:
    batch = watcher.read(timeout=20)
    assert batch is not None, watcher.stats()
    return batch


SIZES = pytest.mark.parametrize(("keys", "present"), [(30, 15), (1500, 1200)])


@SIZES
def test_synced_snapshot_is_one_moment_of_the_table(
    netns: Namespace, seed: int, keys: int, present: int
) -> None:
    """A small table, and one that the kernel dumps in several parts."""
    script = Script(random.Random(seed), keys, present)
    netns.batch(script.first)
    reached = 0
    with script.running() as go_on:
        for _ in range(BURSTS):
            go_on(BURST)
            state: dict[str, int] = {}
            with Watcher("route", tables=[TABLE], snapshot=True) as watcher:
                batch = Batch([], False, False)
                while not batch.synced:
                    batch = read(watcher)
                    apply(state, batch)
                reached = script.moment(state, reached)
    assert table(netns) == script.at[LENGTH]


@SIZES
def test_synced_after_an_overflow_is_one_moment_of_the_table(
    netns: Namespace, seed: int, keys: int, present: int
) -> None:
    """A small buffer, and so many watchers that the reader thread falls behind."""
    script = Script(random.Random(seed), keys, present)
    netns.batch(script.first)
    state: dict[str, int] = {}
    reached = losses = end = 0
    with contextlib.ExitStack() as stack:
        watcher = stack.enter_context(
            Watcher("route", tables=[TABLE], snapshot=True, receive_buffer=4096)
        )
        for _ in range(150):
            stack.enter_context(Watcher("route", tables=[TABLE], queue=1))
        slow_down()
        go_on = stack.enter_context(script.running())
        while end < LENGTH and losses < 3:
            end = go_on(BURST)
            lost = False
            while lost or state != script.at[end]:
                batch = read(watcher)
                apply(state, batch)
                lost = (lost or batch.overflow) and not batch.synced
                losses += batch.overflow
                if not lost:
                    reached = script.moment(state, reached)

        def arrived() -> bool:
            while batch := watcher.read(timeout=0):
                apply(state, batch)
            return table(netns) == state == script.at[end]

        # The table may have been in that state before the end, too.
        eventually(arrived)
    assert losses > 0

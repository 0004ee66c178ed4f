# SPDX-License-Identifier: MIT
"""Reads that a signal handler or a finalizer interrupts at each bytecode instruction: the handler
may read the same Watcher, or raise. Nothing hangs, and the Watcher goes on."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
import signal
import socket
from collections.abc import Callable
from typing import Any

import pytest

from netioapi import Batch, Change, NotificationType, Watcher
from netioapi.watcher.settling import Settler
from tests.support.changes import apply, read_until, route_to
from tests.support.interruptions import Interruption, interruptions
from tests.support.network import Network
from tests.support.platforms import linux_only

REFUSED = "one reader at a time"


class HandlerError(Exception):
    pass


def fail() -> None:
    raise HandlerError


def in_handler(act: Callable[[], object]) -> Callable[[], None]:
    """Calls `act` in a handler of a signal that this thread raises."""

    def raise_signal() -> None:
        before = signal.signal(signal.SIGINT, lambda *_: act())
        try:
            signal.raise_signal(signal.SIGINT)
        finally:
            signal.signal(signal.SIGINT, before)

    return raise_signal


class Finalized:
    """Calls `act` when the garbage collector finds it in a cycle."""

    def __init__(self, act: Callable[[], object]) -> None:
        self._act = act
        self._cycle = self

    def __del__(self) -> None:
        self._act()


def in_finalizer(act: Callable[[], object]) -> Callable[[], None]:
    def collect() -> None:
        Finalized(act)
        gc.collect(0)

    return collect


def by_read(watcher: Watcher) -> object:
    return watcher.read(timeout=0)


def by_coroutine(watcher: Watcher) -> object:
    """One step of the coroutine, which begins to wait or returns; then it is discarded."""
    coroutine = watcher.__anext__().__await__()
    try:
        return next(coroutine)  # the checkpoint
    finally:
        with contextlib.suppress(RuntimeError):  # no loop is running
            coroutine.close()


@pytest.mark.parametrize("read", [by_read, by_coroutine])
@pytest.mark.parametrize("when", [in_handler, in_finalizer])
def test_settled_read_within_a_settled_read_is_refused_or_returns(
    netns: Network,
    read: Callable[[Watcher], object],
    when: Callable[[Callable[[], object]], Callable[[], None]],
) -> None:
    """It reads before the outer read has begun or after it has ended, and else is refused."""
    outcomes: list[str] = []
    with Watcher("route", settle=60) as watcher:

        def act() -> None:
            try:
                watcher.read(timeout=0)
                outcomes.append("read")
            except RuntimeError as error:
                outcomes.append("refused" if REFUSED in str(error) else repr(error))

        for interruption in interruptions(when(act)):
            with interruption:
                read(watcher)
            assert watcher._readers == []
        assert len(outcomes) > 10
        assert set(outcomes) == {"read", "refused"}, outcomes


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
@pytest.mark.parametrize("read", [by_read, by_coroutine])
def test_settled_read_that_a_handler_ends_leaves_no_reader(
    netns: Network, read: Callable[[Watcher], object]
) -> None:
    with Watcher("route", settle=60) as watcher:
        raised = 0
        for interruption in interruptions(in_handler(fail)):
            try:
                with interruption:
                    read(watcher)
            except HandlerError:
                raised += 1
            assert watcher.read(timeout=0) is None  # not refused
            assert watcher._readers == []
        assert raised > 10


def test_read_that_a_handler_ends_before_it_has_taken_changes_loses_none(netns: Network) -> None:
    netns.veth()
    with Watcher("route", settle=60, snapshot=True) as watcher:
        for interruption in interruptions(in_handler(fail)):
            with contextlib.suppress(HandlerError), interruption:
                watcher.read(timeout=0)
            if interruption.happened:
                assert watcher.read(timeout=0) is None
        stats = watcher.stats()
        assert stats["received"] == stats["delivered"] + stats["coalesced"] + stats["queued"]


@pytest.fixture
def flapping(netns: Network, seed: int) -> list[list[Change]]:
    """Changes of few routes, in the portions in which they were read."""
    chance = random.Random(seed)
    netns.veth()
    portions: list[list[Change]] = []
    present: set[int] = set()
    with Watcher("route", family=socket.AF_INET) as watcher:
        for turn in range(4):
            lines = []
            for _ in range(5):
                number = chance.randrange(3)
                verb = "del" if number in present else "add"
                present ^= {number}
                lines.append(f"route {verb} 10.1.{number}.0/24 dev v0")
            netns.batch("\n".join([*lines, f"route add 10.2.{turn}.0/24 dev v0"]))
            portions.append(read_until(watcher, route_to(f"10.2.{turn}.0/24")))
    return portions


def settled(portions: list[list[Change]], interruption: Interruption) -> list[Change]:
    """What a Settler delivers of the portions; each step that was interrupted is repeated."""
    settler = Settler(1.0, None)
    for portion in portions:
        batch = Batch(portion, False, False)

        reads: list[Batch] = []

        def read(batch: Batch = batch, reads: list[Batch] = reads) -> Batch:
            reads.append(batch)
            return batch

        try:
            with interruption:
                settler.take_in(read, lambda: 0.0)
        except HandlerError:
            # Before the batch is stored it is lost, as read() documents: here it comes again.
            if not reads or settler._incoming is not None or settler._position < len(batch):
                settler.take_in(read, lambda: 0.0)
    found = settler.take(1.0, 1000)
    return [] if found is None else list(found)


def test_step_of_settling_that_a_handler_ends_is_repeated(flapping: list[list[Change]]) -> None:
    wanted = settled(flapping, Interruption(0, fail))
    state: dict[Any, Any] = {}
    apply(state, wanted)  # no DELETE of what was not delivered
    assert all(change.type == NotificationType.ADD for change in wanted)
    count = 0
    for interruption in interruptions(in_handler(fail)):
        assert settled(flapping, interruption) == wanted, count
        count += 1
    assert count > 100


@linux_only("Windows has no such signal")
@pytest.mark.slow
def test_settled_reads_under_a_timer_whose_handler_reads_go_on(netns: Network, seed: int) -> None:
    """Real signals at random moments, in a thread that reads, and in a task."""
    chance = random.Random(seed)
    netns.veth()
    refused = read = 0
    with Watcher("route", settle=0.001, family=socket.AF_INET) as watcher:

        def handler(*_: object) -> None:
            nonlocal refused, read
            try:
                watcher.read(timeout=0)
                read += 1
            except RuntimeError:
                refused += 1
            signal.setitimer(signal.ITIMER_REAL, chance.uniform(1e-5, 1e-3))

        before = signal.signal(signal.SIGALRM, handler)
        try:
            signal.setitimer(signal.ITIMER_REAL, 1e-3)
            while refused < 300:
                with contextlib.suppress(RuntimeError):
                    watcher.read(timeout=0.002)
            refused = 0

            async def main() -> None:
                while refused < 300:
                    with contextlib.suppress(TimeoutError, RuntimeError):
                        await asyncio.wait_for(anext(watcher), 0.002)

            asyncio.run(main())
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        assert watcher._readers == []
        netns.ip("route add 10.1.0.0/16 dev v0")
        read_until(watcher, route_to("10.1.0.0/16"))

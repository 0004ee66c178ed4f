# SPDX-License-Identifier: MIT
"""A cancelled `async for` leaves no task, no reader in the loop, no descriptor and no thread, and
takes no change with it, at whatever step it is cancelled."""

from __future__ import annotations

import asyncio
import selectors
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import trio

from netioapi import Batch, Watcher
from tests.linux.namespace import Namespace
from tests.support.changes import route_to
from tests.support.resources import counts
from tests.support.waiting import eventually

Left = tuple[int, ...]
STEPS = 8  # iterations of the loop until the task surely waits


class Asyncio:
    def run(self, main: Callable[[], Awaitable[None]]) -> None:
        asyncio.run(main())  # type: ignore[arg-type]

    async def turn(self) -> None:
        await asyncio.sleep(0)

    def left(self) -> Left:
        """The tasks, waits and timers of the loop; the threads and descriptors of the process."""
        loop = asyncio.get_running_loop()
        selector = loop._selector  # type: ignore[attr-defined]
        assert isinstance(selector, selectors.BaseSelector)
        timers = [handle for handle in loop._scheduled if not handle.cancelled()]  # type: ignore[attr-defined]
        return len(asyncio.all_tasks()), len(selector.get_map()), len(timers), *counts()

    @asynccontextmanager
    async def cancelled(
        self, job: Callable[[], Awaitable[None]]
    ) -> AsyncIterator[Callable[[], None]]:
        """Runs the job beside the block; yields a function that cancels it, which the block must
        call."""
        task = asyncio.ensure_future(job())
        yield lambda: None if task.cancel() else pytest.fail("it had ended")
        with pytest.raises(asyncio.CancelledError):
            await task


class Trio(Asyncio):
    def run(self, main: Callable[[], Awaitable[None]]) -> None:
        trio.run(main)

    async def turn(self) -> None:
        await trio.lowlevel.checkpoint()

    def left(self) -> Left:
        statistics = trio.lowlevel.current_statistics()
        # trio counts the tasks that wait for a descriptor.
        waiting = getattr(statistics.io_statistics, "tasks_waiting_read", 0)
        timers = statistics.seconds_to_next_deadline < float("inf")
        return statistics.tasks_living, waiting, int(timers), *counts()

    @asynccontextmanager
    async def cancelled(
        self, job: Callable[[], Awaitable[None]]
    ) -> AsyncIterator[Callable[[], None]]:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(job)
            yield nursery.cancel_scope.cancel
        assert nursery.cancel_scope.cancelled_caught


LOOPS = {"asyncio": Asyncio, "trio": Trio}


@pytest.fixture(params=LOOPS)
def loop(request: pytest.FixtureRequest) -> Asyncio:
    return LOOPS[request.param]()


async def nothing_more(loop: Asyncio, before: Left) -> None:
    """An ended task needs some iterations of the loop until it is gone."""
    for _ in range(100):
        if loop.left() == before:
            return
        await loop.turn()
    eventually(lambda: loop.left() == before, what=f"{loop.left()} is {before} again")


def arrived(watcher: Watcher) -> None:
    eventually(lambda: watcher.stats()["queued"] > 0, what="it is in the queue")


@pytest.mark.parametrize("settle", [0.0, 1000.0])
def test_async_for_cancelled_at_any_step_leaves_nothing(
    netns: Namespace, loop: Asyncio, settle: float
) -> None:
    """Cancelled before its first step, at each of the next ones, and while it waits; twice each,
    since the second meets what the first left. With settle the task waits for a time, too."""
    netns.veth()

    async def main() -> None:
        waited = False
        async with Watcher("route", family=socket.AF_INET, settle=settle) as watcher:
            if settle > 0:
                netns.ip("route add 10.1.0.0/16 dev v0")
                arrived(watcher)
                assert watcher.read(timeout=0) is None  # and holds the change back

            async def follow() -> None:
                async for batch in watcher:
                    pytest.fail(f"nothing changed, but {list(batch)}")

            await loop.turn()
            before = loop.left()
            for step in [*range(STEPS)] * 2:
                async with loop.cancelled(follow) as cancel:
                    for _ in range(step):
                        await loop.turn()
                    waited |= loop.left()[1] == before[1] + 1
                    cancel()
                await nothing_more(loop, before)
        assert waited, "it never waited for the descriptor"

    loop.run(main)


def test_several_cancelled_async_fors_leave_nothing(netns: Namespace, loop: Asyncio) -> None:
    async def main() -> None:
        async with Watcher("route", family=socket.AF_INET) as watcher:
            await loop.turn()
            before = loop.left()

            async def follow() -> None:
                async for batch in watcher:
                    pytest.fail(f"nothing changed, but {list(batch)}")

            async with loop.cancelled(follow) as one, loop.cancelled(follow) as two:
                async with loop.cancelled(follow) as three:
                    for _ in range(STEPS):
                        await loop.turn()
                    assert loop.left()[1] == before[1] + 3
                    three()
                two()
                one()
            await nothing_more(loop, before)

    loop.run(main)


@pytest.mark.parametrize("step", range(STEPS))
def test_change_that_meets_a_cancellation_is_delivered_once(
    netns: Namespace, loop: Asyncio, step: int
) -> None:
    """A change and a cancellation arrive after so many steps: the change is delivered, exactly
    once."""
    netns.veth()
    seen: list[Batch] = []

    async def main() -> None:
        async with Watcher("route", family=socket.AF_INET) as watcher:

            async def follow() -> None:
                async for batch in watcher:
                    seen.append(batch)
                    await loop.turn()  # cancelled here, after it took the change

            await loop.turn()
            before = loop.left()
            async with loop.cancelled(follow) as cancel:
                for _ in range(step):
                    await loop.turn()
                netns.ip("route add 10.1.0.0/16 dev v0")
                arrived(watcher)
                for _ in range(step % 3):
                    await loop.turn()
                cancel()
            await nothing_more(loop, before)
            netns.ip("route add 10.2.0.0/16 dev v0")
            while not seen or not any(map(route_to("10.2.0.0/16"), seen[-1])):
                seen.append(await watcher.__anext__())
        await nothing_more(loop, (*before[:3], *counts()))

    loop.run(main)
    assert [str(c.row.destination_prefix) for batch in seen for c in batch] == [
        "10.1.0.0/16",
        "10.2.0.0/16",
    ]


def test_async_for_left_by_break_leaves_nothing(netns: Namespace, loop: Asyncio) -> None:
    """`break` leaves the loop, and the program goes on: no generator must be closed."""
    netns.veth()

    async def main() -> None:
        async with Watcher("route", family=socket.AF_INET) as watcher:
            await loop.turn()
            before = loop.left()
            for number in range(3):
                netns.ip(f"route add 10.{number}.0.0/16 dev v0")
                async for batch in watcher:
                    assert any(map(route_to(f"10.{number}.0.0/16"), batch))
                    break
                await nothing_more(loop, before)

    loop.run(main)

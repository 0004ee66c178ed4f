# SPDX-License-Identifier: MIT
"""`async for` on asyncio, uvloop and trio: no thread, no polling, and nothing left behind."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib.util
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from ipaddress import ip_network
from typing import Any

import pytest

from netioapi import Batch, Change, Watcher
from tests.support.changes import read_until, route_to
from tests.support.network import Network
from tests.support.platforms import WINDOWS, on_wine
from tests.support.processes import python
from tests.support.resources import counts
from tests.support.waiting import eventually

Main = Callable[[], Awaitable[None]]


class Asyncio:
    """The operations of an event loop that the tests need."""

    waits_in_a_thread = False  # a thread of its own for each wait

    def run(self, main: Main) -> None:
        asyncio.run(main())  # type: ignore[arg-type]

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    @contextlib.asynccontextmanager
    async def limit(self, seconds: float) -> AsyncIterator[None]:
        """Cancels the block after that time, and goes on."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                yield

    @contextlib.asynccontextmanager
    async def together(self, *jobs: Main) -> AsyncIterator[Callable[[], None]]:
        """Runs these jobs beside the block, and waits for them at its end; yields a function that
        cancels them."""
        tasks = [asyncio.ensure_future(job()) for job in jobs]

        def cancel() -> None:
            for task in tasks:
                task.cancel()

        yield cancel
        done, pending = await asyncio.wait(tasks, timeout=60)
        assert not pending, pending
        for task in done:
            if not task.cancelled():
                task.result()


class Uvloop(Asyncio):
    def run(self, main: Main) -> None:
        import uvloop

        uvloop.run(main())  # type: ignore[arg-type]


class Trio(Asyncio):
    waits_in_a_thread = WINDOWS

    def run(self, main: Main) -> None:
        import trio

        trio.run(main)

    async def sleep(self, seconds: float) -> None:
        import trio

        await trio.sleep(seconds)

    @contextlib.asynccontextmanager
    async def limit(self, seconds: float) -> AsyncIterator[None]:
        import trio

        with trio.move_on_after(seconds):
            yield

    @contextlib.asynccontextmanager
    async def together(self, *jobs: Main) -> AsyncIterator[Callable[[], None]]:
        import trio

        with trio.fail_after(20):
            async with trio.open_nursery() as nursery:
                for job in jobs:
                    nursery.start_soon(job)
                yield nursery.cancel_scope.cancel


class Selector(Asyncio):
    """asyncio's other loop on Windows, which cannot wait for a handle: a thread does."""

    waits_in_a_thread = True

    def run(self, main: Main) -> None:
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            runner.run(main())  # type: ignore[arg-type]


LOOPS: dict[str, type[Asyncio]] = {"asyncio": Asyncio, "uvloop": Uvloop, "trio": Trio}
if WINDOWS:
    LOOPS["selector"] = Selector


@pytest.fixture(params=LOOPS)
def loop(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Asyncio:
    if request.param != "selector" and importlib.util.find_spec(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    if request.param == "trio" and on_wine():
        # Wine does not know SIO_BASE_HANDLE, the socket below one that another program intercepts.
        windows = importlib.import_module("trio._core._io_windows")
        monkeypatch.setattr(
            windows,
            "_get_underlying_socket",
            lambda sock, **_: windows._handle(sock.fileno() if hasattr(sock, "fileno") else sock),
        )
    loop = LOOPS[request.param]()

    async def nothing() -> None: ...

    loop.run(nothing)  # so that the library has opened what it keeps
    return loop


@contextlib.contextmanager
def nothing_left() -> Iterator[None]:
    before = counts()
    yield
    eventually(lambda: counts() == before, what=f"{before} threads and descriptors")


def test_async_for_reads_until_stop(netns: Network, loop: Asyncio) -> None:
    netns.veth()
    seen: list[Change] = []

    async def main() -> None:
        async with Watcher("route", family=socket.AF_INET) as watcher:
            threads = threading.active_count()

            async def read() -> None:
                async for batch in watcher:
                    assert isinstance(batch, Batch)
                    more = threading.active_count() - threads
                    assert more <= loop.waits_in_a_thread
                    seen.extend(batch)
                    if any(map(route_to("10.1.49.0/24"), batch)):
                        watcher.stop()

            async with loop.together(read):
                await loop.sleep(0)
                netns.batch("\n".join(f"route add 10.1.{i}.0/24 dev v0" for i in range(50)))
        assert watcher.closed
        with pytest.raises(ValueError, match="watcher is closed"):
            aiter(watcher)

    with nothing_left():
        loop.run(main)
    assert [c.row.destination_prefix for c in seen] == [
        ip_network(f"10.1.{i}.0/24") for i in range(50)
    ]


def test_several_tasks_share_the_changes(netns: Network, loop: Asyncio) -> None:
    netns.veth()
    seen: list[Change] = []

    async def main() -> None:
        async with Watcher("route", family=socket.AF_INET) as watcher:

            async def read() -> None:
                async for batch in watcher:
                    seen.extend(batch)
                    if len(seen) == 300:
                        watcher.stop()

            async with loop.together(read, read, read):
                for i in range(300):
                    netns.ip(f"route add 10.{i >> 8}.{i & 255}.0/24 dev v0") if i < 5 else None
                    await loop.sleep(0)
                rest = (f"route add 10.{i >> 8}.{i & 255}.0/24 dev v0" for i in range(5, 300))
                netns.batch("\n".join(rest))

    with nothing_left():
        loop.run(main)
    assert len({c.row.destination_prefix for c in seen}) == len(seen) == 300


def test_cancelled_task_takes_no_change_and_leaks_nothing(netns: Network, loop: Asyncio) -> None:
    netns.veth()

    async def main() -> None:
        async with Watcher("route", family=socket.AF_INET) as watcher:
            with nothing_left():
                for seconds in (0.0, 0.0, 0.01, 0.02):
                    async with loop.limit(seconds):
                        async for batch in watcher:
                            pytest.fail(f"nothing changed, but {list(batch)}")
                async with loop.together(watcher.__anext__) as cancel:  # type: ignore[arg-type]
                    await loop.sleep(0.01)
                    cancel()
            netns.ip("route add 10.1.0.0/16 dev v0")
            got = await watcher.__anext__()
            assert any(map(route_to("10.1.0.0/16"), got))

    with nothing_left():
        loop.run(main)


def test_async_for_under_a_flood_lets_other_tasks_run(netns: Network, loop: Asyncio) -> None:
    """While there is always a change to read, the loop still runs other tasks and delivers a
    cancellation."""
    netns.veth()
    turns = 0

    async def main() -> None:
        nonlocal turns
        with Watcher("route", family=socket.AF_INET, snapshot=True) as watcher:
            watcher._poll = lambda most: Batch([], False, False)  # type: ignore[method-assign]

            async def read() -> None:
                async for _ in watcher:
                    pass

            async with loop.together(read) as cancel:
                for _ in range(50):
                    turns += 1
                    await loop.sleep(0)
                cancel()

    loop.run(main)
    assert turns == 50


@pytest.mark.parametrize("how", ["stop", "close"])
def test_stop_or_close_from_a_thread_ends_async_for(
    netns: Network, loop: Asyncio, how: str
) -> None:
    async def main() -> None:
        with Watcher() as watcher:

            async def read() -> None:
                async for _ in watcher:
                    pass

            thread = threading.Timer(0.02, getattr(watcher, how))
            async with loop.together(read, read):
                for _ in range(8):  # turns of the loop, until both have begun to wait
                    await loop.sleep(0)
                thread.start()
            thread.join()

    with nothing_left():
        loop.run(main)


def test_async_read_of_a_settled_watcher_waits_in_the_loop(netns: Network, loop: Asyncio) -> None:
    netns.veth()

    async def main() -> None:
        async with Watcher("route", family=socket.AF_INET, settle=0.05) as watcher:
            netns.batch("route add 10.1.0.0/16 dev v0\nroute replace 10.1.0.0/16 dev v0 mtu 1400")
            batch = await watcher.__anext__()
            mtu = None if WINDOWS else 1400
            assert [(c.type.name, c.row.route_mtu) for c in batch] == [("ADD", mtu)]
            with nothing_left():
                async with loop.limit(0.01):
                    await watcher.__anext__()

    loop.run(main)


def test_change_taken_in_by_a_cancelled_task_is_delivered_to_another(
    netns: Network, loop: Asyncio
) -> None:
    netns.veth()
    got: list[Batch] = []

    async def main() -> None:
        async with Watcher("route", family=socket.AF_INET, settle=0.4) as watcher:
            netns.ip("route add 10.1.0.0/16 dev v0")
            settler = watcher._settler
            assert settler is not None
            while not (got or settler.held):  # on a slow machine it may be delivered at once
                async with loop.limit(0.03):
                    got.append(await watcher.__anext__())
            if not got:
                got.append(await watcher.__anext__())

    loop.run(main)
    assert [len(batch) for batch in got] == [1]


def test_loop_may_be_closed_before_the_watcher(netns: Network) -> None:
    netns.veth()
    with nothing_left(), Watcher("route") as watcher:

        async def read() -> None:
            async for _ in watcher:
                pass

        with nothing_left():
            closed = asyncio.new_event_loop()
            task: asyncio.Task[Any] = closed.create_task(read())
            closed.run_until_complete(asyncio.wait([task], timeout=0.01))
            closed.set_exception_handler(lambda *_: None)  # it reports the pending task
            closed.close()
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            del task, closed
            gc.collect()
        netns.ip("route add 10.1.0.0/16 dev v0")
        read_until(watcher, route_to("10.1.0.0/16"))


def test_two_loops_in_two_threads_share_the_changes(netns: Network) -> None:
    netns.veth()
    seen: list[Change] = []
    with Watcher("route", family=socket.AF_INET) as watcher:

        async def read() -> None:
            async for batch in watcher:
                seen.extend(batch)

        threads = [threading.Thread(target=lambda: asyncio.run(read())) for _ in range(2)]
        for thread in threads:
            thread.start()
        netns.batch("\n".join(f"route add 10.1.{i}.0/24 dev v0" for i in range(200)))
        eventually(lambda: len(seen) == 200)
        watcher.stop()
        for thread in threads:
            thread.join(10)
            assert not thread.is_alive()


def test_import_of_netioapi_imports_no_event_loop() -> None:
    source = """
import sys
before = set(sys.modules)  # a site's own hooks may have imported some
import netioapi
print(sorted({"asyncio", "trio", "typing"} & (set(sys.modules) - before)))
"""
    assert python(source).stdout.strip() == "[]"

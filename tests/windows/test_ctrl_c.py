# SPDX-License-Identifier: MIT
"""Ctrl-C ends a wait of the main thread at once, and of no other thread; and the loops that wait
for a Watcher by its handle: asyncio's two and trio."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from netioapi import Batch, Watcher
from tests.support.background import BackgroundCall
from tests.support.changes import route_to
from tests.support.platforms import on_wine
from tests.support.waiting import eventually
from tests.windows.dll import Figure, Setting, checked, configure, stat
from tests.windows.support import ROUTE, handles, live, no_handle_left, route_row

pytestmark = pytest.mark.usefixtures("link")
QUIET = ["192.0.2.0/24"]  # prefixes without any change


@contextlib.contextmanager
def ctrl_c_soon(waits: Callable[[], bool] = lambda: True) -> Iterator[None]:
    """Another thread sends Ctrl-C while the main thread waits, until one came while `waits()` was
    true: one just before the wait is handled before it begins."""
    ended = threading.Event()

    def interrupt() -> None:
        while not ended.wait(0.1):
            signal.raise_signal(signal.SIGINT)

    def handle(*_: object) -> None:
        if waits():
            ended.set()
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, handle)
    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        signal.signal(signal.SIGINT, before)


def ends_at_once(wait: Callable[[], object]) -> None:
    start = time.monotonic()
    with ctrl_c_soon(), pytest.raises(KeyboardInterrupt):
        wait()
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("settle", [0.0, 60.0])
@pytest.mark.parametrize("how", ["read", "timeout", "iteration", "list"])
def test_ctrl_c_ends_a_read(how: str, settle: float) -> None:
    with Watcher("route", prefixes=QUIET, settle=settle) as watcher:
        for _ in range(3):
            ends_at_once(
                {
                    "read": watcher.read,
                    "timeout": lambda: watcher.read(timeout=60),
                    "iteration": lambda: next(iter(watcher)),
                    "list": lambda: list(watcher),
                }[how]
            )
        assert not watcher.stopped
    assert watcher.closed


@pytest.mark.parametrize("timeout", [None, 60])
def test_ctrl_c_ends_the_wait_of_cancel_and_not_the_cancellation(timeout: float | None) -> None:
    before = live()
    registration = ROUTE.notify(lambda *_: None)
    configure(Setting.BLOCKED, 1)
    ROUTE.put(route_row(1))
    eventually(lambda: stat(Figure.RUNNING) == 1)
    for _ in range(3):
        ends_at_once(lambda: registration.cancel(timeout))
        assert not registration.active
    configure(Setting.BLOCKED, 0)
    registration.cancel()
    assert live() == before


def test_ctrl_c_ends_the_with_block_of_a_registration() -> None:
    before = live()
    registration = ROUTE.notify(lambda *_: None)
    configure(Setting.BLOCKED, 1)
    ROUTE.put(route_row(1))
    eventually(lambda: stat(Figure.RUNNING) == 1)
    with ctrl_c_soon(lambda: not registration.active), pytest.raises(KeyboardInterrupt):
        with registration:
            pass
    configure(Setting.BLOCKED, 0)
    eventually(lambda: live() == before)


def test_signal_handler_that_returns_does_not_end_a_read() -> None:
    """The wait goes on, until a change ends it."""
    interrupted = threading.Event()
    before = signal.signal(signal.SIGINT, lambda *_: interrupted.set())
    try:
        with Watcher("route") as watcher:

            def interrupt() -> None:
                for _ in range(20):
                    signal.raise_signal(signal.SIGINT)
                    time.sleep(0.005)
                assert interrupted.wait(60)
                ROUTE.put(route_row(1))

            interrupter = BackgroundCall(interrupt)
            batch = watcher.read(timeout=30)
            interrupter.result()
            assert batch is not None
            assert [c.row.metric for c in batch] == [1]
            start = time.monotonic()
            interrupter = BackgroundCall(lambda: signal.raise_signal(signal.SIGINT))
            assert watcher.read(timeout=0.3) is None
            assert 0.28 < time.monotonic() - start < 10
            interrupter.result()
    finally:
        signal.signal(signal.SIGINT, before)


def test_earlier_ctrl_c_does_not_end_a_later_wait() -> None:
    """No wait ran then; Python's own event stays set, and must not end a later wait."""
    with Watcher("route", prefixes=QUIET) as watcher:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        used = time.process_time()
        assert watcher.read(timeout=0.5) is None
        assert time.process_time() - used < 0.3
    registration = ROUTE.notify(lambda *_: None)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    registration.cancel()


def test_other_signals_are_handled_after_the_wait() -> None:
    """Python sets its event for Ctrl-C alone: the handler of another signal runs when the wait ends
    for another reason, as with Python's own waits."""
    interrupted = threading.Event()
    before = signal.signal(signal.SIGTERM, lambda *_: interrupted.set())
    try:
        with Watcher("route", prefixes=QUIET) as watcher:
            interrupter = BackgroundCall(lambda: signal.raise_signal(signal.SIGTERM))
            assert watcher.read(timeout=0.3) is None
            interrupter.result()
            assert interrupted.wait(60)
    finally:
        signal.signal(signal.SIGTERM, before)


# ---- other threads


@pytest.mark.parametrize("settle", [0.0, 60.0])
def test_ctrl_c_ends_no_read_of_another_thread(settle: float) -> None:
    """Two threads read for ever (one, with settle): they use no processor time, and get later
    changes."""
    got: list[Batch | None] = []
    with Watcher("route", settle=settle, max_delay=0.01 if settle else None) as watcher:

        def read() -> None:
            while batch := watcher.read():
                got.append(batch)

        readers = [BackgroundCall(read) for _ in range(1 if settle else 2)]
        with Watcher("route", prefixes=QUIET) as mine:
            for _ in range(5):
                ends_at_once(mine.read)
        used = time.process_time()
        assert not threading.Event().wait(0.5)
        assert time.process_time() - used < 0.3
        assert got == []
        ROUTE.put(route_row(1))
        eventually(lambda: got)
        watcher.stop()
        for reader in readers:
            reader.result()
    assert [c.row.metric for batch in got if batch for c in batch] == [1]


def test_ctrl_c_ends_no_cancel_of_another_thread() -> None:
    registration = ROUTE.notify(lambda *_: None)
    configure(Setting.BLOCKED, 1)
    ROUTE.put(route_row(1))
    eventually(lambda: stat(Figure.RUNNING) == 1)
    waiters = [BackgroundCall(registration.cancel) for _ in range(3)]
    for _ in range(3):
        ends_at_once(registration.cancel)
    assert all(waiter.is_alive() for waiter in waiters)
    configure(Setting.BLOCKED, 0)
    for waiter in waiters:
        waiter.result()


# ---- loops

Main = Callable[[], Coroutine[Any, Any, None]]


class Asyncio:
    factory: Callable[[], asyncio.AbstractEventLoop]
    sleep = staticmethod(asyncio.sleep)
    cancelled: type[BaseException] = asyncio.CancelledError

    def run(self, main: Main) -> None:
        with asyncio.Runner(loop_factory=self.factory) as runner:
            runner.run(main())

    @contextlib.contextmanager
    def limit(self, seconds: float) -> Iterator[None]:
        """Cancels the block after that time."""
        task = asyncio.current_task()
        assert task is not None
        timer = asyncio.get_running_loop().call_later(seconds, task.cancel)
        try:
            yield
        except asyncio.CancelledError:
            if task.uncancel() > 0:
                raise
        finally:
            timer.cancel()


class Proactor(Asyncio):
    factory = staticmethod(asyncio.ProactorEventLoop)


class Selector(Asyncio):
    factory = staticmethod(asyncio.SelectorEventLoop)


class Trio(Asyncio):
    def run(self, main: Main) -> None:
        import trio

        trio.run(main)

    async def sleep(self, seconds: float) -> None:
        import trio

        await trio.sleep(seconds)

    @contextlib.contextmanager
    def limit(self, seconds: float) -> Iterator[None]:
        import trio

        with trio.move_on_after(seconds):
            yield


def let_trio_run_on_wine(monkeypatch: pytest.MonkeyPatch) -> None:
    """trio asks each socket for its base socket (SIO_BASE_HANDLE), which Wine does not implement;
    there the socket itself is the base."""
    windows = pytest.importorskip("trio._core._io_windows")

    def itself(sock: Any, *, which: object = None) -> Any:
        return windows._handle(sock if isinstance(sock, int) else sock.fileno())

    if on_wine():
        monkeypatch.setattr(windows, "_get_underlying_socket", itself)


@pytest.fixture(params=[Proactor, Selector, Trio])
def loop(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Asyncio:
    if request.param is Trio:
        let_trio_run_on_wine(monkeypatch)
    made: Asyncio = request.param()
    return made


def after_warming_up(run: Callable[[], None], rounds: int = 10) -> None:
    """Runs it often enough to see a handle that stays; libraries keep some from the first run."""
    run()
    run()
    with no_handle_left():
        for _ in range(rounds):
            run()


def later(act: Callable[[], object]) -> threading.Thread:
    thread = threading.Timer(0.02, act)
    thread.start()
    return thread


def test_async_for_gets_all_changes(loop: Asyncio) -> None:
    def once() -> None:
        seen: list[int] = []

        async def main() -> None:
            async with Watcher("route", family=socket.AF_INET) as watcher:
                thread = later(
                    lambda: checked("standin_put_routes", route_row(1, "10.0.0.0/32"), 500)
                )
                async for batch in watcher:
                    seen.extend(int(c.row.destination_prefix.network_address) for c in batch)
                    if len(seen) == 500:
                        watcher.stop()
                thread.join()

        loop.run(main)
        checked("standin_delete_routes", route_row(1, "10.0.0.0/32"), 500)
        assert seen == list(range(seen[0], seen[0] + 500))

    after_warming_up(once)


def test_timed_out_async_read_takes_no_change_and_leaks_nothing(loop: Asyncio) -> None:
    def once() -> None:
        async def main() -> None:
            async with Watcher("route") as watcher:
                for seconds in (0.0, 0.001, 0.01, 0.02):
                    with loop.limit(seconds):
                        batch = await watcher.__anext__()
                        pytest.fail(f"nothing changed, but {batch}")
                before = handles()
                for _ in range(20):
                    with loop.limit(0.001):
                        await watcher.__anext__()
                await loop.sleep(0.05)
                assert handles() <= before
                ROUTE.put(route_row(1))
                assert any(map(route_to("198.51.100.0/24"), await watcher.__anext__()))
                ROUTE.delete(route_row(1))

        loop.run(main)

    after_warming_up(once, rounds=3)


@pytest.mark.parametrize("how", ["stop", "close"])
def test_stop_or_close_from_a_thread_ends_async_for(loop: Asyncio, how: str) -> None:
    def once() -> None:
        async def main() -> None:
            async with Watcher("route", prefixes=QUIET) as watcher:
                thread = later(getattr(watcher, how))
                async for batch in watcher:
                    pytest.fail(f"nothing changed, but {batch}")
                thread.join()

        loop.run(main)

    after_warming_up(once)


def test_async_read_of_a_settled_watcher_waits_in_the_loop(loop: Asyncio) -> None:
    def once() -> None:
        async def main() -> None:
            async with Watcher("route", settle=0.03) as watcher:
                ROUTE.put(route_row(1))
                ROUTE.put(route_row(2))
                batch = await watcher.__anext__()
                assert [(c.type.name, c.row.metric) for c in batch] == [("ADD", 2)]
                ROUTE.delete(route_row(1))

        loop.run(main)

    after_warming_up(once, rounds=3)


def test_ctrl_c_ends_async_for(loop: Asyncio) -> None:
    if isinstance(loop, Selector):
        pytest.skip("nothing wakes asyncio's select() for a signal on Windows")

    async def main() -> None:
        async with Watcher("route", prefixes=QUIET) as watcher:
            async for batch in watcher:
                pytest.fail(f"nothing changed, but {batch}")

    before, start = live(), time.monotonic()
    ended = threading.Event()

    def interrupt() -> None:
        if not ended.wait(0.2):
            signal.raise_signal(signal.SIGINT)

    interrupter = BackgroundCall(interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            loop.run(main)
    finally:
        ended.set()
        interrupter.result()
    assert time.monotonic() - start < 10
    assert live() == before

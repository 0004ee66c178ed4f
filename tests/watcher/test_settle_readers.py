# SPDX-License-Identifier: MIT
"""A settled Watcher has one reader at a time. A second one, in a thread, a task, a signal handler
or a child process, raises; the first one goes on."""

from __future__ import annotations

import asyncio
import os
import queue
import signal
import socket
import threading

import pytest

import netioapi
from netioapi import Batch, Watcher
from tests.support.network import Network
from tests.support.platforms import linux_only
from tests.support.processes import fork
from tests.support.routes import add_routes
from tests.support.signals import read_with_signal
from tests.support.waiting import eventually


def test_second_read_of_a_settled_watcher_is_refused_and_the_first_goes_on(netns: Network) -> None:
    """A second reader in another thread, by each way to read; the first one gets the changes."""
    netns.veth()
    got: queue.Queue[Batch | None] = queue.Queue()
    with Watcher("route", family=socket.AF_INET, settle=0.05) as watcher:
        reader = threading.Thread(target=lambda: got.put(watcher.read()))
        reader.start()
        eventually(lambda: watcher._readers)
        for _ in range(3):
            with pytest.raises(RuntimeError, match="one reader at a time"):
                watcher.read(timeout=0)
            with pytest.raises(RuntimeError, match="one reader at a time"):
                next(iter(watcher))
            with pytest.raises(RuntimeError, match="one reader at a time"):
                asyncio.run(anext_of(watcher))
        add_routes(netns, range(3))
        batch = got.get(timeout=60)
        reader.join()
        assert batch is not None
        size = len(batch)
        while size < 3:  # on a slow machine they may arrive in two bursts
            more = watcher.read(timeout=60)  # after the first reader another one is allowed
            assert more is not None
            size += len(more)


async def anext_of(watcher: Watcher) -> Batch:
    return await watcher.__anext__()


def test_second_task_and_thread_are_refused_while_a_task_reads(netns: Network) -> None:
    async def main() -> None:
        async with Watcher("route", settle=60) as watcher:
            first = asyncio.create_task(anext_of(watcher))
            await asyncio.sleep(0)
            with pytest.raises(RuntimeError, match="one reader at a time"):
                await anext_of(watcher)
            with pytest.raises(RuntimeError, match="one reader at a time"):
                watcher.read(timeout=0)
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
            assert watcher.read(timeout=0) is None  # the cancelled task does not read any more

    asyncio.run(main())


def test_settled_read_that_raises_lets_the_next_one_read(netns: Network) -> None:
    """After a failed read another one is allowed, whatever the error was."""
    with Watcher("route", settle=60) as watcher:
        for wrong in ("x", -1):
            with pytest.raises((TypeError, ValueError)):
                watcher.read(timeout=wrong)  # type: ignore[arg-type]
        for _ in range(20):
            with pytest.raises(KeyboardInterrupt):
                read_with_signal(lambda: signal.default_int_handler(signal.SIGINT, None), watcher)
            assert watcher.read(timeout=0) is None
        assert watcher._readers == []


def test_one_of_several_concurrent_settled_reads_is_not_refused(netns: Network) -> None:
    for _ in range(20):
        outcomes: queue.Queue[str] = queue.Queue()
        with Watcher("route", settle=60) as watcher:

            def read(watcher: Watcher = watcher, outcomes: queue.Queue[str] = outcomes) -> None:
                try:
                    assert watcher.read() is None
                    outcomes.put("stopped")
                except RuntimeError as error:
                    outcomes.put(str(error))

            readers = [threading.Thread(target=read) for _ in range(4)]
            for reader in readers:
                reader.start()
            texts = [outcomes.get(timeout=60) for _ in range(3)]
            assert all("one reader at a time" in text for text in texts)
            watcher.stop()
            assert outcomes.get(timeout=60) == "stopped"
            for reader in readers:
                reader.join()


def test_iteration_ends_when_closed_between_two_checks(netns: Network) -> None:
    class ClosesMeanwhile:
        """A native part that is closed between two checks of `closed`."""

        looks = 0
        closed_at_exit = False

        @property
        def closed(self) -> bool:
            self.looks += 1
            return self.looks > 2

        def read(self, timeout: float | None, most: int) -> None:
            return None

    with Watcher("route") as watcher:
        native, watcher._watch = watcher._watch, ClosesMeanwhile()  # type: ignore[assignment]
        assert list(watcher) == []
        watcher._watch = native


@linux_only("there is no fork()")
def test_read_in_a_forked_child_during_a_settled_read_raises(netns: Network) -> None:
    with Watcher("route", settle=0.1) as watcher:
        reader = threading.Thread(target=watcher.read)
        reader.start()
        eventually(lambda: watcher._readers)
        child = fork()
        if child == 0:
            code = 1
            signal.alarm(30)
            try:
                watcher.read(timeout=0)
            except RuntimeError as error:
                code = 0 if "made before fork" in str(error) else 2
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        watcher.stop()
        reader.join()


@linux_only("Windows has no such signal")
def test_read_in_a_signal_handler_during_a_settled_read_raises(
    netns: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    netns.veth()
    real = netioapi.watcher._clock
    interrupted = []

    def clock() -> float:
        settler = watcher._settler
        assert settler is not None
        # Between taking changes in and holding them back.
        if settler._incoming is not None and not interrupted:
            interrupted.append(True)
            signal.raise_signal(signal.SIGUSR1)
        return real()

    monkeypatch.setattr(netioapi.watcher, "_clock", clock)
    with Watcher("route", settle=0.05) as watcher:
        before = signal.signal(signal.SIGUSR1, lambda *_: watcher.read(timeout=0))
        try:
            add_routes(netns, range(1))
            with pytest.raises(RuntimeError, match="one reader at a time"):
                watcher.read(timeout=60)
            batch = watcher.read(timeout=60)
        finally:
            signal.signal(signal.SIGUSR1, before)
    assert batch is not None
    assert len(batch) == 1

# SPDX-License-Identifier: MIT
"""Readers of a settled Watcher, of every kind and together: none is put off, called for nothing,
forgotten or hung."""

from __future__ import annotations

import os
import queue
import signal
import socket
import threading

import pytest

import netioapi
from netioapi import Watcher
from tests.support.network import Network
from tests.support.platforms import linux_only
from tests.support.processes import fork
from tests.support.routes import add_routes


def test_rest_of_a_settled_batch_wakes_the_other_readers(netns: Network) -> None:
    netns.veth()
    got: queue.Queue[int] = queue.Queue()
    with Watcher("route", family=socket.AF_INET, settle=0.05) as watcher:

        def read_once() -> None:
            batch = watcher.read(max_changes=2)
            got.put(0 if batch is None else len(batch))

        for number in range(5):
            readers = [threading.Thread(target=read_once) for _ in range(3)]
            for reader in readers:
                reader.start()
            add_routes(netns, range(number * 6, number * 6 + 6))
            sizes = [got.get(timeout=60) for _ in readers]
            assert all(sizes)  # none was left asleep
            while sum(sizes) < 6:  # a slow machine adds them in two goes, each quiet for itself
                batch = watcher.read(timeout=60, max_changes=2)
                assert batch is not None
                sizes.append(len(batch))
            assert sum(sizes) == 6
            for reader in readers:
                reader.join()


def test_iteration_ends_when_closed_between_two_checks(netns: Network) -> None:
    class ClosesMeanwhile:
        """A native half that is closed between two looks at it."""

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
def test_read_in_a_forked_child_during_a_settled_read_raises(
    netns: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    netns.veth()
    inside, leave = threading.Event(), threading.Event()
    real = netioapi.watcher._clock

    def clock() -> float:
        settler = watcher._settler
        assert settler is not None
        if settler._lock.locked() and threading.current_thread() is reader:
            inside.set()
            leave.wait(60)
        return real()

    monkeypatch.setattr(netioapi.watcher, "_clock", clock)
    with Watcher("route", settle=0.1) as watcher:
        reader = threading.Thread(target=watcher.read)
        reader.start()
        add_routes(netns, range(1))
        assert inside.wait(60)
        child = fork()
        if child == 0:
            code = 1
            signal.alarm(30)
            try:
                watcher.read(timeout=0)
            except RuntimeError:
                code = 0
            finally:
                os._exit(code)
        leave.set()
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        reader.join()


@linux_only("Windows has no such signal")
def test_read_in_a_signal_handler_during_a_settled_read_raises(
    netns: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    netns.veth()
    real = netioapi.watcher._clock
    struck = []

    def clock() -> float:
        settler = watcher._settler
        assert settler is not None
        if settler._lock.locked() and not struck:
            struck.append(True)
            signal.raise_signal(signal.SIGUSR1)
        return real()

    monkeypatch.setattr(netioapi.watcher, "_clock", clock)
    with Watcher("route", settle=0.05) as watcher:
        before = signal.signal(signal.SIGUSR1, lambda *_: watcher.read(timeout=0))
        try:
            add_routes(netns, range(1))
            with pytest.raises(RuntimeError, match="signal handler"):
                watcher.read(timeout=60)
            batch = watcher.read(timeout=60)
        finally:
            signal.signal(signal.SIGUSR1, before)
    assert batch is not None
    assert len(batch) == 1

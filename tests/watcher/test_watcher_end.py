# SPDX-License-Identifier: MIT
"""The ends of a Watcher: stop, close, signals, several threads, garbage collection, fork, exit."""

from __future__ import annotations

import contextlib
import gc
import itertools
import os
import random
import select
import signal
import socket
import threading
import warnings
from collections.abc import Callable, Iterator

import pytest

import netioapi
from netioapi import Batch, Watcher
from tests.support.changes import read_until, route_to
from tests.support.network import Network
from tests.support.platforms import WINDOWS, linux_only
from tests.support.processes import fork
from tests.support.resources import counts
from tests.support.signals import read_with_signal, signal_statement
from tests.support.waiting import eventually


@contextlib.contextmanager
def nothing_left() -> Iterator[None]:
    before = counts()
    yield
    eventually(lambda: counts() == before, what=f"{before} threads and descriptors")


def reader(watcher: Watcher) -> tuple[threading.Thread, list[Batch | None]]:
    """A thread that reads until None, and the list of all that it read."""
    got: list[Batch | None] = []

    def run() -> None:
        while True:
            got.append(watcher.read())
            if got[-1] is None:
                return

    thread = threading.Thread(target=run)
    thread.start()
    return thread, got


def ended(*threads: threading.Thread) -> bool:
    for thread in threads:
        thread.join(10)
    return not any(thread.is_alive() for thread in threads)


# A settled Watcher has one reader at a time.
@pytest.mark.parametrize(("settle", "count"), [(0, 3), (60, 1)])
def test_stop_ends_all_readers_and_close_frees_the_watcher(
    netns: Network, settle: float, count: int
) -> None:
    with nothing_left():
        watcher = Watcher(settle=settle)
        readers = [reader(watcher)[0] for _ in range(count)]
        assert not watcher.stopped
        watcher.stop()
        assert ended(*readers)
        assert watcher.stopped
        assert not watcher.closed
        assert watcher.read() is None
        assert watcher.read(timeout=5) is None
        assert list(watcher) == []
        watcher.stop()
        watcher.close()
        watcher.close()
        watcher.stop()
    assert watcher.closed
    assert watcher.stopped


def test_closed_watcher_raises_value_error(netns: Network) -> None:
    watcher = Watcher("route", "route")
    assert repr(watcher) == "<Watcher of route: live>"
    watcher.stop()
    assert repr(watcher) == "<Watcher of route: stopped>"
    watcher.close()
    assert repr(watcher) == "<Watcher of route: closed>"
    for use in (watcher.read, watcher.fileno, watcher.__iter__, watcher.__aiter__):
        with pytest.raises(ValueError, match="watcher is closed"):
            use()
    assert watcher.stats()["received"] >= 0


def test_iteration_ends_quietly_on_stop_and_close(netns: Network) -> None:
    netns.veth()
    with Watcher("route") as watcher:
        netns.ip("route add 10.1.0.0/16 dev v0")
        for batch in watcher:
            if any(map(route_to("10.1.0.0/16"), batch)):
                watcher.stop()
    with Watcher("route") as watcher:
        netns.ip("route add 10.2.0.0/16 dev v0")
        for batch in watcher:
            if any(map(route_to("10.2.0.0/16"), batch)):
                watcher.close()
        assert watcher.closed


def test_stop_from_a_callback_ends_a_reader(netns: Network) -> None:
    netns.veth()
    with Watcher("route", prefixes=["192.0.2.0/24"]) as watcher:
        thread, got = reader(watcher)
        with netioapi.notify_route_change2(lambda row, type: watcher.stop()):
            netns.ip("route add 10.1.0.0/16 dev v0")
            assert ended(thread)
        assert got == [None]


def test_close_from_a_callback_ends_a_reader(netns: Network) -> None:
    netns.veth()
    watcher = Watcher("route", prefixes=["192.0.2.0/24"])
    thread, got = reader(watcher)
    with netioapi.notify_route_change2(lambda row, type: watcher.close()):
        netns.ip("route add 10.1.0.0/16 dev v0")
        assert ended(thread)
    assert got == [None]
    assert watcher.closed


@pytest.mark.parametrize("settle", [0, 60])
def test_signal_handler_may_stop_close_or_raise_during_a_read(
    netns: Network, settle: float
) -> None:
    with Watcher(settle=settle) as watcher:
        assert read_with_signal(watcher.stop, watcher) is None
        assert watcher.stopped
    watcher = Watcher(settle=settle)
    assert read_with_signal(watcher.close, watcher) is None
    assert watcher.closed
    with Watcher(settle=settle) as watcher:
        with pytest.raises(KeyboardInterrupt):
            read_with_signal(lambda: signal.default_int_handler(signal.SIGINT, None), watcher)
        assert not watcher.stopped


def test_ctrl_c_ends_a_program_that_reads(netns: Network) -> None:
    program = (
        "import os, signal, threading, netioapi\n"
        "watcher = netioapi.Watcher()\n"
        "ended = threading.Event()\n"
        "def interrupt():\n"
        "    while not ended.wait(0.3):\n"
        f"        {signal_statement('SIGINT')}\n"
        "try:\n"
        "    threading.Thread(target=interrupt).start()\n"
        "    for batch in watcher: print(batch)\n"
        "except KeyboardInterrupt:\n"
        "    ended.set()\n"
        "watcher.close()\n"
        "print('interrupted')\n"
    )
    assert netns.python(program, marker="interrupted", timeout=15).stderr == ""


def test_three_readers_share_the_changes_in_order(netns: Network) -> None:
    netns.veth()
    with Watcher("route", family=socket.AF_INET) as watcher:
        readers = [reader(watcher) for _ in range(3)]
        netns.batch("\n".join(f"route add 10.{i >> 8}.{i & 255}.0/24 dev v0" for i in range(3000)))
        eventually(lambda: watcher.stats()["delivered"] == 3000)
        watcher.stop()
        assert ended(*(thread for thread, _ in readers))
    parts = [[str(c.row.destination_prefix) for b in got if b for c in b] for _, got in readers]
    expected = [f"10.{i >> 8}.{i & 255}.0/24" for i in range(3000)]
    place = {prefix: i for i, prefix in enumerate(expected)}
    for part in parts:
        assert part == sorted(part, key=place.__getitem__)
    assert sorted(itertools.chain(*parts), key=place.__getitem__) == expected


def test_close_during_use_by_other_threads_raises_expected_errors_alone(
    netns: Network, seed: int
) -> None:
    """Close while other threads read and query: no crash, and no error but "closed" and, for a
    settled Watcher, that another thread reads it."""
    chance = random.Random(seed)
    netns.veth()
    errors: list[BaseException] = []

    def guarded(act: Callable[[], object]) -> Callable[[], None]:
        def run() -> None:
            try:
                act()
            except ValueError as error:
                if str(error) != "watcher is closed":
                    errors.append(error)
            except RuntimeError as error:
                if "one reader at a time" not in str(error):  # raised by a settled Watcher
                    errors.append(error)
            except netioapi.NetioError as error:
                # Windows has no descriptor.
                if not (WINDOWS and error.function == "Watcher.fileno"):
                    errors.append(error)
            except BaseException as error:
                errors.append(error)

        return run

    with nothing_left():
        for turn in range(60):
            watcher = Watcher(settle=chance.choice([0, 0.001]))
            acts: list[Callable[[], object]] = [
                watcher.read,
                lambda w=watcher: list(w),  # type: ignore[misc]
                lambda w=watcher: w.read(timeout=0.001),  # type: ignore[misc]
                watcher.stats,
                watcher.fileno,
                watcher.close,
                watcher.close,
                watcher.stop,
            ]
            chance.shuffle(acts)
            threads = [threading.Thread(target=guarded(act)) for act in acts]
            for thread in threads:
                thread.start()
            if turn % 10 == 0:
                netns.ip(f"route add 10.{turn}.0.0/16 dev v0")
            watcher.close()
            assert ended(*threads), [t for t in threads if t.is_alive()]
            assert watcher.closed
    assert errors == []


def test_fileno_is_a_descriptor_or_unsupported(netns: Network) -> None:
    with Watcher() as watcher:
        if not WINDOWS:
            assert os.fstat(watcher.fileno())
            with pytest.raises(netioapi.NetioError, match=r"fileno\(\) returns") as caught:
                watcher.handle()
            assert (caught.value.code, caught.value.function) == (50, "Watcher.handle")
            return
        with pytest.raises(netioapi.NetioError) as caught:
            watcher.fileno()
        assert (caught.value.code, caught.value.function) == (50, "Watcher.fileno")


@linux_only("its events are not descriptors")
def test_descriptor_is_readable_while_changes_wait(netns: Network) -> None:
    netns.veth()
    with Watcher("route") as watcher:
        while watcher.read(timeout=0.01):
            pass
        assert select.select([watcher], [], [], 0) == ([], [], [])
        netns.ip("route add 10.1.0.0/16 dev v0")
        assert select.select([watcher], [], [], 10)[0] == [watcher]
        read_until(watcher, route_to("10.1.0.0/16"))
        while watcher.read(timeout=0.01):
            pass
        assert select.select([watcher], [], [], 0) == ([], [], [])
        watcher.stop()
        assert select.select([watcher], [], [], 10)[0] == [watcher]
        assert watcher.read() is None
        assert select.select([watcher], [], [], 10)[0] == [watcher]


def test_unreferenced_watcher_is_closed_with_a_warning(netns: Network) -> None:
    with nothing_left():
        watchers = [Watcher() for _ in range(10)]
        cycle: list[object] = [watchers.pop()]
        cycle.append(cycle)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            del watchers, cycle
            gc.collect()
        assert [w.category for w in caught] == [ResourceWarning] * 10
        assert str(caught[0].message).startswith("unclosed <Watcher of all: ")
        caught.clear()


def test_failed_constructor_leaves_nothing(netns: Network) -> None:
    with nothing_left():
        for _ in range(50):
            with pytest.raises(ValueError, match="tables"):
                Watcher(tables=[])
            with pytest.raises(netioapi.InvalidParameterError):
                Watcher(family=99)
    gc.collect()


def test_watchers_leak_no_references(netns: Network) -> None:
    def once() -> None:
        with Watcher(snapshot=True, prefixes=["10.0.0.0/8"], protocols=[3]) as watcher:
            batch = watcher.read(timeout=60)
            assert batch is not None
            for change in batch:
                assert repr(change)
            assert batch.routes is not None
            watcher.read(timeout=0)
            watcher.stats()

    for _ in range(20):
        once()
    gc.collect()
    before = len(gc.get_objects()), counts()
    for _ in range(200):
        once()
    gc.collect()
    assert len(gc.get_objects()) - before[0] < 50
    eventually(lambda: counts() == before[1])


@linux_only("there is no fork()")
def test_watcher_in_a_forked_child_raises_and_takes_nothing(netns: Network) -> None:
    netns.veth()
    with Watcher("route") as watcher:
        other = Watcher("route", settle=1)
        child = fork()
        if child == 0:
            code = 1
            try:
                for use in (watcher.read, other.read, watcher.fileno, watcher.__next__):
                    with pytest.raises(RuntimeError, match="made before fork"):
                        use()
                watcher.stop()
                watcher.stats()
                watcher.close()
                assert watcher.closed
                del other
                gc.collect()
                code = 0
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        other.close()
        assert not watcher.stopped
        netns.ip("route add 10.1.0.0/16 dev v0")
        read_until(watcher, route_to("10.1.0.0/16"))


@pytest.mark.parametrize(
    "end", ["pass", "raise SystemExit(0)", "os._exit(0)", signal_statement("SIGTERM")]
)
def test_program_may_end_with_live_watchers(netns: Network, end: str) -> None:
    netns.veth()
    netns.python(
        "import asyncio, os, signal, sys, threading, netioapi\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"
        "watchers = [netioapi.Watcher(snapshot=True) for _ in range(10)]\n"
        "watchers.append(watchers)\n"
        "threading.Thread(target=watchers[0].read, daemon=True).start()\n"
        "for batch in watchers[1]: break\n"
        "async def wait():\n"
        "    async for batch in watchers[2]: pass\n"
        "loop = asyncio.new_event_loop()\n"
        "task = loop.create_task(wait())\n"
        "loop.run_until_complete(asyncio.wait([task], timeout=0.01))\n"
        f"print('marker', flush=True); {end}\n",
        marker="marker",
    )

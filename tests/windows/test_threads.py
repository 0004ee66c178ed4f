# SPDX-License-Identifier: MIT
"""Windows calls back on threads of its own: the thread state that Python keeps for each lives as
long as the thread, and is freed after it has ended."""

from __future__ import annotations

import gc
import importlib.util
import sys
import threading
import weakref
from typing import Any

import pytest

import netioapi
from netioapi import DeadlockError
from tests.support.collector import Collector
from tests.support.waiting import eventually
from tests.windows.dll import Figure, Setting, configure, drain, stat
from tests.windows.native import Caught
from tests.windows.support import (
    ADD,
    PARAMETER,
    ROUTE,
    live,
    route_row,
    script,
    threads,
)

pytestmark = pytest.mark.usefixtures("link")
MOST_THREADS = 600  # of the pool, which may take them in turn


class Kept:
    """Dies with its thread's locals."""


# ---- what Python keeps


def test_thread_locals_last_from_one_callback_to_the_next() -> None:
    local = threading.local()
    counts: dict[int, list[int]] = {}

    def count(*_: Any) -> None:
        local.count = getattr(local, "count", 0) + 1
        counts.setdefault(threading.get_ident(), []).append(local.count)

    with ROUTE.notify(count) as registration:
        for metric in range(1, MOST_THREADS):
            ROUTE.put(route_row(metric))
            eventually(lambda metric=metric: registration.delivered == metric)  # type: ignore[misc]
            if metric >= 50 and max(map(len, counts.values())) > 1:
                break
    assert sum(map(len, counts.values())) == metric
    for seen in counts.values():
        assert seen == list(range(1, len(seen) + 1))
    assert max(map(len, counts.values())) > 1


def test_thread_locals_last_from_one_registration_to_the_next() -> None:
    """The thread belongs to the pool, and outlives the registration."""
    local = threading.local()
    seen: list[tuple[int, int]] = []

    def count(*_: Any) -> None:
        local.count = getattr(local, "count", 0) + 1
        seen.append((threading.get_ident(), local.count))

    for metric in range(1, MOST_THREADS):
        with ROUTE.notify(count) as registration:
            ROUTE.put(route_row(metric))
            eventually(lambda registration=registration: registration.delivered)  # type: ignore[misc]
        if metric > 20 and seen[-1][1] > 1:
            break
    for ident in {ident for ident, _ in seen}:
        mine = [count for one, count in seen if one == ident]
        assert mine == list(range(1, len(mine) + 1))
    assert max(count for _, count in seen) > 1


def test_callback_thread_is_one_python_thread() -> None:
    """One dummy Thread object per thread; profiling and tracing hooks see it like any other
    thread."""
    names: set[tuple[int, str]] = set()

    def look(*_: Any) -> None:
        names.add((threading.get_ident(), threading.current_thread().name))

    with ROUTE.notify(look) as registration:
        for number in range(30):
            ROUTE.put(route_row(1, f"198.18.{number}.0/24"))
        eventually(lambda: registration.delivered == 30)
    assert len({ident for ident, _ in names}) == len(names)


def test_thread_locals_of_an_ended_thread_die_at_the_next_callback() -> None:
    """The end of a thread does not wait for the GIL; the next thread frees the state, before its
    callback."""
    local, kept = threading.local(), []
    alive: list[int] = []

    def keep(*_: Any) -> None:
        alive.append(sum(one() is not None for one in kept))
        if not hasattr(local, "kept"):
            local.kept = Kept()
            kept.append(weakref.ref(local.kept))

    caught = Caught(keep)
    with caught.registration:
        for calls in range(1, 4):
            caught.call(route_row(1), PARAMETER, times=10)
            assert len(alive) == calls * 10
            assert alive[-10:] == [0] + [1] * 9
            assert len(kept) == calls
        caught.call(route_row(1), PARAMETER, threads=8, times=10)
        assert len(alive) == 110
        many = len(kept)
        assert many > 4
        caught.call(route_row(1), PARAMETER)
        assert alive[-1] == 0
        assert len(kept) == many + 1


def test_destructors_of_thread_locals_run_on_the_next_thread() -> None:
    """They may register, cancel without waiting, and raise; a registration that they cancel is not
    called back."""
    local, outcomes, errors = threading.local(), Collector(), Collector()
    before = live()

    class Last:
        def __del__(self) -> None:
            ROUTE.notify(lambda *_: None).cancel(wait=False)
            with pytest.raises(DeadlockError):
                caught.registration.cancel()
            caught.registration.cancel(wait=False)
            outcomes("destructor", threading.get_ident())

    def keep(*_: Any) -> None:
        local.last = Last()
        outcomes("callback", threading.get_ident())

    caught = Caught(keep, on_error=errors)
    caught.call(route_row(1), PARAMETER)
    assert [what for what, _ in outcomes.events] == ["callback"]
    caught.call(route_row(1), PARAMETER)
    assert [what for what, _ in outcomes.events] == ["callback", "destructor"]
    assert not caught.registration.active
    caught.registration.cancel()
    eventually(lambda: live() == before)
    assert errors.events == []


GIL_STATE = """
import ctypes, threading
import netioapi
from tests.windows.native import Caught
from tests.windows.support import route_row

seen = []

def look(*_):
    @ctypes.PYFUNCTYPE(None)
    def inner():  # with the GIL held, ctypes asks for the state of this thread
        seen.append(threading.get_ident())
    inner()
    seen.append(threading.get_ident())

caught = Caught(look)
with caught.registration:
    for _ in range(5):
        caught.call(route_row(1), netioapi.NotificationType.PARAMETER, times=3)
assert len(seen) == 30 and all(a == b for a, b in zip(seen[::2], seen[1::2])), seen
print("through", flush=True)
"""


def test_thread_that_freed_the_state_of_another_keeps_its_own() -> None:
    """Freeing another thread's state must not make CPython forget this one's: a ctypes callback
    would hang."""
    script(GIL_STATE, marker="through")


def test_threads_that_end_during_a_cancel_do_no_harm() -> None:
    """Threads that end, and threads that call a cancelled registration, touch nothing."""
    local = threading.local()

    def keep(*_: Any) -> None:
        local.kept = Kept()

    for _ in range(20):
        caught = Caught(keep)
        caller = threading.Thread(
            target=caught.call, args=(route_row(1), PARAMETER), kwargs={"threads": 4, "times": 20}
        )
        caller.start()
        eventually(lambda caught=caught: caught.registration.delivered)  # type: ignore[misc]
        netioapi.notify_route_change2(lambda *_: None).cancel()
        caller.join(30)
        assert not caller.is_alive()
        caught.registration.cancel()
    gc.collect()


@pytest.mark.timeout(120)
def test_pool_threads_that_end_free_their_thread_locals() -> None:
    """Wine ends pool threads after five idle seconds, except one."""
    configure(Setting.OVERLAP, 1)
    local, kept, idents = threading.local(), [], set()
    inside = threading.Barrier(4)

    def keep(*_: Any) -> None:
        local.kept = Kept()
        kept.append(weakref.ref(local.kept))
        idents.add(threading.get_native_id())
        inside.wait(20)

    registrations = [ROUTE.notify(keep) for _ in range(4)]
    ROUTE.put(route_row(1))  # four threads, since each callback waits for the others
    for registration in registrations:
        eventually(lambda registration=registration: registration.delivered)  # type: ignore[misc]
        registration.cancel()
    drain()
    assert len(kept) == 4
    assert sum(one() is not None for one in kept) == 4
    eventually(lambda: len(idents & threads()) <= 1, timeout=60)
    with ROUTE.notify(lambda *_: None) as registration:
        ROUTE.put(route_row(2))
        eventually(lambda: registration.delivered)
    assert sum(one() is not None for one in kept) <= 1


def test_callbacks_on_foreign_threads_get_rows(collector: Collector) -> None:
    ROUTE.put(route_row(77))
    caught = Caught(collector)
    with caught.registration:
        caught.call(route_row(1), ADD, threads=3, times=100)
        assert stat(Figure.QUEUED) == 0
        eventually(lambda: caught.registration.delivered == 300)
    assert {(row.metric, type) for row, type in collector.events} == {(77, ADD)}


# ---- several interpreters

INTERPRETERS = """
import threading
import _interpreters
import netioapi
from tests.support.waiting import eventually
from tests.windows import dll
from tests.windows.calls import put_what_calls_need
from tests.windows.support import *

kind, order = sys.argv[1:]
put_what_calls_need()

BEGIN = '''
import netioapi
count, errors = 0, []
def seen(*_):
    global count
    count += 1
live = [
    netioapi.notify_route_change2(seen, on_error=errors.append),
    netioapi.notify_ip_interface_change(seen, on_error=errors.append),
]
watcher = netioapi.Watcher("route")
'''
LOOK = '''
assert count >= 2 and not errors, (count, errors)
assert watcher.read(timeout=60) is not None
'''

def run(interpreter, source):
    failure = _interpreters.exec(interpreter, source)
    assert failure is None, failure

mine = []
registration = netioapi.notify_route_change2(lambda *_: mine.append(threading.get_ident()))
interpreters = [_interpreters.create(kind) for _ in range(3)]
for one in interpreters:
    run(one, BEGIN)
assert live() == 1 + 3 * 3

dll.configure(dll.Setting.OVERLAP, 1)
metric = 1
def change():
    global metric
    metric += 1
    ROUTE.put(route_row(metric))
    INTERFACE.put(interface_row(1280 + metric))
    dll.drain()
change()
change()
for one in interpreters:
    run(one, LOOK)
for one in interpreters if order == "first" else interpreters[::-1]:
    before = live()
    _interpreters.destroy(one)  # with two live registrations and a live Watcher
    assert live() == before - 3, (before, live())
    delivered = registration.delivered
    change()
    eventually(lambda: registration.delivered > delivered)
assert registration.active and live() == 1
run(_interpreters.create(kind), BEGIN)  # left at exit
change()
print("through", flush=True)
"""


@pytest.mark.skipif(sys.version_info < (3, 13), reason="3.13 ends interpreters in the right order")
@pytest.mark.parametrize("order", ["first", "last"])
@pytest.mark.parametrize("kind", ["legacy", "isolated"])
def test_interpreters_share_the_threads_of_the_pool(netns: Any, kind: str, order: str) -> None:
    """Each interpreter gets its own callbacks, and may end before or after the others."""
    if importlib.util.find_spec("_interpreters") is None:
        pytest.skip("this Python cannot make interpreters")
    done = script(INTERPRETERS, kind, order, marker="through")
    assert done.stderr == ""

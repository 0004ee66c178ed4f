# SPDX-License-Identifier: MIT
"""The threads that Windows calls back on are not ours: what Python keeps for each is kept as long
as it lives, and freed when it ends; and no thread or handle is left over."""

from __future__ import annotations

import gc
import importlib.util
import sys
import threading
import weakref
from typing import Any

import pytest

import netioapi
from tests.support import Collector, eventually
from tests.windows.dll import Figure, Setting, configure, drain, stat
from tests.windows.native import Caught
from tests.windows.support import (
    ADD,
    NOTIFY,
    PARAMETER,
    ROUTE,
    handles,
    live,
    no_handle_left,
    route_row,
    script,
    threads,
)

pytestmark = pytest.mark.usefixtures("link")


class Kept:
    """What dies with a thread."""


# ---- what Python keeps


def test_thread_locals_last_from_one_callback_to_the_next() -> None:
    local = threading.local()
    counts: dict[int, list[int]] = {}

    def count(*_: Any) -> None:
        local.count = getattr(local, "count", 0) + 1
        counts.setdefault(threading.get_ident(), []).append(local.count)

    with ROUTE.notify(count) as registration:
        for metric in range(1, 51):
            ROUTE.put(route_row(metric))
            eventually(lambda metric=metric: registration.delivered == metric)  # type: ignore[misc]
    assert sum(map(len, counts.values())) == 50
    for seen in counts.values():
        assert seen == list(range(1, len(seen) + 1))
    assert max(map(len, counts.values())) > 1


def test_thread_locals_last_from_one_registration_to_the_next() -> None:
    """The thread is the pool's, and outlives the registration."""
    local = threading.local()
    seen: list[tuple[int, int]] = []

    def count(*_: Any) -> None:
        local.count = getattr(local, "count", 0) + 1
        seen.append((threading.get_ident(), local.count))

    for metric in range(1, 21):
        with ROUTE.notify(count) as registration:
            ROUTE.put(route_row(metric))
            eventually(lambda registration=registration: registration.delivered)  # type: ignore[misc]
    for ident in {ident for ident, _ in seen}:
        mine = [count for one, count in seen if one == ident]
        assert mine == list(range(1, len(mine) + 1))
    assert max(count for _, count in seen) > 1


def test_a_thread_is_one_thread_to_python() -> None:
    """Its dummy Thread object is one, and profiling and tracing hooks see it as any other."""
    names: set[tuple[int, str]] = set()

    def look(*_: Any) -> None:
        names.add((threading.get_ident(), threading.current_thread().name))

    with ROUTE.notify(look) as registration:
        for metric in range(1, 31):
            ROUTE.put(route_row(metric))
        eventually(lambda: registration.delivered == 30)
    assert len({ident for ident, _ in names}) == len(names)


def test_what_is_kept_dies_with_the_thread() -> None:
    """Before whoever waits for the thread's end is told of it."""
    local, seen, kept = threading.local(), Collector(), []

    def keep(*_: Any) -> None:
        if not hasattr(local, "kept"):
            local.kept = Kept()
            kept.append(weakref.ref(local.kept))
        seen(threading.get_ident())

    caught = Caught(keep)
    with caught.registration:
        caught.call(route_row(1), PARAMETER, times=10)
        assert len(seen) == 10
        assert len(kept) == 1
        assert kept[0]() is None
        caught.call(route_row(1), PARAMETER, threads=8, times=10)
        assert len(seen) == 90
        assert [one() for one in kept] == [None] * len(kept)
        assert len(kept) > 1


def test_destructors_at_the_end_of_a_thread_are_run_on_it() -> None:
    """With its thread state; they may register, cancel without waiting, and raise."""
    local, outcomes, errors = threading.local(), Collector(), Collector()
    before = live()

    class Last:
        def __del__(self) -> None:
            ROUTE.notify(lambda *_: None).cancel(wait=False)
            caught.registration.cancel(wait=False)
            outcomes(threading.get_ident())

    def keep(*_: Any) -> None:
        local.last = Last()
        outcomes(threading.get_ident())

    caught = Caught(keep, on_error=errors)
    caught.call(route_row(1), PARAMETER)
    (first,), (second,) = outcomes.events
    assert first == second
    assert not caught.registration.active
    caught.registration.cancel()
    eventually(lambda: live() == before)
    assert errors.events == []


def test_ends_of_threads_while_a_registration_is_cancelled() -> None:
    """Threads that end, and threads that call a registration that is over, touch nothing."""
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
def test_the_pool_s_own_threads_end_and_free_what_was_kept() -> None:
    """Wine ends those that were idle for five seconds, but one."""
    configure(Setting.OVERLAP, 1)
    local, kept = threading.local(), []
    inside = threading.Barrier(4)

    def keep(*_: Any) -> None:
        local.kept = Kept()
        kept.append(weakref.ref(local.kept))
        inside.wait(20)

    registrations = [ROUTE.notify(keep) for _ in range(4)]
    ROUTE.put(route_row(1))  # four threads, since each waits for the others
    for registration in registrations:
        eventually(lambda registration=registration: registration.delivered)  # type: ignore[misc]
        registration.cancel()
    drain()
    assert len(kept) == 4
    assert sum(one() is not None for one in kept) == 4
    eventually(lambda: sum(one() is not None for one in kept) <= 1, timeout=60)


# ---- what is left over


def settled() -> set[int]:
    """The threads once the pool has as many as it wants."""
    drain()
    before = threads()
    while (now := threads()) != before:
        before = now
    return before


def test_registrations_leave_no_handle_and_no_thread() -> None:
    def once(metric: int) -> None:
        made = [notify(lambda *_: None, initial_notification=True) for notify, _ in NOTIFY.values()]
        ROUTE.put(route_row(metric))
        for registration in made:
            registration.cancel()

    for metric in range(10):
        once(metric)
    drain()
    with no_handle_left():
        count, before = len(settled()), live()
        for metric in range(10, 50):  # 200 registrations
            once(metric)
        drain()
        assert live() == before
        eventually(lambda: len(settled()) <= count, what=f"{count} threads")


def test_a_live_registration_costs_no_handle() -> None:
    ROUTE.notify(lambda *_: None).cancel()
    drain()
    with no_handle_left():
        before = handles()
        made = [ROUTE.notify(lambda *_: None) for _ in range(200)]
        assert handles() == before
        for registration in made:
            registration.cancel()


def test_cancellations_that_nobody_waits_for_leave_no_handle() -> None:
    def once() -> None:
        for _ in range(40):
            ROUTE.notify(lambda *_: None).cancel(wait=False)

    before = live()
    once()
    eventually(lambda: live() == before)
    ROUTE.notify(lambda *_: None).cancel()  # joins the helpers of those
    with no_handle_left():
        for _ in range(5):
            once()
        eventually(lambda: live() == before)
        ROUTE.notify(lambda *_: None).cancel()


def test_watchers_leave_no_handle_and_no_thread() -> None:
    def once(metric: int) -> None:
        with netioapi.Watcher(snapshot=True) as watcher:
            ROUTE.put(route_row(metric))
            for batch in watcher:
                if any(c.kind == "route" and c.row.metric == metric for c in batch):
                    break

    for metric in range(1, 6):
        once(metric)
    drain()
    with no_handle_left():
        count = len(settled())
        for metric in range(6, 56):
            once(metric)
        eventually(lambda: len(settled()) <= count, what=f"{count} threads")


def test_callbacks_leave_no_handle() -> None:
    with ROUTE.notify(seen := Collector()):
        ROUTE.put(route_row(1))
        seen.wait_count(1)
        drain()
        with no_handle_left():
            for metric in range(2, 500):
                ROUTE.put(route_row(metric))
            seen.wait_count(499)
            drain()


def test_foreign_threads_leave_no_handle() -> None:
    caught = Caught(lambda *_: None)
    with caught.registration:
        caught.call(route_row(1), PARAMETER, threads=4)
        with no_handle_left():
            for _ in range(25):
                caught.call(route_row(1), PARAMETER, threads=4)
        assert caught.registration.delivered == 104


def test_rows_from_foreign_threads_are_rows(collector: Collector) -> None:
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
from tests.support import eventually
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
assert watcher.read(timeout=10) is not None
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
run(_interpreters.create(kind), BEGIN)  # is left over at exit
change()
print("through", flush=True)
"""


@pytest.mark.skipif(sys.version_info < (3, 13), reason="3.13 ends interpreters in the right order")
@pytest.mark.parametrize("order", ["first", "last"])
@pytest.mark.parametrize("kind", ["legacy", "isolated"])
def test_interpreters_share_the_pool_s_threads(netns: Any, kind: str, order: str) -> None:
    """Each is called back in itself, and may be closed before or after the others."""
    if importlib.util.find_spec("_interpreters") is None:
        pytest.skip("this Python cannot make interpreters")
    done = script(INTERPRETERS, kind, order, marker="through")
    assert done.stderr == ""

# SPDX-License-Identifier: MIT
"""Difficult cancels on Windows: callbacks that do not return or begin late, callbacks during the
cancel, a cancel that fails; and stable tables that arrive several times."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

import netioapi
from netioapi import Registration
from tests.support.background import BackgroundCall
from tests.support.collector import Collector
from tests.support.waiting import eventually
from tests.windows.dll import Figure, Setting, checked, configure, drain, inject, stat
from tests.windows.structures import AF_INET, AF_INET6, AF_UNSPEC
from tests.windows.support import NOTIFY, ROUTE, live, route_row, script

pytestmark = pytest.mark.usefixtures("link")


# ---- callbacks that take their time


def test_cancel_waits_for_a_callback_that_is_stuck_in_the_system(collector: Collector) -> None:
    """The callback is dequeued and not yet made: the system's cancel waits for it, and so does
    ours."""
    before, cancelled = live(), stat(Figure.CANCELLED)
    registration = ROUTE.notify(collector)
    configure(Setting.BLOCKED, 1)
    ROUTE.put(route_row(1))
    eventually(lambda: stat(Figure.RUNNING) == 1)
    for _ in range(2):
        start = time.monotonic()
        with pytest.raises(TimeoutError, match=r"NotifyRouteChange2 is still running; .* goes on"):
            registration.cancel(timeout=0.1)
        assert 0.09 < time.monotonic() - start < 5
        assert not registration.active
    waiters = [BackgroundCall(registration.cancel) for _ in range(3)]
    registration.cancel(wait=False)
    assert stat(Figure.CANCELLED) == cancelled
    configure(Setting.BLOCKED, 0)
    for waiter in waiters:
        waiter.result()
    registration.cancel(0)
    assert (live(), stat(Figure.CANCELLED)) == (before, cancelled + 1)
    drain()
    assert registration.delivered == 0  # it came after the cancellation had begun
    assert collector.events == []


def test_cancellation_completes_after_a_timeout_of_cancel(collector: Collector) -> None:
    before = live()
    registration = ROUTE.notify(collector)
    configure(Setting.BLOCKED, 1)
    ROUTE.put(route_row(1))
    eventually(lambda: stat(Figure.RUNNING) == 1)
    with pytest.raises(TimeoutError):
        registration.cancel(0)
    configure(Setting.BLOCKED, 0)
    eventually(lambda: live() == before)
    assert collector.events == []


def test_cancel_waits_for_a_callback_that_begins_late() -> None:
    """The system waits before it calls: cancel() waits, too, up to its own timeout."""
    seen = Collector()
    registration = ROUTE.notify(seen)
    configure(Setting.DELAY_MS, 400)
    ROUTE.put(route_row(1))
    eventually(lambda: stat(Figure.RUNNING) == 1)
    with pytest.raises(TimeoutError):
        registration.cancel(timeout=0.05)
    start = time.monotonic()
    registration.cancel()
    assert 0.05 < time.monotonic() - start < 10
    assert seen.events == []


def test_stuck_cancel_does_not_block_other_registrations(collector: Collector) -> None:
    """While one cancellation hangs, the same thread registers and cancels others."""
    stuck = ROUTE.notify(print, AF_INET6)
    configure(Setting.BLOCKED, 1)
    assert inject(ROUTE.kind, route_row(1), 1, family=AF_INET6) == 1
    eventually(lambda: stat(Figure.RUNNING) == 1)
    stuck.cancel(wait=False)
    for _ in range(50):
        with ROUTE.notify(collector, AF_INET), netioapi.notify_ip_interface_change(print):
            pass
    configure(Setting.BLOCKED, 0)
    stuck.cancel()


@pytest.mark.parametrize("function", NOTIFY)
@pytest.mark.parametrize("count", [1, 20])
def test_callbacks_during_the_systems_cancel_are_not_delivered(
    function: str, count: int, collector: Collector
) -> None:
    notify, _ = NOTIFY[function]
    registration = notify(collector, on_error=collector)
    configure(Setting.LATE, count)
    made = stat(Figure.CALLBACKS)
    registration.cancel()
    assert stat(Figure.CALLBACKS) == made + count
    assert (registration.delivered, registration.errors) == (0, 0)
    assert collector.events == []


# ---- the stable table


def pending(netns: Any, family: int = AF_UNSPEC) -> tuple[Collector, Registration]:
    netns.dad_seconds = None
    netns.veth()
    netns.ip("address add 2001:db8::1/64 dev v0")
    seen = Collector()
    table, registration = netioapi.notify_stable_unicast_ip_address_table(seen, family)
    assert table is None
    assert registration is not None
    return seen, registration


def test_stable_callback_without_a_table_gets_an_empty_one(netns: Any) -> None:
    seen, registration = pending(netns)
    configure(Setting.NO_TABLE, 1)
    with registration:
        netns.settle()
        assert [list(table) for (table,) in seen.wait_count(1)] == [[]]


@pytest.mark.parametrize("repeat", [1, 3])
@pytest.mark.parametrize("family", [AF_UNSPEC, AF_INET6])
def test_repeated_stable_table_is_delivered_each_time_and_freed(
    netns: Any, repeat: int, family: int
) -> None:
    """Each table of the system is freed."""
    given = stat(Figure.GIVEN)
    configure(Setting.REPEAT_STABLE, repeat)
    seen, registration = pending(netns, family)
    with registration:
        for turn in range(1, 4):
            netns.settle()
            tables = seen.wait_count(turn * repeat)
            drain()
            assert len(seen) == registration.delivered == turn * repeat
            assert stat(Figure.GIVEN) == given
            for (table,) in tables[-repeat:]:
                assert list(table) == list(netioapi.get_unicast_ip_address_table(family))
            netns.ip(f"address add 2001:db8::1:{turn}/64 dev v0")
    assert stat(Figure.GIVEN) == given


def test_stable_table_is_freed_when_the_callback_raises(netns: Any, collector: Collector) -> None:
    given = stat(Figure.GIVEN)
    netns.dad_seconds = None
    netns.veth()
    netns.ip("address add 2001:db8::1/64 dev v0")

    def fail(table: Any) -> None:
        raise LookupError(len(table))

    _, registration = netioapi.notify_stable_unicast_ip_address_table(fail, on_error=collector)
    assert registration is not None
    with registration:
        netns.settle()
        collector.wait_count(1)
    assert stat(Figure.GIVEN) == given


def test_stable_table_that_returns_at_once_is_freed() -> None:
    given, before = stat(Figure.GIVEN), live()
    for family in (AF_UNSPEC, AF_INET, AF_INET6):
        table, registration = netioapi.notify_stable_unicast_ip_address_table(print, family)
        assert registration is None
        assert table is not None
        assert list(table) == list(netioapi.get_unicast_ip_address_table(family))
    assert (stat(Figure.GIVEN), live()) == (given, before)


# ---- a cancel that fails: each in a process of its own, since what is leaked stays

HEAD = """
import gc, sys, weakref
import netioapi
from tests.support.collector import Collector
from tests.support.waiting import eventually
from tests.windows import dll
from tests.windows.dll import Figure, drain, fail, stat
from tests.windows.support import *

dll.checked("standin_put_interface", interface_row(1500), "Ethernet 7")
code = int(sys.argv[1])
"""


def run(source: str, code: int = 6, **named: Any) -> None:
    done = script(HEAD + source + "\nprint('through')\n", str(code), marker="through", **named)
    assert done.stderr == ""


def test_failed_cancel_without_wait_leaks_the_registration(netns: Any) -> None:
    """With wait=False, and at the end of the program, it is disabled and leaked, too."""
    run("""
seen = Collector()
fail("CancelMibChangeNotify2", code)
quiet = [ROUTE.notify(seen) for _ in range(5)]
for registration in quiet:
    registration.cancel(wait=False)
    assert not registration.active
ROUTE.put(route_row(1))
drain()
assert seen.events == []
del registration
references = [weakref.ref(one) for one in quiet]
del quiet
netioapi.notify_route_change2(print)  # frees the registrations that have ended
gc.collect()
assert all(one() is not None for one in references)  # never freed: the system may still call
left = ROUTE.notify(seen)  # its cancel at exit fails
""")


def test_program_ends_cleanly_while_leaked_registrations_are_called(netns: Any) -> None:
    """The system calls back during the whole exit of the interpreter."""
    run("""
from tests.windows.flood import Flood
fail("CancelMibChangeNotify2", code)
seen = Collector()
live = [ROUTE.notify(seen) for _ in range(3)] + [INTERFACE.notify(seen)]
watchers = [netioapi.Watcher(), netioapi.Watcher("route")]
watchers[1].stop()
Flood(INDEX, pause=0).__enter__()
seen.wait_count(100)
try:
    live[0].cancel()
except netioapi.NetioError:
    pass
""")


def test_watcher_close_with_failed_cancels_raises_and_closes(netns: Any) -> None:
    run("""
fail("CancelMibChangeNotify2", code)
watcher = netioapi.Watcher("route", "address")
try:
    watcher.close()
except netioapi.NetioError as error:
    assert error.code == code, error
else:
    raise AssertionError("no error")
assert watcher.closed and watcher.stopped
watcher.close()
for metric in range(100):
    ROUTE.put(route_row(metric))
drain()
assert stat(Figure.LIVE) == 2
fail("CancelMibChangeNotify2", 0, 0)
with netioapi.Watcher("route") as watcher:
    ROUTE.put(route_row(1000))
    assert watcher.read(timeout=60) is not None
""")


def test_watcher_close_with_one_failed_cancel_cancels_the_others(netns: Any) -> None:
    """The other kinds are cancelled, and later notifications are ignored."""
    run("""
with ROUTE.notify(lambda *_: None):
    watcher = netioapi.Watcher()
    fail("CancelMibChangeNotify2", code, 1)
    try:
        watcher.close()
    except netioapi.NetioError as error:
        assert error.code == code, error
    else:
        raise AssertionError("no error")
    assert stat(Figure.LIVE) == 2, stat(Figure.LIVE)
    del watcher
    gc.collect()
    for kind in (INTERFACE, ADDRESS, ROUTE):
        for number in range(1280, 1500):
            kind.put(kind.make(number))
    drain()
assert stat(Figure.LIVE) == 1
""")


@pytest.mark.parametrize(
    "how", ["cancel", *(pytest.param(how, marks=pytest.mark.slow) for how in ("exit", "notify"))]
)
def test_stuck_cancel_at_exit_is_abandoned_after_seconds(netns: Any, how: str) -> None:
    """The exit waits for a stuck cancel for a few seconds, and then ends the program."""
    ends: dict[str, str] = {
        "cancel": "live[0].cancel(wait=False)",
        "exit": "",
        "notify": "ROUTE.notify(seen).cancel()",
    }
    start = time.monotonic()
    run(f"""
seen = Collector()
live = [ROUTE.notify(seen), ROUTE.notify(seen)]
dll.configure(dll.Setting.BLOCKED, 1)
ROUTE.put(route_row(1))
eventually(lambda: stat(Figure.RUNNING) == 2)
{ends[how]}
""")
    assert 4 < time.monotonic() - start < 30


def test_failed_cancel_raises_in_every_waiting_thread(netns: Any) -> None:
    run("""
import threading
registration = ROUTE.notify(print)
fail("CancelMibChangeNotify2", code)
codes = []
def cancel():
    try:
        registration.cancel()
    except netioapi.NetioError as error:
        codes.append(error.code)
threads = [threading.Thread(target=cancel) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert codes == [code] * 8, codes
""")


def test_waiting_in_cancel_uses_no_processor_time() -> None:
    """Ten threads that wait for a hanging cancellation use no processor time."""
    registration = ROUTE.notify(print)
    configure(Setting.BLOCKED, 1)
    checked("standin_put_route", route_row(1))
    eventually(lambda: stat(Figure.RUNNING) == 1)
    before = time.process_time()
    waiters = [BackgroundCall(registration.cancel) for _ in range(10)]
    assert not threading.Event().wait(1)
    assert time.process_time() - before < 0.5
    configure(Setting.BLOCKED, 0)
    for waiter in waiters:
        waiter.result()
    assert not registration.active

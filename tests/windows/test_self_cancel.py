# SPDX-License-Identifier: MIT
"""Cancelling in a callback. The system's own cancel hangs there for ever, which is shown first, in
programs that are killed; ours raises DeadlockError, and changes nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

import netioapi
from netioapi import DeadlockError, Registration
from tests.support.collector import Collector
from tests.support.waiting import eventually
from tests.windows.dll import Figure, Setting, configure, drain, inject, stat
from tests.windows.support import (
    NOTIFY,
    PARAMETER,
    ROUTE,
    ROW_KINDS,
    live,
    program,
    route_row,
)

pytestmark = pytest.mark.usefixtures("link")

RAW = """
import ctypes, os, threading
from tests.windows import dll
from tests.windows.calls import put_what_calls_need
from tests.windows.dll import Figure, stat
from tests.windows.support import *

put_what_calls_need()
system = ctypes.WinDLL("iphlpapi.dll")
system.CancelMibChangeNotify2.argtypes = [ctypes.c_void_p]
Callback = ctypes.WINFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)
system.NotifyRouteChange2.argtypes = [
    ctypes.c_uint16, Callback, ctypes.c_void_p, ctypes.c_uint8, ctypes.POINTER(ctypes.c_void_p)
]
handles = [ctypes.c_void_p(), ctypes.c_void_p()]
returned = threading.Event()
inside = threading.Barrier(int(sys.argv[1]))

def cancelling(victim):
    @Callback
    def callback(context, row, type):
        inside.wait(20)
        os.write(1, b"cancelling\\n")
        code = system.CancelMibChangeNotify2(handles[victim])
        returned.set()
        os.write(1, b"returned\\n")
    return callback
"""
HANGS = """
assert system.standin_put_route(ctypes.byref(route_row(9))) == 0
# The rest of the process goes on; the callback threads wait for each other for ever.
hung = not returned.wait(2)
print("hung", hung, stat(Figure.RUNNING), stat(Figure.CANCELLED), flush=True)
threading.Event().wait()
"""


def assert_it_hangs(callbacks: str, count: int) -> None:
    with program(RAW + callbacks + HANGS, str(count)) as running:
        said = running.wait_line(lambda line: line.startswith("hung"), timeout=40)
        assert said == f"hung True {count} 0"
        assert running.lines == ["cancelling"] * count + [said]
        assert running.end() != 0
        assert running.lines == ["cancelling"] * count + [said]


def test_system_cancel_in_its_own_callback_hangs(netns: Any) -> None:
    assert_it_hangs(
        """
callbacks = [cancelling(0)]
assert system.NotifyRouteChange2(0, callbacks[0], None, 0, ctypes.byref(handles[0])) == 0
""",
        1,
    )


def test_system_cancels_of_two_callbacks_by_each_other_hang(netns: Any) -> None:
    assert_it_hangs(
        """
callbacks = [cancelling(1), cancelling(0)]
for one, handle in zip(callbacks, handles):
    assert system.NotifyRouteChange2(0, one, None, 0, ctypes.byref(handle)) == 0
""",
        2,
    )


def test_system_cancel_outside_its_callback_returns(netns: Any) -> None:
    """The call itself works; only its place makes it hang."""
    source = """
seen = threading.Event()
callback = Callback(lambda *_: seen.set())
assert system.NotifyRouteChange2(0, callback, None, 0, ctypes.byref(handles[0])) == 0
ROUTE.put(route_row(9))
assert seen.wait(60)
print("returned", system.CancelMibChangeNotify2(handles[0]), stat(Figure.CANCELLED), flush=True)
"""
    with program(RAW + source, "1") as running:
        assert running.wait_line(lambda line: "returned" in line) == "returned 0 1"
        assert running.wait() == 0


@pytest.mark.parametrize("overlap", [0, 1])
@pytest.mark.parametrize("function", NOTIFY)
def test_cancel_in_its_own_callback_raises_and_changes_nothing(function: str, overlap: int) -> None:
    configure(Setting.OVERLAP, overlap)
    notify, kind = NOTIFY[function]
    outcomes, before = Collector(), live()

    def cancel_mine(*_: Any) -> None:
        ways: list[Callable[[], None]] = [
            registration.cancel,
            lambda: registration.cancel(0),
            lambda: netioapi.cancel_mib_change_notify2(registration),
            lambda: registration.__exit__(None, None, None),
        ]
        for cancel in ways:
            with pytest.raises(DeadlockError, match=r"that it is called from.*wait=False"):
                cancel()
        outcomes(registration.active)

    registration = notify(cancel_mine, on_error=outcomes)
    row = next((one.make(1) for one in ROW_KINDS if one.kind == kind), None)
    assert inject(kind, row, PARAMETER) == 1
    assert outcomes.wait_count(1) == [(True,)]
    assert live() == before + 1
    registration.cancel()
    assert live() == before


@pytest.mark.parametrize("overlap", [0, 1])
def test_cancel_without_wait_in_its_own_callback_succeeds(overlap: int) -> None:
    configure(Setting.OVERLAP, overlap)
    before, calls, errors = live(), [], Collector()

    def cancel_mine(*_: Any) -> None:
        calls.append(registration.active)
        registration.cancel(wait=False)
        with pytest.raises(DeadlockError):  # a wait would be a deadlock here, too
            registration.cancel()

    registration = ROUTE.notify(cancel_mine, on_error=errors)
    for metric in range(1, 100):
        ROUTE.put(route_row(metric))
    eventually(lambda: live() == before)
    registration.cancel()
    drain()
    assert calls == [True]
    assert errors.events == []


@pytest.mark.parametrize("overlap", [0, 1])
def test_two_callbacks_that_cancel_each_other_raise_one_deadlock_error(overlap: int) -> None:
    """One of the cancels is refused; then both registrations end."""
    configure(Setting.OVERLAP, overlap)
    before, inside = live(), threading.Barrier(2)
    registrations: list[Registration] = []
    outcomes, unexpected = Collector(), Collector()

    def cancelling(victim: int) -> Any:
        def callback(row: Any, type: Any) -> None:
            inside.wait(20)
            try:
                registrations[victim].cancel(30)
            except DeadlockError as error:
                outcomes(str(error))
            else:
                outcomes("cancelled")

        return callback

    for victim in (1, 0):
        registrations.append(ROUTE.notify(cancelling(victim), on_error=unexpected))
    ROUTE.put(route_row(1))
    ends = [outcome for (outcome,) in outcomes.wait_count(2, timeout=20)]
    assert ends.count("cancelled") == 1
    (refused,) = [one for one in ends if one != "cancelled"]
    assert "waits for this one to return; use cancel(wait=False)" in refused
    for registration in registrations:
        registration.cancel(30)
    assert unexpected.events == []
    assert live() == before


def test_cancel_through_another_thread_ends_by_its_timeout() -> None:
    """No library can detect that; a timeout ends the wait, and the cancellation goes on."""
    before, outcomes = live(), Collector()

    def delegate(*_: Any) -> None:
        def cancel() -> None:
            try:
                registration.cancel(0.2)
            except TimeoutError:
                outcomes("timeout")

        thread = threading.Thread(target=cancel)
        thread.start()
        thread.join()

    registration = ROUTE.notify(delegate)
    ROUTE.put(route_row(1))
    assert outcomes.wait_count(1) == [("timeout",)]
    eventually(lambda: live() == before)
    assert stat(Figure.RUNNING) == 0

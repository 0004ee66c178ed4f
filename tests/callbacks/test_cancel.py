# SPDX-License-Identifier: MIT
"""The promises of cancel(), one by one, for one registration."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

import netioapi
from netioapi import DeadlockError, Registration
from tests.support.background import BackgroundCall
from tests.support.blocking_callback import blocked_registration, change
from tests.support.collector import Collector
from tests.support.network import Flood, Network
from tests.support.platforms import linux_only
from tests.support.routes import add_routes, is_route
from tests.support.signals import ctrl_c
from tests.support.waiting import eventually

# Every way to cancel and wait.
CANCELS: list[Callable[[Registration], object]] = [
    lambda registration: registration.cancel(),
    lambda registration: registration.cancel(timeout=None),
    lambda registration: registration.cancel(5),
    lambda registration: registration.cancel(timeout=0),
    lambda registration: registration.__exit__(None, None, None),
    netioapi.cancel_mib_change_notify2,
]


def test_no_callback_runs_after_cancel_returned(netns: Network) -> None:
    over = False
    late = 0

    def look(*_: Any) -> None:
        nonlocal late
        late += over

    with Flood(netns.veth(), pause=0):
        for _ in range(50):
            over = False
            seen = Collector(look)
            registration = netioapi.notify_route_change2(seen)
            seen.wait_count(1)
            registration.cancel()
            over = True
            delivered = registration.delivered
            with netioapi.notify_route_change2(witness := Collector()):
                witness.wait_count(20)
            assert (registration.delivered, registration.active) == (delivered, False)
            assert len(seen) == delivered
    assert late == 0


def test_cancel_waits_for_the_running_callback(netns: Network) -> None:
    netns.veth()
    blocking, registration = blocked_registration(netns)
    returned: list[bool] = []

    def cancel() -> None:
        registration.cancel()
        returned.append(blocking.returned)

    canceller = BackgroundCall(cancel)
    eventually(lambda: not registration.active)
    with pytest.raises(TimeoutError):
        registration.cancel(0)  # the other thread still waits
    assert canceller.is_alive()
    blocking.release.set()
    canceller.result()
    assert returned == [True]


def test_concurrent_cancels_all_wait_and_later_ones_do_nothing(netns: Network) -> None:
    netns.veth()
    blocking, registration = blocked_registration(netns)
    returned: list[bool] = []

    def cancel_and_look() -> None:
        registration.cancel()
        returned.append(blocking.returned)

    cancellers = [BackgroundCall(cancel_and_look) for _ in range(4)]
    eventually(lambda: not registration.active)
    assert all(canceller.is_alive() for canceller in cancellers)
    blocking.release.set()
    for canceller in cancellers:
        canceller.result()
    assert returned == [True] * 4
    for cancel in CANCELS:
        assert not cancel(registration)  # None, or False from __exit__
    registration.cancel(wait=False)


@pytest.mark.parametrize("cancel", CANCELS)
def test_cancel_in_its_own_callback_raises_deadlock_error(netns: Network, cancel: Any) -> None:
    netns.veth()
    errors = Collector()
    active: list[bool] = []

    def own(*_: Any) -> None:
        try:
            (lambda: cancel(registration))()
        finally:
            active.append(registration.active)

    registration = netioapi.notify_route_change2(own, socket.AF_INET, on_error=errors)
    change(netns)
    (error,) = errors.wait_count(1)[0]
    assert isinstance(error, DeadlockError)
    assert "wait=False" in str(error)
    assert active[0]  # refused before anything changed
    change(netns, 1)
    errors.wait_count(2)
    registration.cancel()


def test_cancel_in_its_own_on_error_raises_deadlock_error(netns: Network) -> None:
    netns.veth()
    seen: list[BaseException] = []

    def fail(*_: Any) -> None:
        raise LookupError

    def own(error: BaseException) -> None:
        with pytest.raises(DeadlockError):
            registration.cancel()
        seen.append(error)

    registration = netioapi.notify_route_change2(fail, socket.AF_INET, on_error=own)
    change(netns)
    eventually(lambda: seen)
    registration.cancel()


def test_cancel_in_its_own_callback_during_another_cancel_raises_deadlock_error(
    netns: Network,
) -> None:
    netns.veth()
    raised: list[bool] = []

    def own(*_: Any) -> None:
        entered.set()
        eventually(lambda: not registration.active)
        for cancel in CANCELS:
            with pytest.raises(DeadlockError):
                cancel(registration)
        registration.cancel(wait=False)
        raised.append(True)

    entered = threading.Event()
    registration = netioapi.notify_route_change2(own, socket.AF_INET)
    change(netns)
    assert entered.wait(60)
    registration.cancel(30)
    assert raised == [True]


def test_cancel_without_wait_in_its_own_callback_drops_queued_changes(netns: Network) -> None:
    netns.veth()
    entered = threading.Event()

    def own(*_: Any) -> None:
        assert entered.wait(60)
        registration.cancel(wait=False)
        assert not registration.active

    seen = Collector(own)
    registration = netioapi.notify_route_change2(seen, socket.AF_INET)
    with netioapi.notify_route_change2(witness := Collector()):
        add_routes(netns, range(100))
        witness.wait_any(is_route(99))
    entered.set()
    registration.cancel()
    assert len(seen) == registration.delivered == 1  # 100 were queued


def test_cancel_without_wait_returns_at_once(netns: Network) -> None:
    netns.veth()
    blocking, registration = blocked_registration(netns)
    change(netns, 1)
    registration.cancel(wait=False)
    assert not registration.active
    assert not blocking.returned
    blocking.release.set()
    registration.cancel()
    assert blocking.returned
    assert registration.delivered == 1


def test_cancellation_goes_on_after_a_timeout_of_cancel(netns: Network) -> None:
    netns.veth()
    blocking, registration = blocked_registration(netns)
    for timeout in (0, 0.0, 0.01, 1e-9):
        with pytest.raises(TimeoutError, match="NotifyRouteChange2"):
            registration.cancel(timeout)
    assert not registration.active
    blocking.release.set()
    registration.cancel(30)
    assert blocking.returned


def test_ctrl_c_ends_the_wait_of_cancel_and_not_the_cancellation(netns: Network) -> None:
    netns.veth()
    blocking, registration = blocked_registration(netns)
    interrupt = threading.Timer(0.05, ctrl_c)
    interrupt.start()
    with pytest.raises(KeyboardInterrupt):
        registration.cancel(30)
    interrupt.join()
    assert not registration.active
    blocking.release.set()
    registration.cancel(30)
    assert blocking.returned


@pytest.mark.parametrize(
    "name", ["SIGINT", pytest.param("SIGUSR1", marks=linux_only("Ctrl-C is the only signal"))]
)
def test_signal_handler_runs_while_cancel_waits(netns: Network, name: str) -> None:
    netns.veth()
    blocking, registration = blocked_registration(netns)
    number = getattr(signal, name)
    interrupt = ctrl_c if name == "SIGINT" else lambda: os.kill(os.getpid(), number)
    before = signal.signal(number, lambda *_: blocking.release.set())
    try:
        signaller = threading.Timer(0.05, interrupt)
        signaller.start()
        registration.cancel(30)  # the handler releases the callback
        signaller.join()
    finally:
        signal.signal(number, before)
    assert blocking.returned


def test_with_block_that_raises_cancels_its_registration(netns: Network) -> None:
    registration = netioapi.notify_route_change2(print)
    with contextlib.suppress(LookupError), registration as same:
        assert same is registration
        assert registration.active
        raise LookupError
    assert not registration.active

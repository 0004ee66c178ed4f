# SPDX-License-Identifier: MIT
"""The INITIAL call over a system that would make it inside of Notify*, on the calling thread: the
binding asks for none, and makes it itself. See check_delivery.py."""

from __future__ import annotations

import sys
import threading
from typing import Any

from netioapi import DeadlockError, NetioError
from tests.fake_system.system import (
    ADD,
    INITIAL,
    NO_INITIAL,
    NO_THREADS,
    NULL_HANDLE,
    REFUSE,
    SYNCHRONOUS,
    WITH_TYPE,
    notify,
    raises,
    registrations,
    system,
)
from tests.support.collector import Collector
from tests.support.waiting import eventually


def no_initial_from_the_system() -> None:
    for setting in (NO_INITIAL, SYNCHRONOUS):
        system.fake_set(setting, 1)


def initial_comes_once_and_never_on_the_calling_thread() -> None:
    no_initial_from_the_system()
    for function in WITH_TYPE:
        returned, seen, errors = threading.Event(), Collector(), Collector()

        def look(what: Any, type: Any, *, given: Any = (returned, seen)) -> None:
            assert given[0].wait(20)  # a program that waits for the registering thread
            given[1](what, type, threading.get_ident())

        with function(look, initial_notification=True, on_error=errors) as registration:
            returned.set()
            ((what, type, thread),) = seen.wait_count(1)
            assert (what or None, type) == (None, INITIAL)
            assert thread != threading.get_ident()
            system.fake_call(1, 5, INITIAL)  # others are dropped
            system.fake_call(1, 5, ADD)
            system.fake_join()
            seen.wait_count(6)
            eventually(lambda r=registration: r.delivered == 6)
        assert [type for _, type, _ in seen.events] == [INITIAL] + [ADD] * 5
        assert errors.events == []


def changes_wait_for_the_initial_call() -> None:
    no_initial_from_the_system()
    entered, leave, types = threading.Event(), threading.Event(), Collector()

    def look(row: Any, type: Any) -> None:
        types(type)
        entered.set()
        assert leave.wait(20)

    with notify(look, initial_notification=True) as registration:
        assert entered.wait(20)
        system.fake_call(4, 500, ADD)
        eventually(lambda: system.fake_called() >= 1024)
        assert types.events == [(INITIAL,)]
        leave.set()
        system.fake_join()
        types.wait_count(2001)
        eventually(lambda: registration.delivered == 2001)


def initial_call_may_cancel_without_waiting() -> None:
    no_initial_from_the_system()
    bound, outcomes = threading.Event(), Collector()

    def look(row: Any, type: Any) -> None:
        assert bound.wait(20)
        outcomes(raises(DeadlockError, registration.cancel))
        registration.cancel(wait=False)

    registration = notify(look, initial_notification=True)
    bound.set()
    outcomes.wait_count(1)
    registration.cancel()
    assert (registration.delivered, registration.active) == (1, False)
    assert system.fake_registered() == 0


def cancel_waits_for_the_initial_call() -> None:
    no_initial_from_the_system()
    entered, leave = threading.Event(), threading.Event()

    def look(row: Any, type: Any) -> None:
        entered.set()
        assert leave.wait(20)

    registration = notify(look, initial_notification=True)
    assert entered.wait(20)
    raises(TimeoutError, registration.cancel, 0.05)
    assert registrations() == [registration]
    leave.set()
    registration.cancel()


def refused_registration_makes_no_initial_call() -> None:
    no_initial_from_the_system()
    seen = Collector()
    for setting, value, code in ((REFUSE, 5, 5), (NO_THREADS, 1, 1450)):
        system.fake_set(setting, value)
        assert raises(NetioError, notify, seen, initial_notification=True).code == code
        system.fake_set(setting, 0)
    assert not registrations()
    system.fake_set(NULL_HANDLE, 1)
    notify(seen, initial_notification=True).cancel()
    assert (seen.events, len(registrations())) == ([], 0)


def many_initial_calls_and_cancels_leave_nothing() -> None:
    no_initial_from_the_system()
    for _ in range(300):
        notify(lambda *_: None, initial_notification=True).cancel()
    assert system.fake_registered() == 0
    assert threading.active_count() == 1


if __name__ == "__main__":
    globals()[sys.argv[1]]()
    print("passed", flush=True)

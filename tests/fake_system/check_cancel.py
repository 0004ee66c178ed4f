# SPDX-License-Identifier: MIT
"""The binding over an unruly system: cancelling. Each check runs by name in a process of its own,
with the package that test_fake_system.py builds over tower.c."""

from __future__ import annotations

import functools
import gc
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any

from netioapi import DeadlockError, InvalidParameterError, NetioError, Registration
from tests.fake_system.system import (
    ADD,
    BATCHES,
    FAIL_CANCEL,
    LATE,
    NO_EVENTS,
    NO_THREADS,
    SYNCHRONOUS,
    WITH_TYPE,
    notify,
    raises,
    registrations,
    system,
)
from tests.support.collector import Collector
from tests.support.waiting import eventually


def cancel_waits_for_overlapping_calls() -> None:
    over = False

    def look(row: Any, type: Any) -> None:
        assert not over
        started.set()

    for _ in range(50):
        errors, started = Collector(), threading.Event()
        over = False
        registration = notify(look, on_error=errors)
        system.fake_call(8, 50, ADD)
        assert started.wait(20)
        registration.cancel()
        over = True
        system.fake_join()
        assert not errors.events


def callback_before_the_handle_may_cancel() -> None:
    system.fake_set(SYNCHRONOUS, 1)
    seen: list[threading.Thread] = []

    def look(row: Any, type: Any) -> None:
        (mine,) = registrations()
        raises(DeadlockError, mine.cancel)
        assert mine.active
        mine.cancel(wait=False)
        assert not mine.active
        waiter = threading.Thread(target=mine.cancel)
        waiter.start()
        raises(TimeoutError, lambda: Timed(mine).result())
        seen.append(waiter)

    errors = Collector()
    registration = notify(look, initial_notification=True, on_error=errors)
    assert not errors.events, errors.events
    seen[0].join(20)
    assert not seen[0].is_alive()
    assert not registration.active
    registration.cancel()
    assert (registration.delivered, system.fake_registered()) == (1, 0)


class Timed(threading.Thread):
    """cancel(0) in a thread that is in no callback."""

    def __init__(self, registration: Registration) -> None:
        super().__init__()
        self._registration = registration
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self._registration.cancel(0)
        except BaseException as error:
            self._error = error

    def result(self) -> None:
        self.join()
        if self._error is not None:
            raise self._error


def failed_cancel_disables_and_leaks_the_registration() -> None:
    for number, code in enumerate((6, 8, 87, 1168, 31, 0xC0000001)):
        seen = Collector()
        registration = WITH_TYPE[number % len(WITH_TYPE)](seen)
        system.fake_set(FAIL_CANCEL, code)
        error = raises(NetioError, registration.cancel)
        assert (error.code, error.function) == (code, "CancelMibChangeNotify2")
        assert isinstance(error, InvalidParameterError) == (code == 87)
        said = str(error)
        assert said.startswith("CancelMibChangeNotify2: ")
        assert f"(error {code})" in said
        system.fake_set(FAIL_CANCEL, 0)  # the error stays, and the system is not called again
        assert str(raises(NetioError, registration.cancel)) == said
        assert str(raises(NetioError, registration.__exit__)) == said
        registration.cancel(wait=False)
        assert not registration.active
        system.fake_call(4, 100, ADD)  # the system still has the context
        system.fake_join()
        assert not seen.events
        assert registration.delivered == 0
        leaked = weakref.ref(registration)
        del registration, error
        gc.collect()
        assert leaked() is not None
        with notify(good := Collector()):
            system.fake_call(1, 1, ADD)
            system.fake_join()
            assert len(good) == 1
        assert system.fake_registered() == number + 1


def no_callback_begins_once_a_cancel_began() -> None:
    """Even though this system calls back until its cancel returns."""
    seen = Collector()
    system.fake_set(LATE, 1000)
    for wait in (True, False):
        registration = notify(seen)
        registration.cancel(wait=wait)
        registration.cancel()
        assert registration.delivered == 0
    assert not seen.events


def no_callback_of_a_batch_begins_once_a_cancel_began() -> None:
    system.fake_set(BATCHES, 1)

    def look(row: Any, type: Any) -> None:
        if row.metric == 9:
            registration.cancel(wait=False)

    registration = notify(look)
    system.fake_call(1, 100, ADD)
    system.fake_join()
    assert (registration.delivered, registration.batches) == (10, 1)
    registration.cancel()


def cancel_without_new_threads_runs_on_the_caller() -> None:
    entered, leave = threading.Event(), threading.Event()

    def held(row: Any, type: Any) -> None:
        entered.set()
        assert leave.wait(20)
        registration.cancel(wait=False)  # cannot begin, and must not wait

    registration = notify(held)
    system.fake_call(1, 1, ADD)
    assert entered.wait(20)
    waiter = threading.Thread(target=registration.cancel)
    system.fake_set(NO_THREADS, 1)
    registration.cancel(wait=False)
    assert not registration.active
    leave.set()
    registration.cancel()  # begins in this thread
    registration.cancel()
    system.fake_set(NO_THREADS, 0)
    waiter.start()
    waiter.join(20)
    system.fake_join()


def cancel_takes_over_where_the_helper_cannot_start_later() -> None:
    """The cancel begins before the system has returned the handle; when it returns it, no thread is
    left to start."""
    system.fake_set(SYNCHRONOUS, 1)
    waiters: list[threading.Thread] = []

    def look(row: Any, type: Any) -> None:
        if not waiters:
            (mine,) = registrations()
            waiters.append(threading.Thread(target=mine.cancel))
            waiters[0].start()
            eventually(lambda: not mine.active)
            system.fake_set(NO_THREADS, 1)

    errors = Collector()
    registration = notify(look, initial_notification=True, on_error=errors)
    waiters[0].join(20)
    assert not waiters[0].is_alive()
    assert not errors.events, errors.events
    assert (registration.active, system.fake_registered()) == (False, 0)


def is_gone_after(call: Callable[[], None], thing: weakref.ref[Any]) -> bool:
    call()
    return thing() is None


def cancel_that_could_not_begin_begins_later() -> None:
    gone: list[weakref.ref[Registration]] = []

    def another() -> None:
        notify(print).cancel()

    def a_wrong_one() -> None:
        raises(TypeError, notify, None)

    for later in (another, a_wrong_one):
        registration = notify(print)
        gone.append(weakref.ref(registration))
        system.fake_set(NO_THREADS, 1)
        registration.cancel(wait=False)
        del registration
        later()
        assert gone[-1]() is not None  # the system still has it
        system.fake_set(NO_THREADS, 0)
        eventually(functools.partial(is_gone_after, later, gone[-1]))


def cancel_without_events_raises_and_goes_on() -> None:
    entered, leave = threading.Event(), threading.Event()

    def held(row: Any, type: Any) -> None:
        entered.set()
        assert leave.wait(20)

    registration = notify(held)
    system.fake_call(1, 1, ADD)
    assert entered.wait(20)
    system.fake_set(NO_EVENTS, 1)
    assert raises(NetioError, registration.cancel).code == 8
    assert not registration.active  # the cancellation goes on
    system.fake_set(NO_EVENTS, 0)
    raises(TimeoutError, registration.cancel, 0)
    leave.set()
    registration.cancel()
    system.fake_join()


if __name__ == "__main__":
    globals()[sys.argv[1]]()
    print("passed", flush=True)

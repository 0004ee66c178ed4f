# SPDX-License-Identifier: MIT
"""The binding over an unruly system. Each check runs by name in a process of its own, with the
package that tests/fake_system/test_fake_system.py builds over tests/fake_system/tower.c."""

from __future__ import annotations

import ctypes
import functools
import gc
import importlib
import os
import sys
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import netioapi
from netioapi import DeadlockError, NetioError, NotificationType, Registration
from tests.support.collector import Collector
from tests.support.waiting import eventually

ADD, INITIAL = NotificationType.ADD, NotificationType.INITIAL
SYNCHRONOUS, FAIL_CANCEL, NULL_HANDLE, REFUSE, STABLE_NOW, LATE, NO_THREADS, NO_EVENTS = range(8)
BATCHES = 8
system = ctypes.CDLL(netioapi._native.__file__)
notify: Any = netioapi.notify_route_change2


def raises(kind: type[BaseException], function: Any, *arguments: Any, **named: Any) -> Any:
    try:
        function(*arguments, **named)
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}")


def registrations() -> list[Registration]:
    return [o for o in gc.get_objects() if type(o) is Registration]


def overlapping_calls_become_one_stream() -> None:
    inside, errors, numbers = 0, Collector(), []

    def look(row: Any, type: Any) -> None:
        nonlocal inside
        inside += 1
        assert inside == 1
        numbers.append(row.metric)
        time.sleep(0)  # releases the GIL
        inside -= 1

    with notify(look, on_error=errors) as registration:
        system.fake_call(8, 1000, ADD)
        system.fake_join()
        assert len(numbers) == registration.delivered == 8000
        assert registration.batches <= 8000
    for thread in range(8):
        mine = [number for number in numbers if number // 100000 == thread]
        assert mine == list(range(thread * 100000, thread * 100000 + 1000))
    assert not errors.events


def at_most_1024_calls_wait_for_python() -> None:
    """After 1024 waiting calls, the threads of the system wait."""
    entered, leave = threading.Event(), threading.Event()

    def held(row: Any, type: Any) -> None:
        entered.set()
        assert leave.wait(20)

    with notify(held) as registration:
        system.fake_call(8, 1000, ADD)
        assert entered.wait(20)
        eventually(lambda: system.fake_called() >= 1024)
        assert system.fake_called() == 1024
        leave.set()
        system.fake_join()
        assert (registration.delivered, registration.errors) == (8000, 0)


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


def initial_on_the_registering_thread_comes_once() -> None:
    system.fake_set(SYNCHRONOUS, 1)
    seen: list[tuple[Any, Any, bool]] = []
    local = threading.local()
    local.here = True

    def look(row: Any, type: Any) -> None:
        seen.append((row, type, getattr(local, "here", False)))  # True in Python's own thread state
        if len(seen) == 1:  # registers another one, which calls back in the same way
            notify(look, initial_notification=True).cancel()

    with notify(look, initial_notification=True) as registration:
        assert seen == [(None, INITIAL, True)] * 2
        assert registration.delivered == 1
        system.fake_call(1, 5, INITIAL)
        system.fake_join()
        assert len(seen) == 2
    with notify(look):
        system.fake_call(1, 5, INITIAL)
        system.fake_join()
    assert len(seen) == 2  # not requested


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
    seen = Collector()
    registration = notify(seen)
    system.fake_set(FAIL_CANCEL, 6)
    for _ in range(3):
        error = raises(NetioError, registration.cancel)
        assert (error.code, error.function) == (6, "CancelMibChangeNotify2")
    raises(NetioError, registration.__exit__)
    registration.cancel(wait=False)
    assert not registration.active
    system.fake_call(4, 100, ADD)  # the system still has the context
    system.fake_join()
    assert not seen.events
    leaked = weakref.ref(registration)
    del registration, error
    gc.collect()
    assert leaked() is not None


def registration_without_a_handle_is_a_success() -> None:
    system.fake_set(NULL_HANDLE, 1)
    registration = notify(print)
    assert registration.active
    registration.cancel()
    assert not registration.active


def refused_registration_keeps_no_reference() -> None:
    def callback(*_: Any) -> None:
        pass

    before = sys.getrefcount(callback)
    for code in (5, 6, 8, 87, 1168):
        system.fake_set(REFUSE, code)
        for function in (notify, netioapi.notify_teredo_port_change):
            error = raises(NetioError, function, callback, on_error=callback)
            assert error.code == code
        raises(NetioError, netioapi.notify_stable_unicast_ip_address_table, callback)
    del error
    gc.collect()
    assert sys.getrefcount(callback) == before
    assert not registrations()


def missing_function_raises_a_clear_error() -> None:
    error = raises(NetioError, netioapi.notify_network_connectivity_hint_change, print)
    assert (error.code, error.function) == (127, "NotifyNetworkConnectivityHintChange")
    assert "2004" in str(error)
    assert not netioapi.supported("NotifyNetworkConnectivityHintChange")
    assert not registrations()


def every_stable_table_is_freed() -> None:
    system.fake_set(STABLE_NOW, 1)
    table, nothing = netioapi.notify_stable_unicast_ip_address_table(print)
    assert nothing is None
    assert table is not None
    assert (len(table), system.fake_tables()) == (1, 0)
    system.fake_set(STABLE_NOW, 0)
    seen = Collector()
    no_table, registration = netioapi.notify_stable_unicast_ip_address_table(seen)
    assert no_table is None
    assert registration is not None
    system.fake_call(4, 10, ADD)
    system.fake_join()
    assert [len(table) for (table,) in seen.events] == [1] * 40
    system.fake_set(LATE, 10)
    registration.cancel()
    assert (len(seen), system.fake_tables()) == (40, 0)


def no_callback_begins_once_a_cancel_began() -> None:
    """Although this system calls back until its cancel returns."""
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


def callback_that_forks_is_the_last_in_the_child() -> None:
    """This system still calls back in the child."""
    pids: list[int] = []

    def forks(row: Any, type: Any) -> None:
        if row.metric == 0:
            pids.append(os.fork())
        elif pids == [0]:
            os._exit(13)

    registration = notify(forks)
    system.fake_call(1, 100, ADD)
    system.fake_join()
    assert registration.delivered == 100
    assert os.waitstatus_to_exitcode(os.waitpid(pids[0], 0)[1]) == 0
    registration.cancel()


def failed_allocation_raises_memory_error() -> None:
    """Each allocation of registering and cancelling fails once."""
    memory = importlib.import_module("_testcapi")

    def life() -> None:
        with notify(print, 2, on_error=print, initial_notification=True, details=False) as live:
            repr(live)
            live.cancel(5)

    life()
    worked = failed = number = 0
    while worked < 10:
        memory.set_nomemory(number, number + 1)
        try:
            life()
            worked += 1
        except MemoryError:
            failed += 1
        finally:
            memory.remove_mem_hooks()
        number += 1
    assert failed > 3
    for left in registrations():  # registrations whose `with` could not begin, or end
        left.cancel()
    left = None  # drops the last reference
    notify(print).cancel()
    gc.collect()
    assert not registrations()


if __name__ == "__main__":
    globals()[sys.argv[1]]()
    print("passed", flush=True)

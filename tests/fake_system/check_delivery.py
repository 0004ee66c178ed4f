# SPDX-License-Identifier: MIT
"""The binding over an unruly system: callbacks, registrations and tables. Each check runs by name
in a process of its own, with the package that test_fake_system.py builds over tower.c."""

from __future__ import annotations

import gc
import importlib
import os
import sys
import threading
import time
from typing import Any

import netioapi
from netioapi import NetioError
from tests.fake_system.system import (
    ADD,
    INITIAL,
    LATE,
    NULL_HANDLE,
    REFUSE,
    STABLE_NOW,
    SYNCHRONOUS,
    WITH_TYPE,
    notify,
    raises,
    registrations,
    system,
)
from tests.support.collector import Collector
from tests.support.waiting import eventually


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


def initial_comes_once(function: Any, local: threading.local) -> None:
    seen: list[tuple[Any, ...]] = []
    returned = False

    def look(what: Any, type: Any) -> None:
        # With Python's own thread state, and in the middle of the call.
        seen.append((what, type, getattr(local, "here", False), returned))
        if len(seen) == 1:  # registers another one, which calls back in the same way
            function(look, initial_notification=True).cancel()

    nothing = 0 if function is netioapi.notify_teredo_port_change else None
    with function(look, initial_notification=True) as registration:
        returned = True
        assert seen == [(nothing, INITIAL, True, False)] * 2
        assert registration.delivered == 1
        system.fake_call(1, 5, INITIAL)
        system.fake_join()
        assert len(seen) == 2
    with function(look):
        system.fake_call(1, 5, INITIAL)
        system.fake_join()
    assert len(seen) == 2  # not requested


def initial_on_the_registering_thread_comes_once() -> None:
    system.fake_set(SYNCHRONOUS, 1)
    local = threading.local()
    local.here = True
    for function in WITH_TYPE:
        initial_comes_once(function, local)


def registration_without_a_handle_is_a_success() -> None:
    """Wine's own functions do that: no callback follows, and the system's cancel is not called."""
    system.fake_set(NULL_HANDLE, 1)
    for function in (*WITH_TYPE, netioapi.notify_stable_unicast_ip_address_table):
        made = function(print)
        registration = made[1] if isinstance(made, tuple) else made
        assert registration.active
        words = function.__name__.split("_")
        assert registration.function.lower() == "".join(words)
        registration.cancel()
        registration.cancel()
        assert not registration.active
    assert system.fake_registered() == len(WITH_TYPE) + 1


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


def failed_pair_of_a_stable_table_is_cancelled() -> None:
    """Without the pair the caller has no registration that it could cancel."""
    memory = importlib.import_module("_testcapi")
    stable = netioapi.notify_stable_unicast_ip_address_table
    worked = failed = number = 0
    while worked < 10:
        pair = None
        taken = [(each, number) for each in range(5000)]  # else freed pairs are used again
        memory.set_nomemory(number, number + 1)
        try:
            taken.append((failed, worked))  # in the place of the arguments above
            pair = stable(print)
            worked += 1
        except MemoryError:
            failed += 1
        finally:
            memory.remove_mem_hooks()
        if pair is not None and pair[1] is not None:
            pair[1].cancel()
        del taken, pair
        assert not any(left.active for left in registrations())
        eventually(lambda: system.fake_registered() == 0)
        number += 1
    assert failed > 1


if __name__ == "__main__":
    globals()[sys.argv[1]]()
    print("passed", flush=True)

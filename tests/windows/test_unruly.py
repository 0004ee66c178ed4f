# SPDX-License-Identifier: MIT
"""Windows against its own documentation, and netioapi over it: callbacks that overlap, that come
before the handle is known, on the registering thread, twice, or not at all."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from typing import Any

import pytest

import netioapi
from netioapi import DeadlockError, Registration
from tests.support.background import BackgroundCall
from tests.support.collector import Collector
from tests.support.waiting import eventually
from tests.windows.dll import (
    Figure,
    Kind,
    Setting,
    checked,
    configure,
    drain,
    inject,
    require_standin,
    stat,
)
from tests.windows.structures import AF_INET, AF_INET6, AF_UNSPEC
from tests.windows.support import (
    ADD,
    INITIAL,
    INTERFACE,
    NOTIFY,
    ROUTE,
    live,
    route_row,
    setting,
)

pytestmark = pytest.mark.usefixtures("link")
FAMILIES = [AF_UNSPEC, AF_INET, AF_INET6]
WITH_TYPE = [name for name in NOTIFY if "Hint" not in name]


def flood_exactly(routes: int, rounds: int, threads: int) -> None:
    """So many routes are added and deleted in so many rounds by so many threads; returns at the
    end."""
    system = require_standin()
    checked("standin_flood", route_row(1, "198.18.0.0/32"), routes, rounds, threads)
    assert system.standin_flood_wait(60_000)
    system.standin_flood_stop()


class Alone:
    """A callback that notices another call of itself."""

    def __init__(self) -> None:
        self.inside = self.overlaps = self.calls = 0
        self.threads: set[int] = set()

    def __call__(self, *_: object) -> None:
        self.inside += 1
        self.overlaps += self.inside > 1
        self.threads.add(threading.get_ident())
        self.calls += 1
        self.inside -= 1


# ---- overlap


def test_overlapping_callbacks_run_one_at_a_time_and_none_is_lost() -> None:
    configure(Setting.OVERLAP, 1)
    errors, watched = Collector(), [Alone() for _ in range(3)]
    registrations = [ROUTE.notify(one, AF_INET, on_error=errors) for one in watched]
    posted = stat(Figure.POSTED)
    flood_exactly(routes=100, rounds=10, threads=4)
    assert stat(Figure.POSTED) == posted + 3 * 8000
    drain()
    for one, registration in zip(watched, registrations, strict=True):
        eventually(lambda registration=registration: registration.delivered == 8000)  # type: ignore[misc]
        assert (one.calls, one.overlaps) == (8000, 0)
        assert registration.errors == 0
        assert registration.batches <= 8000
        registration.cancel()
    assert len(set().union(*(one.threads for one in watched))) > 1
    assert not errors.events


def test_blocked_callback_does_not_delay_other_registrations() -> None:
    configure(Setting.OVERLAP, 1)
    inside, leave = threading.Event(), threading.Event()

    def held(*_: Any) -> None:
        inside.set()
        assert leave.wait(30)

    seen = Collector()
    with ROUTE.notify(held) as slow, ROUTE.notify(seen):
        ROUTE.put(route_row(1))
        assert inside.wait(60)
        for metric in range(2, 100):
            ROUTE.put(route_row(metric))
        seen.wait_count(99)
        assert slow.delivered == 1
        # The pool's threads have left their rows in the queue, and are free again.
        eventually(lambda: stat(Figure.RUNNING) == 1)
        leave.set()
        eventually(lambda: slow.delivered == 99)


def test_cancel_waits_for_overlapping_callbacks() -> None:
    """After cancel() no callback runs, though copies of rows waited in the queue."""
    configure(Setting.OVERLAP, 1)
    for _ in range(30):
        over, late, inside = False, 0, threading.Event()

        def look(*_: Any, inside: threading.Event = inside) -> None:
            nonlocal late
            late += over  # noqa: B023 - as it is when it is called
            inside.set()

        registration = ROUTE.notify(look)
        checked("standin_put_routes", route_row(1, "10.0.0.0/32"), 200)
        assert inside.wait(60)
        registration.cancel()
        over = True
        delivered = registration.delivered
        checked("standin_delete_routes", route_row(1, "10.0.0.0/32"), 200)
        drain()
        assert (late, registration.delivered) == (0, delivered)


# ---- INITIAL


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("function", WITH_TYPE)
def test_initial_on_the_registering_thread_comes_once(function: str, family: int) -> None:
    """And during the call, before the handle is stored."""
    configure(Setting.SYNCHRONOUS_INITIAL, 1)
    notify, kind = NOTIFY[function]
    arguments = () if kind == Kind.TEREDO else (family,)
    local, seen, before = threading.local(), [], live()
    local.here = True

    def look(what: Any, type: Any) -> None:
        seen.append((what, type, getattr(local, "here", False), returned))

    returned = False
    registration = notify(look, *arguments, initial_notification=True)
    returned = True
    with registration:
        assert seen == [(0 if kind == Kind.TEREDO else None, INITIAL, True, False)]
        assert registration.delivered == 1
        assert live() == before + 1
        assert inject(kind, None, INITIAL) == 1
        drain()
        assert len(seen) == 1


@pytest.mark.parametrize("synchronous", [0, 1])
@pytest.mark.parametrize("function", NOTIFY)
def test_initial_notification_that_was_not_requested_is_not_delivered(
    function: str, synchronous: int
) -> None:
    configure(Setting.SYNCHRONOUS_INITIAL, synchronous)
    notify, kind = NOTIFY[function]
    with notify(Collector()) as registration:
        if kind != Kind.HINT:  # a hint has no type
            assert inject(kind, None, INITIAL) == 1
        drain()
        assert registration.delivered == 0


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("function", WITH_TYPE)
@pytest.mark.parametrize("overlap", [0, 1])
def test_initial_notification_from_the_pool_is_delivered_once(
    function: str, family: int, overlap: int, collector: Collector
) -> None:
    configure(Setting.OVERLAP, overlap)
    notify, kind = NOTIFY[function]
    arguments = () if kind == Kind.TEREDO else (family,)
    posted = stat(Figure.POSTED)
    ident: list[int] = []
    seen = Collector(lambda *_: ident.append(threading.get_ident()))
    with notify(seen, *arguments, initial_notification=True) as registration:
        expected = 2 if family == AF_UNSPEC and kind <= Kind.ROUTE else 1
        assert stat(Figure.POSTED) == posted + expected
        drain()
        seen.wait_count(1)
        assert registration.delivered == len(seen) == 1
        assert seen.events[0][1] == INITIAL
        assert ident[0] != threading.get_ident()


@pytest.mark.parametrize("synchronous", [0, 1])
def test_first_hint_is_the_current_one(synchronous: int, collector: Collector) -> None:
    configure(Setting.SYNCHRONOUS_INITIAL, synchronous)
    checked("standin_set_hint", 3, 2, 1)
    notify, _ = NOTIFY["NotifyNetworkConnectivityHintChange"]
    with notify(collector, initial_notification=True) as registration:
        ((hint,),) = collector.wait_count(1)
        assert (int(hint.connectivity_level), int(hint.connectivity_cost)) == (3, 2)
        assert registration.delivered == 1
    assert hint == netioapi.get_network_connectivity_hint()


def mine() -> Registration:
    """The registration under construction: only the module has a reference to it."""
    (found,) = [one for one in gc.get_objects() if type(one) is Registration and one.active]
    return found


def test_callback_before_the_handle_may_cancel_its_own_registration() -> None:
    configure(Setting.SYNCHRONOUS_INITIAL, 1)
    gc.collect()
    before, cancelled = live(), stat(Figure.CANCELLED)
    errors, calls = Collector(), list[int]()

    def look(row: Any, type: Any) -> None:
        registration = mine()
        with pytest.raises(DeadlockError):
            registration.cancel()
        assert registration.active
        registration.cancel(wait=False)
        assert not registration.active
        # Another thread that waits for it waits for the handle, too.
        with pytest.raises(TimeoutError):
            BackgroundCall(lambda: registration.cancel(0.05)).result()
        calls.append(type)

    registration = ROUTE.notify(look, initial_notification=True, on_error=errors)
    assert errors.events == []
    assert calls == [INITIAL]
    assert not registration.active
    registration.cancel()
    assert (live(), stat(Figure.CANCELLED)) == (before, cancelled + 1)
    ROUTE.put(route_row(1))
    drain()
    assert registration.delivered == 1


def test_callback_before_the_handle_may_register_another() -> None:
    configure(Setting.SYNCHRONOUS_INITIAL, 1)
    others: list[Registration] = []
    inner, errors = Collector(), Collector()

    def look(row: Any, type: Any) -> None:
        if type == INITIAL:
            others.append(INTERFACE.notify(inner, initial_notification=True, on_error=errors))
            others[0].cancel()
            others.append(ROUTE.notify(inner, initial_notification=True, on_error=errors))

    with ROUTE.notify(look, initial_notification=True, on_error=errors) as outer:
        assert inner.events == [(None, INITIAL)] * 2
        assert [one.active for one in others] == [False, True]
        ROUTE.put(route_row(1))
        inner.wait_any(lambda row, type: type == ADD)
        eventually(lambda: outer.delivered == 2)
        others[1].cancel()
    assert errors.events == []


def test_callback_before_the_handle_may_raise(collector: Collector) -> None:
    configure(Setting.SYNCHRONOUS_INITIAL, 1)

    def fail(row: Any, type: Any) -> None:
        raise LookupError(type)

    with ROUTE.notify(fail, initial_notification=True, on_error=collector) as registration:
        ((error,),) = collector.events
        assert isinstance(error, LookupError)
        assert registration.active
        assert (registration.delivered, registration.errors) == (1, 1)
        ROUTE.put(route_row(1))
        assert len(collector.wait_count(2)) == 2


def test_change_during_the_first_callback_is_delivered_on_its_thread() -> None:
    """A change arrives on another thread while the registering thread is in its first callback."""
    configure(Setting.SYNCHRONOUS_INITIAL, 1)
    events: list[tuple[Any, int]] = []

    def look(row: Any, type: Any) -> None:
        events.append((type, threading.get_ident()))
        if type == INITIAL:
            before = stat(Figure.CALLBACKS)
            ROUTE.put(route_row(1))
            eventually(lambda: stat(Figure.CALLBACKS) > before)  # it left the row in the queue

    with ROUTE.notify(look, initial_notification=True):
        assert [type for type, _ in events] == [INITIAL, ADD]
        assert {thread for _, thread in events} == {threading.get_ident()}


# ---- no handle


@pytest.mark.parametrize("function", [*NOTIFY, "NotifyStableUnicastIpAddressTable"])
def test_registration_without_a_handle_is_a_success(function: str, netns: Any) -> None:
    """Wine's own functions do that: no callback runs, and there is nothing to cancel."""
    configure(Setting.NULL_HANDLES, 1)
    before = live(), stat(Figure.CANCELLED)
    make: Callable[..., Any]
    if function in NOTIFY:
        make, _ = NOTIFY[function]
        registration = make(print)
    else:
        netns.dad_seconds = None
        netns.veth()
        netns.ip("address add 2001:db8::1/64 dev v0")
        table, pending = netioapi.notify_stable_unicast_ip_address_table(print)
        assert table is None
        assert pending is not None
        registration = pending
    assert registration.active
    assert registration.function == function
    registration.cancel()
    registration.cancel()
    assert not registration.active
    assert (live(), stat(Figure.CANCELLED)) == before


def test_registration_without_a_handle_does_not_disturb_others(collector: Collector) -> None:
    with setting(Setting.NULL_HANDLES):
        silent = ROUTE.notify(collector)
    with silent, ROUTE.notify(told := Collector()):
        ROUTE.put(route_row(1))
        told.wait_count(1)
    assert collector.events == []

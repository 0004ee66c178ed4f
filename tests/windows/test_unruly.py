# SPDX-License-Identifier: MIT
"""Windows against its own documentation, and netioapi over it: callbacks that overlap, that come
before the handle is known, on the registering thread, twice, or not at all."""

from __future__ import annotations

import threading
from typing import Any

import pytest

import netioapi
from netioapi import Registration
from tests.support.collector import Collector
from tests.support.waiting import eventually
from tests.windows.dll import (
    Figure,
    Kind,
    Setting,
    checked,
    configure,
    drain,
    fail,
    inject,
    stat,
)
from tests.windows.structures import AF_INET, AF_INET6, AF_UNSPEC
from tests.windows.support import (
    ADD,
    INITIAL,
    INTERFACE,
    NOTIFY,
    ROUTE,
    route_row,
    setting,
)

pytestmark = pytest.mark.usefixtures("link")
FAMILIES = [AF_UNSPEC, AF_INET, AF_INET6]


# ---- overlap


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


# ---- INITIAL: Windows makes it on the registering thread, ours comes from another


@pytest.mark.parametrize("function", NOTIFY)
def test_initial_notification_that_was_not_requested_is_not_delivered(function: str) -> None:
    notify, kind = NOTIFY[function]
    with notify(Collector()) as registration:
        if kind != Kind.HINT:  # a hint has no type
            assert inject(kind, None, INITIAL) == 1
        drain()
        assert registration.delivered == 0


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("function", NOTIFY)
@pytest.mark.parametrize("synchronous", [0, 1])
def test_initial_notification_is_delivered_once_and_on_another_thread(
    function: str, family: int, synchronous: int
) -> None:
    """The callback waits for the registering thread."""
    configure(Setting.SYNCHRONOUS_INITIAL, synchronous)
    notify, kind = NOTIFY[function]
    arguments = (family,) if kind <= Kind.ROUTE else ()
    returned, seen, errors = threading.Event(), Collector(), Collector()

    def look(*what: Any) -> None:
        assert returned.wait(20)
        seen(*what, threading.get_ident())

    with notify(look, *arguments, initial_notification=True, on_error=errors) as registration:
        returned.set()
        ((*what, thread),) = seen.wait_count(1)
        assert thread != threading.get_ident()
        if kind != Kind.HINT:
            assert (what[0] or None, what[1]) == (None, INITIAL)
            inject(kind, None, INITIAL)  # another one is dropped
        drain()
        assert registration.delivered == len(seen) == 1
    assert errors.events == []


@pytest.mark.parametrize("code", [0, 50, 1168])
def test_first_hint_is_the_current_one(code: int, collector: Collector) -> None:
    """Where it cannot be read it is unknown."""
    checked("standin_set_hint", 3, 2, 1)
    current = netioapi.get_network_connectivity_hint()
    fail("GetNetworkConnectivityHint", code, 1 if code else 0)
    notify, _ = NOTIFY["NotifyNetworkConnectivityHintChange"]
    with notify(collector, initial_notification=True) as registration:
        ((hint,),) = collector.wait_count(1)
        assert registration.delivered == 1
    assert int(current.connectivity_level) == 3
    if code == 0:
        assert hint == current
    else:
        assert (int(hint.connectivity_level), int(hint.connectivity_cost)) == (0, 0)


def test_initial_notification_may_register_another() -> None:
    others: list[Registration] = []
    inner, errors = Collector(), Collector()

    def look(row: Any, type: Any) -> None:
        if type == INITIAL:
            others.append(INTERFACE.notify(inner, initial_notification=True, on_error=errors))
            inner.wait_count(1)
            others[0].cancel()
            others.append(ROUTE.notify(inner, initial_notification=True, on_error=errors))

    with ROUTE.notify(look, initial_notification=True, on_error=errors) as outer:
        inner.wait_count(2)
        assert inner.events == [(None, INITIAL)] * 2
        assert [one.active for one in others] == [False, True]
        ROUTE.put(route_row(1))
        inner.wait_any(lambda row, type: type == ADD)
        eventually(lambda: outer.delivered == 2)
        others[1].cancel()
    assert errors.events == []


def test_initial_notification_may_raise(collector: Collector) -> None:
    def fail(row: Any, type: Any) -> None:
        raise LookupError(type)

    with ROUTE.notify(fail, initial_notification=True, on_error=collector) as registration:
        ((error,),) = collector.wait_count(1)
        assert isinstance(error, LookupError)
        assert registration.active
        assert (registration.delivered, registration.errors) == (1, 1)
        ROUTE.put(route_row(1))
        assert len(collector.wait_count(2)) == 2


def test_changes_during_the_initial_notification_come_after_it() -> None:
    events = Collector()

    def look(row: Any, type: Any) -> None:
        events(type)
        if type == INITIAL:
            before = stat(Figure.CALLBACKS)
            ROUTE.put(route_row(1))
            eventually(lambda: stat(Figure.CALLBACKS) > before)  # it left the row to us
            events("end")

    with ROUTE.notify(look, initial_notification=True):
        assert [what for (what,) in events.wait_count(3)] == [INITIAL, "end", ADD]


def test_cancel_waits_for_the_initial_notification() -> None:
    entered, leave = threading.Event(), threading.Event()

    def look(*_: Any) -> None:
        entered.set()
        assert leave.wait(60)

    registration = ROUTE.notify(look, initial_notification=True)
    assert entered.wait(60)
    with pytest.raises(TimeoutError):
        registration.cancel(0.05)
    leave.set()
    registration.cancel(60)
    assert registration.delivered == 1


# ---- no handle


def test_registration_without_a_handle_does_not_disturb_others(collector: Collector) -> None:
    with setting(Setting.NULL_HANDLES):
        silent = ROUTE.notify(collector)
    with silent, ROUTE.notify(witness := Collector()):
        ROUTE.put(route_row(1))
        witness.wait_count(1)
    assert collector.events == []

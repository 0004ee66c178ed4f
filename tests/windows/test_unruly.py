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
WITH_TYPE = [name for name in NOTIFY if "Hint" not in name]


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


# ---- INITIAL


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
    configure(Setting.OVERLAP, 1)
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


def test_registration_without_a_handle_does_not_disturb_others(collector: Collector) -> None:
    with setting(Setting.NULL_HANDLES):
        silent = ROUTE.notify(collector)
    with silent, ROUTE.notify(witness := Collector()):
        ROUTE.put(route_row(1))
        witness.wait_count(1)
    assert collector.events == []

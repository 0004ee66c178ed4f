# SPDX-License-Identifier: MIT
"""The order and the threads of callbacks, their number per GIL acquisition, and their exceptions,
on a real network."""

from __future__ import annotations

import gc
import socket
import sys
import threading
import weakref
from ipaddress import ip_network
from typing import Any

import pytest

import netioapi
from netioapi import NotificationType
from tests.support.collector import Collector
from tests.support.network import Network
from tests.support.platforms import WINDOWS, linux_only
from tests.support.promise import assert_reported
from tests.support.routes import add_routes, delete_routes, is_route, route
from tests.support.waiting import eventually

ADD, DELETE = NotificationType.ADD, NotificationType.DELETE


@pytest.fixture
def unraisable(monkeypatch: pytest.MonkeyPatch) -> Collector:
    seen = Collector()
    monkeypatch.setattr(sys, "unraisablehook", lambda given: seen(given.exc_value, given.object))
    return seen


def test_callbacks_run_in_order_and_one_at_a_time(netns: Network) -> None:
    netns.veth()
    inside, overlaps, threads = 0, 0, set()

    def look(row: Any, type: Any) -> None:
        nonlocal inside, overlaps
        inside += 1
        overlaps += inside > 1
        threads.add(threading.get_ident())
        inside -= 1

    seen = Collector(look)
    with netioapi.notify_route_change2(seen, socket.AF_INET) as registration:
        add_routes(netns, range(1000))
        delete_routes(netns, range(1000))
        seen.wait_any(is_route(999, DELETE))
        assert registration.delivered == len(seen)
    prefixes = {ip_network(route(number)) for number in range(1000)}
    events = [(row.destination_prefix, type) for row, type in seen.events]
    made = [(ip_network(route(number)), type) for type in (ADD, DELETE) for number in range(1000)]
    assert_reported(made, [event for event in events if event[0] in prefixes])
    assert overlaps == 0
    assert len(threads) == 1 or WINDOWS  # on Windows any free thread of the pool
    assert threading.get_ident() not in threads


def test_registration_without_a_reference_stays_alive(netns: Network, collector: Collector) -> None:
    netns.veth()
    registration = weakref.ref(netioapi.notify_route_change2(collector))
    gc.collect()
    netns.ip("route add 198.18.0.1 dev v0")
    collector.wait_any(is_route(1))
    live = registration()
    assert live is not None
    live.cancel()
    del live
    eventually(lambda: gc.collect() >= 0 and registration() is None, what="still referred to")


@pytest.mark.parametrize("handled", [True, False], ids=["on_error", "unraisablehook"])
def test_callback_exception_goes_to_on_error_or_unraisablehook(
    netns: Network, unraisable: Collector, handled: bool
) -> None:
    netns.veth()
    errors = Collector()

    def fail(row: Any, type: Any) -> None:
        raise LookupError(row)

    on_error = errors if handled else None
    with netioapi.notify_route_change2(fail, on_error=on_error) as registration:
        add_routes(netns, range(3))
        where = errors if handled else unraisable
        where.wait_any(lambda error, *_: is_route(2)(error.args[0], ADD))
        assert registration.errors == registration.delivered >= 3
    error = where.events[0][0]
    assert isinstance(error, LookupError)
    assert error.__traceback__ is not None
    assert error.__traceback__.tb_frame.f_code is fail.__code__
    if handled:
        assert not unraisable.events
    else:
        assert unraisable.events[0][1] is fail


def test_exception_of_on_error_goes_to_unraisablehook(
    netns: Network, unraisable: Collector
) -> None:
    netns.veth()

    def fail(row: Any, type: Any) -> None:
        raise LookupError

    def fail_again(error: BaseException) -> None:
        raise ArithmeticError from error

    with netioapi.notify_route_change2(fail, on_error=fail_again) as registration:
        add_routes(netns, range(3))
        unraisable.wait_count(3)
        assert registration.errors >= 3
    error, where = unraisable.events[0]
    assert isinstance(error, ArithmeticError)
    assert where is fail_again


def test_callback_with_wrong_signature_reports_type_error(netns: Network) -> None:
    netns.veth()
    errors = Collector()
    collect_nothing: Any = lambda: None  # noqa: E731
    with netioapi.notify_route_change2(collect_nothing, on_error=errors):
        netns.ip("route add 198.18.0.1 dev v0")
        assert isinstance(errors.wait_count(1)[0][0], TypeError)


def test_system_exit_in_a_callback_ends_nothing(netns: Network, unraisable: Collector) -> None:
    netns.veth()
    seen = Collector(lambda *_: sys.exit(3))
    with netioapi.notify_route_change2(seen):
        add_routes(netns, range(2))
        seen.wait_any(is_route(1))
        unraisable.wait_count(2)


def test_slow_callback_does_not_delay_other_registrations(
    netns: Network, collector: Collector
) -> None:
    netns.veth()
    entered, leave = threading.Event(), threading.Event()

    def slow(row: Any, type: Any) -> None:
        entered.set()
        assert leave.wait(30)

    with netioapi.notify_route_change2(slow) as sleeper:
        netns.ip("route add 198.18.1.0 dev v0")
        assert entered.wait(60)
        with netioapi.notify_route_change2(collector):
            add_routes(netns, range(200))
            collector.wait_any(is_route(199))
            delete_routes(netns, range(200))
            collector.wait_any(is_route(199, DELETE))
        assert sleeper.delivered == 1
        leave.set()
        eventually(lambda: sleeper.delivered > 200, what="the slow one caught up")


def test_callbacks_may_register_and_cancel_others(netns: Network) -> None:
    netns.veth()
    errors = Collector()
    inner = Collector()
    live: list[netioapi.Registration] = []

    def replace(row: Any, type: Any) -> None:
        while live:
            live.pop().cancel()
        live.append(netioapi.notify_route_change2(inner, on_error=errors))

    outer = Collector(replace)
    with netioapi.notify_route_change2(outer, on_error=errors):
        for number in range(20):
            netns.ip(f"route add {route(number)} dev v0")
            outer.wait_any(is_route(number))
        netns.ip("route add 198.18.9.9 dev v0")
        eventually(lambda: outer.events[-1:] and is_route(9 * 256 + 9)(*outer.events[-1]))
    assert len(live) == 1
    netns.ip("route del 198.18.9.9")
    inner.wait_any(is_route(9 * 256 + 9, DELETE))
    live.pop().cancel()
    assert not errors.events


@linux_only("the system makes one callback at a time, and waits for it")
def test_queued_changes_share_few_gil_acquisitions(netns: Network) -> None:
    """Changes queue up behind a callback that waits; all of them need a few acquisitions."""
    netns.veth()
    entered, leave = threading.Event(), threading.Event()

    def first_waits(row: Any, type: Any) -> None:
        if not entered.is_set():
            entered.set()
            assert leave.wait(30)

    collector = Collector(first_waits)
    with netioapi.notify_route_change2(collector, socket.AF_INET) as registration:
        netns.ip("route add 198.18.200.0 dev v0")
        assert entered.wait(60)
        witness = Collector()
        with netioapi.notify_route_change2(witness, socket.AF_INET):
            add_routes(netns, range(3000))
            # All of them are queued for the other registration, too.
            witness.wait_any(is_route(2999))
        before = registration.batches
        leave.set()
        collector.wait_any(is_route(2999))
        assert registration.delivered == 3001
        assert registration.batches - before <= 5


@linux_only("the system makes one callback at a time, and waits for it")
def test_changes_beside_a_busy_main_thread_share_gil_acquisitions(netns: Network) -> None:
    """A pure-Python loop releases the GIL once per switch interval: with one change each time,
    3,000 changes would need 3,000 intervals."""
    netns.veth()
    done = threading.Event()

    def last_ends(row: Any, type: Any) -> None:
        if is_route(2999)(row, type):
            done.set()

    collector = Collector(last_ends)
    with netioapi.notify_route_change2(collector, socket.AF_INET) as registration:
        maker = threading.Thread(target=add_routes, args=(netns, range(3000)))
        maker.start()
        spins = 0
        while not done.is_set():
            spins += 1
        maker.join()
        assert registration.delivered == 3000
        assert registration.batches <= 1000, spins


def test_callback_thread_keeps_its_thread_state(netns: Network) -> None:
    netns.veth()
    local = threading.local()

    def count(row: Any, type: Any) -> None:
        local.count = getattr(local, "count", 0) + 1
        counts.setdefault(threading.get_ident(), []).append(local.count)

    counts: dict[int, list[int]] = {}
    collector = Collector(count)
    with netioapi.notify_route_change2(collector, socket.AF_INET) as registration:
        add_routes(netns, range(100))
        eventually(lambda: registration.delivered == 100)
    # The thread state is kept between calls: one in all, and on Windows one for each of the pool.
    for seen in counts.values():
        assert seen == list(range(1, len(seen) + 1))
    assert len(counts) == 1 or WINDOWS


@linux_only("pool threads outlive the registration: tests/windows/test_threads.py")
def test_thread_locals_of_a_callback_die_with_the_registration(netns: Network) -> None:
    netns.veth()
    local = threading.local()
    kept: list[weakref.ref[Any]] = []

    class Kept:
        pass

    def keep(row: Any, type: Any) -> None:
        local.value = Kept()
        kept.append(weakref.ref(local.value))

    with netioapi.notify_route_change2(keep):
        netns.ip("route add 198.18.0.1 dev v0")
        eventually(lambda: kept)
        assert kept[-1]() is not None
    assert kept[-1]() is None

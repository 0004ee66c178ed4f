# SPDX-License-Identifier: MIT
"""The stand-in itself: it reports changes as Windows does, and in the other ways that its settings
choose."""

from __future__ import annotations

import threading

import pytest

from tests.windows.dll import (
    Figure,
    Kind,
    Setting,
    configure,
    drain,
    inject,
    silence,
    stat,
)
from tests.windows.structures import AF_INET, AF_INET6, AF_UNSPEC, Route
from tests.windows.support import (
    ADD,
    ADDRESS,
    DELETE,
    INITIAL,
    INTERFACE,
    PARAMETER,
    ROUTE,
    ROW_KINDS,
    RowKind,
    address_row,
    interface_row,
    route_row,
    setting,
)
from tests.windows.system_registration import SystemRegistration, Told, registered

pytestmark = pytest.mark.usefixtures("link")
all_kinds = pytest.mark.parametrize("kind", ROW_KINDS, ids=lambda kind: kind.kind.name)
RPC_CODES = [1722, 1753, 5, 5023]  # server unavailable, not registered, denied, invalid state
FAMILIES = {AF_INET: 1, AF_INET6: 1, AF_UNSPEC: 2}  # and the number of their INITIALs


def route6(metric: int, prefix: str = "2001:db8::/32") -> Route:
    return route_row(metric, prefix)


class Gate:
    """A callback that waits to be let through, from `close()` on."""

    def __init__(self) -> None:
        self.inside, self._open = threading.Event(), threading.Event()
        self._open.set()

    def close(self) -> None:
        self._open.clear()

    def __call__(self, told: Told) -> None:
        self.inside.set()
        assert self._open.wait(60)

    def open(self) -> None:
        self._open.set()


# ---- INITIAL


@all_kinds
@pytest.mark.parametrize("family", FAMILIES)
def test_initial_comes_once_per_family_on_the_registering_thread(
    kind: RowKind, family: int
) -> None:
    with registered(kind, family, initial=True) as mine:
        assert [tuple(told) for told in mine.told] == [
            (None, INITIAL, threading.get_ident())
        ] * FAMILIES[family]
        drain()
        assert len(mine.told) == FAMILIES[family]


@pytest.mark.parametrize("family", FAMILIES)
def test_initial_may_come_from_the_pool(family: int) -> None:
    configure(Setting.SYNCHRONOUS_INITIAL, 0)
    with registered(ROUTE, family, initial=True) as mine:
        mine.wait_count(FAMILIES[family])
        assert mine.types == [INITIAL] * FAMILIES[family]
        assert threading.get_ident() not in {told.thread for told in mine.told}


def test_change_during_initial_waits_for_its_return() -> None:
    def change(told: Told) -> None:
        if told.type == INITIAL and stat(Figure.QUEUED) == 0:
            ROUTE.put(route_row(1))
            assert stat(Figure.QUEUED) == 1
            assert not threading.Event().wait(0.05)
            assert (stat(Figure.QUEUED), stat(Figure.RUNNING)) == (1, 1)

    with registered(ROUTE, AF_INET, initial=True, then=change) as mine:
        mine.wait_count(2)
        assert mine.types == [INITIAL, ADD]
        assert mine.told[1].thread != threading.get_ident()


# ---- one after the other, and at once


def test_next_notification_is_asked_for_after_the_callback_returned() -> None:
    gate = Gate()
    gate.close()
    with registered(ROUTE, AF_INET, then=gate) as mine:
        ROUTE.put(route_row(1))
        assert gate.inside.wait(60)
        ROUTE.put(route_row(1, "203.0.113.0/24"))
        assert (stat(Figure.QUEUED), stat(Figure.RUNNING), mine.types) == (1, 1, [ADD])
        gate.open()
        mine.wait_count(2)


@pytest.mark.parametrize("apart", [0, 1])
def test_families_of_one_registration_are_served_at_once(apart: int) -> None:
    configure(Setting.FAMILY_QUEUES, apart)
    gate = Gate()
    gate.close()

    def hold(told: Told) -> None:
        if told.row.DestinationPrefix.Prefix.Family == AF_INET:
            gate(told)

    with registered(ROUTE, AF_UNSPEC, then=hold) as mine:
        ROUTE.put(route_row(1))
        assert gate.inside.wait(60)
        ROUTE.put(route6(1))
        if apart:
            mine.wait_count(2)
        else:
            assert (stat(Figure.QUEUED), stat(Figure.RUNNING), mine.types) == (1, 1, [ADD])
        gate.open()
        drain()
        assert mine.types == [ADD] * 2


# ---- merging

A, P, D = ADD, PARAMETER, DELETE
MERGES = [
    ([A, D], [D]),
    ([D, A], [A]),
    ([P, P, P], [P]),
    ([A, P], [A, P]),
    ([A, P, P], [A, P]),
    ([D, A, P], [A, P]),
    ([A, P, D], [D]),
    ([P, D, A, D, A], [A]),
]


@all_kinds
@pytest.mark.parametrize(("given", "expected"), MERGES)
def test_waiting_notifications_of_a_key_merge(
    kind: RowKind, given: list[int], expected: list[int]
) -> None:
    gate, row, other = Gate(), kind.make(1300), make_other(kind)
    with registered(kind, AF_INET, then=gate) as mine:
        gate.close()
        inject(kind.kind, row, PARAMETER)  # is under way, and merges with nothing
        assert gate.inside.wait(60)
        inject(kind.kind, other, ADD)
        merged = stat(Figure.MERGED)
        for type in given:
            inject(kind.kind, row, type)
        inject(kind.kind, other, PARAMETER)
        assert stat(Figure.MERGED) == merged + len(given) - len(expected)
        gate.open()
        drain()
        assert mine.types == [PARAMETER, ADD, *expected, PARAMETER]


def make_other(kind: RowKind) -> object:
    """A row of another key, and of the same family."""
    if kind is ROUTE:
        return route_row(1, "203.0.113.0/24")
    return interface_row(1, index=1) if kind is INTERFACE else address_row(1, "192.0.2.2/24")


def test_merging_may_be_off_or_harsher() -> None:
    given = [A, P, D, A, P, P]
    for level, expected in [(0, given), (1, [A, P]), (2, [P])]:
        configure(Setting.MERGE, level)
        gate = Gate()
        gate.close()
        with registered(ROUTE, AF_INET, then=gate) as mine:
            inject(Kind.ROUTE, route_row(1), PARAMETER)
            assert gate.inside.wait(60)
            for type in given:
                inject(Kind.ROUTE, route_row(1), type)
            gate.open()
            drain()
            assert mine.types == [PARAMETER, *expected]


# ---- the service


@all_kinds
@pytest.mark.parametrize("code", RPC_CODES)
def test_unreachable_service_refuses_and_forgets(kind: RowKind, code: int) -> None:
    with registered(kind) as mine:
        with setting(Setting.SERVICE_ERROR, code):
            assert SystemRegistration(kind, initial=True).code == code
            inject(kind.kind, kind.make(1), ADD)
        inject(kind.kind, kind.make(1), ADD)
        with registered(kind) as later:
            inject(kind.kind, kind.make(1), ADD)
            later.wait_count(1)
        drain()
        assert mine.told == []


def test_silenced_registration_hears_of_nothing_and_new_ones_do() -> None:
    with registered(ROUTE) as mine, registered(ADDRESS) as other:
        assert silence(Kind.ROUTE) == 1
        with registered(ROUTE) as later:
            ROUTE.put(route_row(1))
            ADDRESS.put(address_row(1))
            later.wait_count(1)
            other.wait_count(1)
        drain()
        assert mine.told == []
        assert silence() == 1  # the other kind's


# ---- rows


@pytest.mark.parametrize(
    ("without", "luid", "index", "family"), [(1, 0, 1, 1), (2, 1, 0, 1), (5, 0, 1, 0)]
)
def test_deletes_may_name_less(without: int, luid: int, index: int, family: int) -> None:
    ROUTE.put(route_row(1))
    configure(Setting.BARE_DELETES, without)
    with registered(ROUTE, AF_INET) as mine:
        ROUTE.delete(route_row(1))
        mine.wait_count(1)
        ((row, type, _),) = mine.told
    known = (row.InterfaceLuid != 0, row.InterfaceIndex != 0, row.NextHop.Family != 0)
    assert (type, known) == (DELETE, (bool(luid), bool(index), bool(family)))

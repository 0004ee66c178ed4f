# SPDX-License-Identifier: MIT
"""A machine without IPv4, or without IPv6, that refuses registrations for both: they are made for
the family that is there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import netioapi
from netioapi import NetioError, Watcher
from tests.support.changes import read_until, route_to
from tests.support.collector import Collector
from tests.windows.dll import Figure, Setting, checked, configure, stat
from tests.windows.structures import AF_INET, AF_INET6, AF_UNSPEC
from tests.windows.support import ADDRESS, NOTIFY, ROUTE, address_row, failing, live, route_row

PREFIX = {AF_INET: "198.51.100.0/24", AF_INET6: "2001:db8::/32"}
ADDRESSES = {AF_INET: "192.0.2.1/24", AF_INET6: "2001:db8::1/64"}
ROW_FUNCTIONS = [name for name in NOTIFY if NOTIFY[name][1] <= 2]
CODES = [50, 1168]


@pytest.fixture(params=[AF_INET, AF_INET6], ids=["without IPv4", "without IPv6"])
def left(request: pytest.FixtureRequest, link: int) -> Iterator[int]:
    """The other family."""
    before = configure(Setting.GONE, request.param)
    code = configure(Setting.GONE_CODE, 50)
    yield AF_INET + AF_INET6 - request.param
    configure(Setting.GONE, before)
    configure(Setting.GONE_CODE, code)


@pytest.mark.parametrize("code", CODES)
def test_callback_for_both_families_gets_the_one_that_is_there(
    left: int, code: int, collector: Collector
) -> None:
    configure(Setting.GONE_CODE, code)
    before = live()
    with ROUTE.notify(collector, AF_UNSPEC, initial_notification=True) as registration:
        assert live() == before + 1
        assert registration.family == AF_UNSPEC
        ROUTE.put(route_row(1, PREFIX[left]))
        collector.wait_any(lambda row, _: row is not None and row.metric == 1)
    assert live() == before


@pytest.mark.parametrize("code", CODES)
def test_watcher_of_both_families_follows_the_one_that_is_there(left: int, code: int) -> None:
    configure(Setting.GONE_CODE, code)
    before = live()
    with Watcher(snapshot=True) as watcher:
        assert live() == before + 3
        ROUTE.put(route_row(1, PREFIX[left]))
        read_until(watcher, route_to(PREFIX[left]))
    assert live() == before


def test_stable_table_is_of_the_family_that_is_there(left: int, collector: Collector) -> None:
    tentative = address_row(1, ADDRESSES[left])
    tentative.DadState = 1
    checked("standin_put_address", tentative)
    table, registration = netioapi.notify_stable_unicast_ip_address_table(collector)
    assert table is None
    assert registration is not None
    with registration:
        ADDRESS.put(address_row(1, ADDRESSES[left]))
        collector.wait_count(1)


def test_registration_for_the_missing_family_fails(left: int) -> None:
    gone = AF_INET + AF_INET6 - left
    for function in ROW_FUNCTIONS:
        with pytest.raises(NetioError, match="lacks IPv4 or IPv6") as caught:
            NOTIFY[function][0](print, gone)
        assert (caught.value.code, caught.value.function) == (50, function)
    with pytest.raises(NetioError):
        Watcher(family=gone)
    Watcher(family=left).close()


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("function", ROW_FUNCTIONS)
def test_refusal_with_both_families_there_is_an_error(function: str, code: int, link: int) -> None:
    before = live()
    with failing(function, code), pytest.raises(NetioError) as caught:
        NOTIFY[function][0](print)
    assert (caught.value.code, live()) == (code, before)
    assert stat(Figure.RUNNING) == 0

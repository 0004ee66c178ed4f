# SPDX-License-Identifier: MIT
"""Each function of iphlpapi.dll fails once, with several codes: the error names the function and
the code, nothing leaks, and the next call works."""

from __future__ import annotations

import copy
import ctypes
import errno
import pickle
from typing import Any

import pytest

import netioapi
from netioapi import InvalidParameterError, IpForwardRow, NetioError, Watcher
from tests.support.collector import Collector
from tests.windows.calls import CALLS, put_what_calls_need
from tests.windows.dll import Figure, drain, fail, stat
from tests.windows.support import INDEX, ROUTE, ROW_KINDS, handles, live, luid_of, route_row

CODES = [2, 5, 6, 8, 50, 87, 31, 1450, 0x80070005, 0xC0000001]
NOT_FOUND, NOT_READY = 1168, 21


def figures() -> tuple[int, ...]:
    return live(), stat(Figure.GIVEN), stat(Figure.QUEUED), stat(Figure.RUNNING)


@pytest.fixture(autouse=True)
def reachable(netns: Any) -> None:
    put_what_calls_need()


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("function", CALLS)
def test_failed_system_function_raises_its_name_and_code(function: str, code: int) -> None:
    CALLS[function]()
    drain()
    before = figures()
    fail(function, code, 1)
    with pytest.raises(NetioError) as caught:
        CALLS[function]()
    error = caught.value
    assert (error.code, error.function) == (code, function)
    assert isinstance(error, InvalidParameterError) == (code == 87)
    assert str(error).startswith(f"{function}: ")
    assert f"(error {code})" in str(error)
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert (type(again), again.code, again.function) == (type(error), code, function)
        assert str(again) == str(error)
    assert figures() == before
    CALLS[function]()


@pytest.mark.parametrize("function", CALLS)
def test_failed_system_function_leaks_no_handle(function: str) -> None:
    def once() -> None:
        fail(function, 8, 1)
        with pytest.raises(NetioError):
            CALLS[function]()

    once()
    before = handles()
    for _ in range(20):
        once()
    assert handles() == before


@pytest.mark.parametrize("kind", ROW_KINDS, ids=lambda kind: kind.table)
@pytest.mark.parametrize("family", [0, 2, 23])
def test_table_that_is_not_found_is_empty(kind: Any, family: int) -> None:
    """Windows returns ERROR_NOT_FOUND for it."""
    fail(kind.table, NOT_FOUND, 1)
    assert len(kind.get_table(family)) == 0


@pytest.mark.parametrize("code", [NOT_FOUND, NOT_READY])
def test_missing_teredo_is_port_0(code: int) -> None:
    fail("GetTeredoPort", code, 1)
    assert netioapi.get_teredo_port() == 0


@pytest.mark.parametrize("function", ["ConvertInterfaceLuidToAlias", "ConvertInterfaceIndexToLuid"])
@pytest.mark.parametrize("code", [2, 8, 87])
def test_interface_name_that_cannot_be_read_is_none(function: str, code: int) -> None:
    row = IpForwardRow("198.51.100.0/24", "0.0.0.0", interface_index=INDEX)
    assert row.interface_name == "Ethernet 7"
    fail(function, code, 1)
    assert row.interface_name is None
    assert row.interface_name == "Ethernet 7"


@pytest.mark.parametrize(
    ("function", "interface", "says"),
    [
        ("ConvertInterfaceIndexToLuid", INDEX, "no interface with the index 7"),
        ("ConvertInterfaceLuidToIndex", luid_of(INDEX), "no interface with the LUID"),
    ],
)
@pytest.mark.parametrize("code", [2, 87])
def test_watcher_of_an_unknown_interface_raises_and_leaves_nothing(
    function: str, interface: Any, says: str, code: int
) -> None:
    before = figures()
    fail(function, code, 1)
    with pytest.raises(InvalidParameterError, match=says):
        Watcher(interfaces=[interface])
    assert figures() == before
    Watcher(interfaces=[interface]).close()


@pytest.mark.parametrize("function", [one.function for one in ROW_KINDS])
@pytest.mark.parametrize("code", CODES)
def test_watcher_with_a_failed_registration_leaves_nothing(function: str, code: int) -> None:
    """The kinds that were registered before are cancelled again. After code 50 one registration of
    each family tries whether it is there."""
    before = figures(), stat(Figure.CANCELLED) + (2 if code == 50 else 0)
    fail(function, code, 1)
    with pytest.raises(NetioError) as caught:
        Watcher()
    assert caught.value.code == code
    order = [one.function for one in ROW_KINDS].index(function)
    assert (figures(), stat(Figure.CANCELLED)) == (before[0], before[1] + order)
    Watcher().close()


@pytest.mark.parametrize("snapshot", [False, True])
@pytest.mark.parametrize("table", [one.table for one in ROW_KINDS])
@pytest.mark.parametrize("code", CODES)
def test_watcher_with_a_failed_table_leaves_nothing(table: str, code: int, snapshot: bool) -> None:
    before = figures()
    fail(table, code, 1)
    with pytest.raises(NetioError) as caught:
        Watcher(snapshot=snapshot)
    assert caught.value.code == code
    assert figures() == before
    Watcher(snapshot=snapshot).close()


def test_failed_watchers_leak_no_handle() -> None:
    functions = [one.function for one in ROW_KINDS] + [one.table for one in ROW_KINDS]

    def once() -> None:
        for function in functions:
            fail(function, 8, 1)
            with pytest.raises(NetioError):
                Watcher()

    once()
    before = handles()
    for _ in range(10):
        once()
    assert handles() == before


@pytest.mark.parametrize("code", [1722, 1753])
def test_unreachable_service_is_named_by_every_notification(code: int) -> None:
    """Notifications come by remote procedure calls, whose errors Microsoft does not document."""
    for function in (one.function for one in ROW_KINDS):
        fail(function, code, 2)
        for register in (CALLS[function], Watcher):
            with pytest.raises(NetioError, match="Network Store Interface service") as caught:
                register()
            assert (caught.value.code, caught.value.errno) == (code, errno.ECONNREFUSED)


# ---- the system's text


@pytest.mark.parametrize("code", [2, 5, 8, 50, 87, 1168, 1231])
def test_error_text_is_the_text_of_the_system(code: int) -> None:
    text = ctypes.FormatError(code).strip().rstrip(".")
    assert text
    said = str(NetioError(code, "GetIpForwardTable2"))
    assert said.startswith(f"GetIpForwardTable2: {text} (error {code})"), said


@pytest.mark.parametrize("code", [0x20000001, 77777, 0xFFFFFFFE])
def test_error_code_without_a_text_is_unknown(code: int) -> None:
    assert str(NetioError(code, "GetTeredoPort")) == f"GetTeredoPort: unknown (error {code})"
    fail("GetTeredoPort", code, 1)
    with pytest.raises(NetioError, match=rf"GetTeredoPort: unknown \(error {code}\)$") as caught:
        netioapi.get_teredo_port()
    assert caught.value.code == code


def test_failed_functions_do_not_disturb_live_registrations(collector: Collector) -> None:
    with ROUTE.notify(collector):
        for function in CALLS:
            fail(function, 8, 1)
            with pytest.raises(NetioError):
                CALLS[function]()
        ROUTE.put(route_row(9))
        collector.wait_any(lambda row, _: row.metric == 9)

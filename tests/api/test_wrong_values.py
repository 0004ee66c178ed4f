# SPDX-License-Identifier: MIT
"""Every public callable, every method of every type and every private constructor with values that
are wrong, huge, negative or no numbers: TypeError, ValueError, LookupError or NetioError. No
SystemError, no OverflowError, no hang."""

from __future__ import annotations

import copyreg
import os
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import netioapi
from netioapi import NetioError, Watcher, _native
from tests.support.network import Network
from tests.support.platforms import linux_only

ALLOWED = (TypeError, ValueError, LookupError, AttributeError, NetioError)
HUGE = 10**400


class Index:
    def __init__(self, number: int) -> None:
        self._number = number

    def __index__(self) -> int:
        return self._number

    def __float__(self) -> float:
        return float(self._number)

    def __repr__(self) -> str:
        return f"Index({self._number})"


VALUES: list[Any] = [
    *(None, True, -1, 0, 2**15, 2**31 - 1, 2**31, 2**32, 2**63 - 1, 2**63, 2**64, HUGE),
    *(-(2**31) - 1, -(2**63) - 1, -HUGE, Index(HUGE), Index(-HUGE), Index(-1)),
    *(0.5, -0.5, float("nan"), float("inf"), float("-inf"), 1e308, 1j),
    *("", "x", "a\0b", "\udc80", "10.0.0.0/8", "::1", "10.0.0.1", "lo", b"", b"\0", b"x" * 4),
    *((), [], [None], {}, (4, 8, b"1"), object(), type, Ellipsis, range(3), slice(None), len),
]
# It replaces the package's enums.
REPLACES = {"_register_enums"}
# These wait, or end what the other tests of the process use.
WAITS = {
    "read",
    "wait",
    "__aenter__",
    "__next__",
    "__anext__",
    "_read",
    "_read_settled",
    "__exit__",
    "__aexit__",
}
ENDS = {"close", "stop", "cancel", "__del__", "end_poll", "begin_poll"}
# Their errors are those of `object`.
OF_OBJECT = {"__class__", "__init_subclass__", "__getattribute__", "__reduce_ex__"}
OF_OBJECT |= {"__buffer__", "__release_buffer__"}  # CPython's own, from 3.12 on


def check(call: Callable[..., Any], *given: Any, **named: Any) -> None:
    try:
        result = call(*given, **named)
    except ALLOWED:
        return
    if isinstance(result, Watcher) and hasattr(result, "_watch"):
        result.close()
    elif isinstance(result, _native.Watch):
        result.close()
    elif isinstance(result, netioapi.Registration):
        result.cancel()


@pytest.fixture(autouse=True)
def deadline() -> Iterator[None]:
    """A hang ends the process with a traceback: no other thread can interrupt it."""
    import faulthandler

    faulthandler.dump_traceback_later(120, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


def functions() -> list[Any]:
    found = [
        getattr(module, name)
        for module in (netioapi, _native)
        for name in dir(module)
        if name not in REPLACES
    ]
    return [
        one
        for one in dict.fromkeys(one for one in found if callable(one))
        if not isinstance(one, type) or issubclass(one, BaseException)
    ]


def ignore(*_: object) -> None:
    pass


@pytest.mark.parametrize("function", functions(), ids=lambda one: one.__name__)
def test_function_with_a_wrong_value_raises_a_plain_error(
    netns: Network, function: Callable[..., Any]
) -> None:
    check(function)
    names = ("family", "interface", "source", "initial_notification", "details", "on_error")
    for value in VALUES:
        for given in ((), (ignore,), ("127.0.0.1",), ("lo",), (1,)):
            check(function, *given, value)
            check(function, *given, value, value)
            for name in names:
                check(function, *given, **{name: value})


PARAMETERS = {
    "family": 0,
    "tables": None,
    "interfaces": None,
    "prefixes": None,
    "prefix_match": "covered",
    "protocols": None,
    "snapshot": False,
    "settle": 0.0,
    "max_delay": None,
    "queue": 1,
    "receive_buffer": None,
}
NATIVE = {
    "kinds": 7,
    "family": 0,
    "tables": None,
    "interfaces": None,
    "prefixes": None,
    "prefix_match": 0,
    "protocols": None,
    "snapshot": False,
    "queue": 10,
    "receive_buffer": 0,
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_watcher_with_a_wrong_value_raises_a_plain_error(netns: Network, name: str) -> None:
    for value in VALUES:
        check(Watcher, "route", **{name: value})
        check(Watcher, "route", **{name: [value]})
        check(Watcher, "route", **{"settle": 1.0, name: value})


def test_watcher_of_a_wrong_kind_raises_a_plain_error(netns: Network) -> None:
    for value in VALUES:
        check(Watcher, value)
        check(Watcher, "route", value)


@pytest.mark.parametrize("name", NATIVE)
def test_native_watch_with_a_wrong_value_raises_a_plain_error(netns: Network, name: str) -> None:
    for value in VALUES:
        for given in (value, [value], [(4, 8, value)], [(4, value, b"1234")], [(value, 8, b"1")]):
            check(_native.Watch, **{**NATIVE, name: given})
    check(_native.Watch)


@pytest.fixture
def objects(netns: Network) -> Iterator[dict[str, Any]]:
    netns.veth()
    netns.ip("route add 10.1.0.0/16 dev v0")
    routes = netioapi.get_ip_forward_table2()
    addresses = netioapi.get_unicast_ip_address_table()
    registration = netioapi.notify_route_change2(ignore)
    with Watcher(snapshot=True) as watcher, registration:
        batch = watcher.read(60)
        assert batch is not None
        yield {
            "table": routes,
            "route": routes[0],
            "address": addresses[0],
            "interface": netioapi.get_ip_interface_table()[0],
            "batch": batch,
            "change": batch[0],
            "watcher": watcher,
            "watch": watcher._watch,
            "registration": registration,
            "hint": netioapi.get_network_connectivity_hint(),
            "error": NetioError(8, "F"),
        }


def test_method_with_a_wrong_value_raises_a_plain_error(objects: dict[str, Any]) -> None:
    for one in objects.values():
        methods = [name for name in dir(one) if name not in WAITS | ENDS | OF_OBJECT]
        for method in [getattr(one, name, None) for name in methods]:
            if not callable(method):
                continue
            check(method)
            for value in VALUES:
                for given in ((), (one,), (one, 0), ("x", b""), (b"", True), ("route", b"", 2)):
                    check(method, *given, value)
                check(method, value, value, value)
                check(method, *[value] * 5)


def test_read_with_a_wrong_value_raises_a_plain_error(objects: dict[str, Any]) -> None:
    watcher, watch = objects["watcher"], objects["watch"]
    for value in VALUES:
        check(watcher.read, 0, value)
        check(watcher.read, timeout=0, max_changes=value)
        check(watch.read, 0, value)
        if not isinstance(value, (int, float, Index, type(None))):
            check(watcher.read, value)
            check(watch.wait, value)
    for wrong in (-1, -HUGE, Index(-HUGE), float("nan"), float("-inf"), -(2**64)):
        with pytest.raises(ValueError, match="timeout must be a number of seconds"):
            watcher.read(wrong)
        with pytest.raises(ValueError, match="timeout must be a number of seconds"):
            objects["registration"].cancel(timeout=wrong)


def test_read_with_a_huge_timeout_waits_until_it_is_stopped(netns: Network) -> None:
    for timeout in (HUGE, Index(HUGE), 2**64, float("inf"), 1e308):
        for settle in (0.0, 60.0):
            with Watcher("route", settle=settle) as watcher:
                results: list[Any] = []
                reader = threading.Thread(
                    target=lambda: results.append(watcher.read(timeout))  # noqa: B023
                )
                reader.start()
                watcher.stop()
                reader.join(60)
                assert results == [None]


@pytest.mark.parametrize("name", ["settle", "max_delay"])
def test_settle_that_is_infinite_raises_value_error(name: str) -> None:
    for value in (HUGE, 2**1024, float("inf")):
        with pytest.raises(ValueError, match=f"{name} must be finite"):
            Watcher("route", **{"settle": 1.0, name: value})
    for value in (-HUGE, -1, float("nan"), -1e-9):
        with pytest.raises(ValueError, match=f"{name} must be a number of seconds, at least 0"):
            Watcher("route", **{"settle": 1.0, name: value})


def test_table_index_clips_its_bounds_like_a_list(netns: Network) -> None:
    netns.veth()
    for number in range(3):
        netns.ip(f"route add 10.{number}.0.0/16 dev v0")
    table = netioapi.get_ip_forward_table2()
    rows = list(table)
    bounds = [0, 1, -1, len(rows), -len(rows), 2**31, 2**63, -(2**63) - 1, HUGE, -HUGE, sys.maxsize]
    for start in bounds:
        for stop in bounds:
            for row in (rows[0], rows[-1]):
                try:
                    wanted: int | None = rows.index(row, start, stop)
                except ValueError:
                    with pytest.raises(ValueError, match="not in the table"):
                        table.index(row, start, stop)
                    continue
                assert table.index(row, start, stop) == wanted
                assert table.index(row, Index(start), Index(stop)) == wanted
    for wrong in (None, 1.0, "1"):
        with pytest.raises(TypeError):
            table.index(rows[0], wrong)


def test_instance_made_by_hand_is_refused_or_whole(objects: dict[str, Any]) -> None:
    """By each way that Python has to make an instance without the constructor."""
    for one in objects.values():
        kind = type(one)
        for make in (
            kind,
            lambda kind=kind: kind.__new__(kind),
            lambda kind=kind: object.__new__(kind),
            lambda kind=kind: copyreg.__newobj__(kind),  # type: ignore[attr-defined]
            lambda kind=kind: copyreg._reconstructor(kind, object, None),  # type: ignore[attr-defined]
            lambda kind=kind: type("Sub", (kind,), {})(),
            lambda kind=kind: object.__new__(type("Sub", (kind,), {})),
        ):
            check(make)
        for given in ((), (1,), (1, 2, 3, 4, 5)):
            before = repr(one)
            check(one.__init__, *given)
            assert repr(one) == before or isinstance(one, (Watcher, NetioError))


@linux_only("Windows lacks /proc")
def test_wrong_values_leave_no_descriptor(netns: Network) -> None:
    def descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))

    before = descriptors()
    for value in VALUES:
        check(Watcher, "route", queue=value, settle=value)
    assert descriptors() == before

# SPDX-License-Identifier: MIT
"""Wrong arguments to the Notify* functions and to cancel(): each raises the documented exception at
once, and no registration stays active."""

from __future__ import annotations

import gc
import math
import socket
from collections.abc import Callable
from typing import Any

import pytest

import netioapi
from netioapi import InvalidParameterError, NetioError
from tests.support.network import Network

OTHER_SYSTEMS_AF_INET6 = 33 - socket.AF_INET6  # 10 on Linux, 23 on Windows
ROWS: list[Callable[..., Any]] = [
    netioapi.notify_ip_interface_change,
    netioapi.notify_unicast_ip_address_change,
    netioapi.notify_route_change2,
]
STABLE: list[Callable[..., Any]] = [netioapi.notify_stable_unicast_ip_address_table]
PLAIN: list[Callable[..., Any]] = [
    netioapi.notify_teredo_port_change,
    netioapi.notify_network_connectivity_hint_change,
]
HEADER = {
    "notify_ip_interface_change": "NotifyIpInterfaceChange",
    "notify_unicast_ip_address_change": "NotifyUnicastIpAddressChange",
    "notify_route_change2": "NotifyRouteChange2",
    "notify_stable_unicast_ip_address_table": "NotifyStableUnicastIpAddressTable",
}


def name(value: Any) -> str:
    if type(value) is object:
        return "object"  # its repr() has an address, which differs from run to run
    return getattr(value, "__name__", None) or repr(value)


def nothing(*_: Any) -> None:
    pass


@pytest.fixture(autouse=True)
def no_registration_left() -> Any:
    yield
    assert not [o for o in gc.get_objects() if isinstance(o, netioapi.Registration) and o.active]


@pytest.mark.parametrize("function", ROWS + STABLE + PLAIN, ids=name)
@pytest.mark.parametrize("callback", [None, 0, 1.5, "print", b"print", [], {}, object()], ids=name)
def test_callback_not_callable_raises_type_error(
    function: Callable[..., Any], callback: Any
) -> None:
    with pytest.raises(TypeError, match="callback must be callable"):
        function(callback)


@pytest.mark.parametrize("function", ROWS + STABLE + PLAIN, ids=name)
@pytest.mark.parametrize("on_error", [0, "print", [], object()], ids=name)
def test_on_error_not_callable_raises_type_error(
    function: Callable[..., Any], on_error: Any
) -> None:
    with pytest.raises(TypeError, match="on_error must be callable"):
        function(nothing, on_error=on_error)


@pytest.mark.parametrize("function", ROWS + STABLE, ids=name)
@pytest.mark.parametrize(
    "family",
    [1, 3, OTHER_SYSTEMS_AF_INET6, -1, 255, 65536, 65538, 2**16 + 10, 2**31, 2**64, -(2**64), 17],
    ids=int,
)
def test_unknown_family_raises_invalid_parameter(function: Callable[..., Any], family: int) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        function(nothing, family)
    error = caught.value
    assert isinstance(error, NetioError)
    assert isinstance(error, ValueError)
    assert isinstance(error, OSError)
    assert error.code == 87
    assert error.function == HEADER[function.__name__]
    assert "AF_INET6" in str(error)  # the remedy


@pytest.mark.parametrize("function", ROWS + STABLE, ids=name)
@pytest.mark.parametrize("family", [None, "AF_INET", 2.0, b"\x02", [2], object()], ids=name)
def test_family_not_an_integer_raises_type_error(function: Callable[..., Any], family: Any) -> None:
    with pytest.raises(TypeError):
        function(nothing, family=family)


class Unconvertible:
    def __index__(self) -> int:
        raise LookupError

    def __float__(self) -> float:
        raise LookupError

    def __bool__(self) -> bool:
        raise LookupError


@pytest.mark.parametrize("function", ROWS, ids=name)
@pytest.mark.parametrize("argument", ["family", "initial_notification", "details"])
def test_exception_of_an_argument_conversion_propagates(
    function: Callable[..., Any], argument: str
) -> None:
    with pytest.raises(LookupError):
        function(nothing, **{argument: Unconvertible()})


@pytest.mark.parametrize("function", ROWS + STABLE + PLAIN, ids=name)
def test_missing_or_extra_arguments_raise_type_error(function: Callable[..., Any]) -> None:
    with pytest.raises(TypeError):
        function()
    with pytest.raises(TypeError):
        function(nothing, 0, True, None, True, 1)
    with pytest.raises(TypeError):
        function(nothing, callback=nothing)
    with pytest.raises(TypeError):
        function(nothing, no_such_argument=1)


@pytest.mark.parametrize("function", ROWS, ids=name)
def test_switch_passed_by_position_raises_type_error(function: Callable[..., Any]) -> None:
    with pytest.raises(TypeError):
        function(nothing, 0, True)


@pytest.mark.parametrize("function", PLAIN, ids=name)
def test_family_for_teredo_or_hint_raises_type_error(function: Callable[..., Any]) -> None:
    with pytest.raises(TypeError):
        function(nothing, 0)
    with pytest.raises(TypeError):
        function(nothing, family=0)


def test_cancel_of_none_raises_invalid_parameter() -> None:
    with pytest.raises(InvalidParameterError) as caught:
        netioapi.cancel_mib_change_notify2(None)  # type: ignore[arg-type]
    assert (caught.value.code, caught.value.function) == (87, "CancelMibChangeNotify2")


@pytest.mark.parametrize("thing", [0, "", [], object(), nothing, netioapi.Registration], ids=name)
def test_cancel_of_other_objects_raises_type_error(thing: Any) -> None:
    with pytest.raises(TypeError, match="must be a Registration"):
        netioapi.cancel_mib_change_notify2(thing)


@pytest.mark.parametrize("timeout", [-1, -0.001, -math.inf, math.nan, -(10**9)])
def test_negative_or_nan_timeout_raises_value_error(netns: Network, timeout: float) -> None:
    with netioapi.notify_route_change2(nothing) as registration:
        for wait in (True, False):
            with pytest.raises(ValueError, match="timeout must be"):
                registration.cancel(timeout, wait=wait)
        assert registration.active  # a rejected call changes nothing


@pytest.mark.parametrize("timeout", ["1", b"1", [], object(), 1j], ids=name)
def test_timeout_not_a_number_raises_type_error(netns: Network, timeout: Any) -> None:
    with netioapi.notify_route_change2(nothing) as registration:
        with pytest.raises(TypeError, match="timeout must be"):
            registration.cancel(timeout)
        with pytest.raises(LookupError):
            registration.cancel(Unconvertible())  # type: ignore[arg-type]
        assert registration.active


@pytest.mark.parametrize("timeout", [0, 1, 0.5, math.inf, 10**18, True, None])
def test_other_timeouts_are_accepted(netns: Network, timeout: float | None) -> None:
    registration = netioapi.notify_route_change2(nothing)
    try:
        registration.cancel(timeout)
    except TimeoutError:
        assert timeout == 0
    registration.cancel()


def test_cancel_with_wrong_arguments_raises_type_error(netns: Network) -> None:
    with netioapi.notify_route_change2(nothing) as registration:
        wrong: Any = registration
        with pytest.raises(TypeError):
            wrong.cancel(1, True)
        with pytest.raises(TypeError):
            wrong.cancel(block=True)
        with pytest.raises(LookupError):
            wrong.cancel(wait=Unconvertible())
        assert registration.active


def test_registration_cannot_be_created_or_subclassed() -> None:
    for make in (
        netioapi.Registration,
        lambda: object.__new__(netioapi.Registration),
        lambda: type("Sub", (netioapi.Registration,), {}),
    ):
        with pytest.raises(TypeError):
            make()


def test_registration_cannot_be_changed_copied_or_pickled(netns: Network) -> None:
    with netioapi.notify_route_change2(nothing) as registration:
        wrong: Any = registration
        for attribute in ("active", "function", "family", "delivered", "errors", "batches", "new"):
            with pytest.raises(AttributeError):
                setattr(wrong, attribute, 1)
        with pytest.raises(TypeError):
            wrong.__class__.cancel = None
        with pytest.raises(TypeError):
            __import__("copy").copy(wrong)
        with pytest.raises(TypeError):
            __import__("pickle").dumps(wrong)


def test_registration_repr_shows_function_and_state(netns: Network) -> None:
    with netioapi.notify_route_change2(nothing) as registration:
        assert repr(registration) == "<netioapi.Registration NotifyRouteChange2 active delivered=0>"
    assert "cancelled" in repr(registration)

# SPDX-License-Identifier: MIT
"""The parameters of a Watcher: checked, and converted for _native.Watch.

The message of an error names the wrong value and what to pass instead. What only the system knows,
families and existing interfaces, is checked by the extension module.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Iterable

from netioapi._native import NetioError, _seconds_from

TYPE_CHECKING = False  # the name that type checkers know; typing costs time at import
if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
    from typing import TypeVar

    _T = TypeVar("_T")

KINDS = {"interface": 1, "address": 2, "route": 4}  # bits of the native request
PREFIX_MATCHES = {"covered": 0, "exact": 1, "covering": 2}  # the native numbers
TABLES = {"default": 253, "main": 254, "local": 255}
_LARGEST_INT = 2**31 - 1
_LARGEST_LUID = 2**64 - 1


def kinds_from(kinds: tuple[str, ...]) -> int:
    """The bits of the kinds; without any, of all kinds."""
    bits = 0
    for kind in kinds or KINDS:
        if not isinstance(kind, str):
            raise TypeError(
                f"a kind is a str, not {kind!r}: pass each as an argument, like Watcher('route')"
            )
        if kind not in KINDS:
            known = ", ".join(map(repr, reversed(KINDS)))
            raise ValueError(f"unknown kind {kind!r}: use any of {known}, or none for all")
        bits |= KINDS[kind]
    return bits


def _items(values: Iterable[_T] | None, name: str, example: str) -> list[_T] | None:
    if values is None:
        return None
    if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
        raise TypeError(f"{name} must be a list or the like, not {values!r}: {name}=[{example}]")
    items = list(values)
    if not items:
        raise ValueError(f"{name} is empty, so nothing would pass: None stands for all")
    return items


def _number(value: object, name: str, remedy: str, largest: int = 0xFFFFFFFF) -> int:
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{value!r} in {name}: {remedy}") from None
    if not 0 <= number <= largest:
        raise ValueError(f"{value!r} in {name} is not from 0 to {largest}")
    return number


def tables_from(values: Iterable[int | str] | None) -> list[int] | None:
    items = _items(values, "tables", "'main'")
    if items is None:
        return None
    numbers = []
    for item in items:
        if isinstance(item, str):
            if item not in TABLES:
                known = ", ".join(map(repr, TABLES))
                raise ValueError(f"unknown table {item!r}: use its number, or one of {known}")
            item = TABLES[item]
        numbers.append(_number(item, "tables", "a table is an int or a name"))
    if sys.platform == "win32":
        raise NetioError(50, "Watcher", "Windows has one routing table: omit tables")
    return numbers


def interfaces_from(values: Iterable[int | str] | None) -> list[int | str] | None:
    items = _items(values, "interfaces", "'eth0'")
    if items is None:
        return None
    return [
        item
        if isinstance(item, str)
        else _number(
            item,
            "interfaces",
            "an interface is an index (int) or a name (str), or a LUID",
            largest=_LARGEST_LUID,
        )
        for item in items
    ]


def protocols_from(values: Iterable[int] | None) -> list[int] | None:
    items = _items(values, "protocols", "RouteProtocol.BGP")
    if items is None:
        return None
    return [_number(item, "protocols", "use numbers of RouteProtocol") for item in items]


def prefixes_from(
    values: Iterable[str | IPv4Network | IPv6Network | IPv4Address | IPv6Address] | None,
) -> list[tuple[int, int, bytes]] | None:
    items = _items(values, "prefixes", "'10.0.0.0/8'")
    if items is None:
        return None
    import ipaddress  # not at import: few programs filter by prefix

    plain: list[tuple[int, int, bytes]] = []
    for item in items:
        if not isinstance(item, (str, ipaddress.IPv4Network, ipaddress.IPv6Network)):
            if not isinstance(item, (ipaddress.IPv4Address, ipaddress.IPv6Address)):
                raise TypeError(
                    f"{item!r} in prefixes: use a str like '10.0.0.0/8', or an ipaddress network"
                )
        try:
            network = ipaddress.ip_network(item)
        except ValueError as error:
            raise ValueError(f"{item!r} in prefixes: {_remedy(item, error)}") from None
        plain.append((network.version, network.prefixlen, network.network_address.packed))
    return plain


def prefix_match_from(value: str) -> int:
    if not isinstance(value, str) or value not in PREFIX_MATCHES:
        known = ", ".join(map(repr, PREFIX_MATCHES))
        error = ValueError if isinstance(value, str) else TypeError
        raise error(f"prefix_match must be one of {known}, not {value!r}")
    return PREFIX_MATCHES[value]


def _remedy(item: object, error: ValueError) -> str:
    import ipaddress

    try:
        network = ipaddress.ip_network(str(item), strict=False)
    except ValueError:
        return f"{error}; use one like '10.0.0.0/8' or '2001:db8::/32'"
    return f"it has host bits set; use '{network}'"


def positive_from(value: object, name: str, unit: str) -> int:
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{name} must be an int, a number of {unit}, not {value!r}") from None
    if number < 1:
        raise ValueError(f"{name} must be at least 1 ({unit}), not {value!r}")
    return min(number, _LARGEST_INT)


def seconds_from(value: float, name: str) -> float:
    seconds = _seconds_from(value, name)
    if seconds == float("inf"):
        raise ValueError(f"{name} must be finite, not {value!r}")
    return seconds

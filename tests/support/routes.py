# SPDX-License-Identifier: MIT
"""Routes by number, for tests that add many of them through the link `v0`."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

from netioapi import NotificationType
from tests.support.network import Network


def route(number: int) -> str:
    return f"198.18.{number // 256}.{number % 256}/32"


def add_routes(netns: Network, numbers: range) -> None:
    netns.batch("\n".join(f"route add {route(number)} dev v0" for number in numbers))


def delete_routes(netns: Network, numbers: range) -> None:
    netns.batch("\n".join(f"route del {route(number)} dev v0" for number in numbers))


def is_route(number: int, type: int | None = None) -> Callable[[Any, Any], bool]:
    """A predicate: is the change about that route, of that type or any?"""
    prefix = ip_network(route(number))

    def check(row: Any, seen: NotificationType) -> bool:
        return row is not None and row.destination_prefix == prefix and type in (None, seen)

    return check

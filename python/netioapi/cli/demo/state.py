# SPDX-License-Identifier: MIT
"""A copy of the kernel's state, built from reported changes alone."""

from __future__ import annotations

import socket
from collections import Counter
from typing import Any

import netioapi

Facts = set[tuple[Any, ...]]


class State:
    """The current rows, by kind and key."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[bytes, Any]] = {"route": {}, "address": {}, "interface": {}}
        self.changes = 0
        self.overflows = 0

    def apply(self, change: netioapi.Change) -> None:
        rows, row = self.rows[change.kind], change.row
        self.changes += 1
        if change.type == netioapi.NotificationType.DELETE:
            rows.pop(row.key, None)
        else:
            rows[row.key] = row

    def count_routes(self, family: int, index: int) -> int:
        return sum(
            1
            for row in self.rows["route"].values()
            if row.family == family and row.interface_index == index
        )

    def facts(self) -> Facts:
        """The state in the form of oracle.facts()."""
        found: Facts = {_route(row) for row in self.rows["route"].values()}
        found |= {_address(row) for row in self.rows["address"].values()}
        return found | {_interface(row) for row in self.rows["interface"].values()}

    def sizes(self) -> Counter[str]:
        """The number of routes, addresses and links."""
        links = {row.interface_index for row in self.rows["interface"].values()}
        return Counter(
            routes=len(self.rows["route"]),
            addresses=len(self.rows["address"]),
            links=len(links),
        )


def _route(row: Any) -> tuple[Any, ...]:
    return (
        "route",
        row.table,
        row.tos,
        row.metric,
        str(row.destination_prefix),
        row.interface_index,
        str(row.next_hop),
        row.type.name,
        row.weight,
    )


def _address(row: Any) -> tuple[Any, ...]:
    text = f"{row.address}/{row.on_link_prefix_length}"
    return ("address", row.interface_index, text, row.flags)


def _interface(row: Any) -> tuple[Any, ...]:
    family = "ipv4" if row.family == socket.AF_INET else "ipv6"
    return ("interface", family, row.interface_index, row.interface_name, row.connected)

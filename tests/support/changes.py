# SPDX-License-Identifier: MIT
"""Changes of a Watcher: reading them, recognising one, and applying them to a state."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable
from ipaddress import ip_network
from typing import Any

import netioapi
from netioapi import Change, NotificationType, Watcher

ADD, DELETE = NotificationType.ADD, NotificationType.DELETE
State = dict[tuple[str, bytes], Any]


def read_until(
    watcher: Watcher, *wanted: Callable[[Change], bool], timeout: float = 60
) -> list[Change]:
    """Reads until each predicate was true of some change; all changes read, to the end of that
    batch."""
    deadline = time.monotonic() + timeout
    changes: list[Change] = []
    while not all(any(map(found, changes)) for found in wanted):
        batch = watcher.read(timeout=max(deadline - time.monotonic(), 0))
        assert batch is not None, f"not within {timeout} s: {changes[-20:]}"
        changes += batch
    return changes


def route_to(prefix: str, type: NotificationType = ADD) -> Callable[[Change], bool]:
    """A predicate: is the change about a route to `prefix`, of this type?"""
    return lambda c: (
        c.kind == "route" and c.type == type and c.row.destination_prefix == ip_network(prefix)
    )


def read_snapshot(watcher: Watcher) -> list[Change]:
    changes: list[Change] = []
    while True:
        batch = watcher.read(timeout=60)
        assert batch is not None, changes
        changes += batch
        if batch.synced:
            return changes


def apply(state: State, changes: Iterable[Change]) -> None:
    """Applies the changes to a state; each must fit the state that it meets."""
    for change in changes:
        key = (change.kind, change.row.key)
        assert (change.type == ADD) == (key not in state), change
        assert not change.initial or change.type == ADD, change
        if change.type == DELETE:
            del state[key]
        else:
            state[key] = change.row


def tables(family: int = socket.AF_UNSPEC) -> State:
    """The state according to the Get functions, as a Watcher without parameters sees it."""
    found: dict[str, Iterable[Any]] = {
        "route": netioapi.get_ip_forward_table2(family),
        "address": netioapi.get_unicast_ip_address_table(family),
        "interface": netioapi.get_ip_interface_table(family),
    }
    return {(kind, row.key): row for kind, rows in found.items() for row in rows}

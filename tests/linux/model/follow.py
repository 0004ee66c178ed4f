# SPDX-License-Identifier: MIT
"""Followers: each rebuilds a state from delivered changes alone, and must arrive at the truth.

A follower also compares each change with its state before it: an ADD of an existing thing, or a
DELETE or PARAMETER of a missing one, is an error, even if the final state is right.
"""

from __future__ import annotations

import queue
import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, NamedTuple, Self

import netioapi

from .oracle import (
    ADDRESS_MASK,
    DEAD,
    FOREVER,
    LINK_MASK,
    LINKDOWN,
    LOCAL,
    OFFLOAD,
    ONLINK,
    PERMANENT,
    Key,
    Record,
    Truth,
    encapsulation_in,
    look,
    plain,
    truth_of,
)

KINDS = ("route", "address", "interface")
ADD, DELETE = netioapi.NotificationType.ADD, netioapi.NotificationType.DELETE
PARAMETER = netioapi.NotificationType.PARAMETER


def route(row: Any) -> tuple[Key, Record]:
    assert not row.flags & DEAD, row
    prefix = row.destination_prefix
    hop = plain(row.next_hop)
    assert row.onlink == bool(row.flags & ONLINK), row
    assert row.linkdown == bool(row.flags & LINKDOWN), row
    assert row.offload == bool(row.flags & OFFLOAD), row
    assert not row.dead, row
    encapsulation = encapsulation_in(row.encapsulation)
    return (
        *(row.table, row.tos, row.metric, prefix, row.interface_index, hop),
        *(row.source_prefix, int(row.type), row.kernel_protocol, encapsulation),
    ), {
        "type": int(row.type),
        "protocol": row.kernel_protocol,
        "prefsrc": plain(row.preferred_source),
        "weight": row.weight,
        "nhid": row.nexthop_id or 0,
        "flags": row.flags & (ONLINK | LINKDOWN | OFFLOAD),
        "scope": row.scope,
        "preference": int(row.preference or 0),
        "route_mtu": row.route_mtu or 0,
        "instances": row.instances,
    }


def address(row: Any) -> tuple[Key, Record]:
    local, peer = plain(row.address), plain(row.peer)
    return (row.interface_index, local, row.on_link_prefix_length, peer), {
        "flags": row.flags & (ADDRESS_MASK | PERMANENT),
        "valid_forever": row.valid_lifetime == FOREVER,
        "preferred_forever": row.preferred_lifetime == FOREVER,
        "label": row.label,
        "scope": row.scope,
        "broadcast": plain(row.broadcast),
    }


def interface(row: Any) -> tuple[Key, Record]:
    family = {socket.AF_INET: 4, socket.AF_INET6: 6}[row.family]
    return (family, row.interface_index), {
        "name": row.interface_name,
        "flags": row.flags & LINK_MASK,
        "connected": row.connected,
        "master": row.master or 0,
        "master_name": row.master_name,
        "hardware_address": row.hardware_address or "",
        "link_kind": row.link_kind,
        "alternative_names": tuple(sorted(row.alternative_names or ())),
        "mtu": row.nl_mtu,
        "forwarding": row.forwarding_enabled,
    }


RECORD = {"route": route, "address": address, "interface": interface}


class Report(NamedTuple):
    """One delivered change. `before`: the interface's name in the row before, if there was one."""

    kind: str
    type: int
    key: Key
    index: int
    name: str | None
    mark: str
    before: str | None


def right(kind: str, records: list[Record]) -> list[Record]:
    """What a row may be where the kernel has these records of one key."""
    if kind != "route":
        return records
    return [{**records[0], "instances": len(records)}]


def differences(
    state: dict[str, dict[Key, Record]],
    truth: Truth,
    *,
    concerns: Callable[[str, Key], bool] = lambda *_: True,
) -> list[str]:
    """`concerns`: whether the state should contain the thing, by its kind and key."""
    found = []
    for kind in KINDS:
        want, have = truth_of(kind, truth), state[kind]
        want = {key: value for key, value in want.items() if concerns(kind, key)}
        found += [f"{kind} {k}: missing; the kernel has {want[k]}" for k in want.keys() - have]
        found += [
            f"{kind} {k}: the kernel has it not: {have[k]}"
            for k in have.keys() - want
            if kind != "route" or not truth.may_hide(k, have[k])
        ]
        found += [
            f"{kind} {k}: {have[k]}; the kernel has {want[k]}"
            for k in want.keys() & have
            if have[k] not in right(kind, want[k])
        ]
    return sorted(found)


class Follower:
    """The common part of both followers. `without`: tables that are not delivered to this one;
    `within`: the only prefixes that are, if any."""

    without: frozenset[int] = frozenset()
    within: Sequence[IPv4Network | IPv6Network] = ()
    label = "the follower"

    def __init__(self) -> None:
        self.state: dict[str, dict[Key, Record]] = {kind: {} for kind in KINDS}
        self.wrong: list[str] = []
        self.log: list[str] = []
        self.counts: Counter[str] = Counter()
        self.deleted: list[tuple[str, Key, Record]] = []
        self._identities: dict[Any, Any] = {}  # row.key <-> our key, one to one
        self.reports: list[Report] | None = None  # a list: they are wanted (checks.py)
        self._names: dict[tuple[str, Key], str | None] = {}

    def concerns(self, kind: str, key: Key) -> bool:
        if kind == "route" and key[0] in self.without:
            return False
        if kind == "interface" or not self.within:
            return True
        wanted = key[3] if kind == "route" else ip_network(key[1])
        return any(wanted.version == one.version and wanted.subnet_of(one) for one in self.within)

    def apply(self, kind: str, type_: int, row: Any, mark: str = "") -> None:
        key, record = RECORD[kind](row)
        name = netioapi.NotificationType(type_).name
        self.log.append(f"{name}{mark} {kind} {key} {record}")
        self.counts[f"{name}{mark} {kind}"] += 1
        state = self.state[kind]
        ours, theirs = (kind, key), (kind, row.key)
        overlaps = self.overlaps(type_, ours)
        if (
            self._identities.setdefault(ours, theirs) != theirs
            or self._identities.setdefault(theirs, ours) != ours
        ):
            self.wrong.append(f"{self.log[-1]}: its identity {theirs} is another's")
        if (key in state) != (type_ != ADD) and not overlaps:
            self.wrong.append(f"{self.log[-1]}, but before it: {state.get(key)}")
        before = self._names.get(ours) if key in state else None
        self._names[ours] = self.report(
            Report(kind, type_, key, row.interface_index, row.interface_name, mark, before)
        )
        if type_ == DELETE:
            self.deleted.append((kind, key, state.pop(key, record)))
        else:
            state[key] = record

    def report(self, one: Report) -> str | None:
        if self.reports is not None:
            self.reports.append(one)
        return one.name

    def overlaps(self, type_: int, ours: tuple[str, Key]) -> bool:
        """Can the change be older than the state that this follower began with?"""
        return False

    def take(self, timeout: float) -> bool:
        """Applies the changes that have arrived, or else the first that arrives in time. False:
        none."""
        raise NotImplementedError

    def settle(self, timeout: float = 40) -> Truth:
        """Applies changes until the state equals the truth."""
        deadline = time.monotonic() + timeout
        while True:
            while self.take(0):
                pass
            truth = self.look()
            wrong = differences(self.state, truth, concerns=self.concerns) + self.unsettled()
            if not wrong:
                break
            if time.monotonic() > deadline:
                text = "\n  ".join(wrong)
                raise AssertionError(
                    f"{self.label}: not equal in {timeout} s:\n  {text}{self._last()}"
                )
            self.take(0.05)
        wrong = "\n  ".join(self.wrong)
        assert not wrong, f"{self.label}: changes that do not follow:\n  {wrong}{self._last()}"
        return truth

    def look(self) -> Truth:
        return look()

    def unsettled(self) -> list[str]:
        """What else has not come yet."""
        return []

    def _last(self) -> str:
        return "\nlast changes:\n  " + "\n  ".join(self.log[-40:])

    def close(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class WatcherFollower(Follower):
    """The high layer: a Watcher, with a snapshot of everything. `reads_in`: where its changes are
    read; by default, where it was made."""

    def __init__(
        self,
        tables: list[int] | None = None,
        prefixes: list[str] | None = None,
        reads_in: AbstractContextManager[Any] | None = None,
        **options: Any,
    ) -> None:
        super().__init__()
        self._reads_in = reads_in or nullcontext()
        if tables is None:
            self.without = frozenset({LOCAL})
        self.within = list(map(ip_network, prefixes or ()))
        self.watcher = netioapi.Watcher(
            *KINDS, tables=tables, prefixes=prefixes, snapshot=True, **options
        )
        self.overflows = 0
        self.synced = False

    def take(self, timeout: float) -> bool:
        with self._reads_in:
            batch = self.watcher.read(timeout=timeout)
            if batch is None:
                return False
            if batch.overflow:
                self.overflows += 1
                self.synced = False
            for change in batch:
                self.change(change)
            self.synced = self.synced or batch.synced
            return True

    def change(self, change: Any) -> None:
        mark = " (initial)" if change.initial else " (found)" if change.synthesized else ""
        self.apply(str(change.kind), change.type, change.row, mark)

    def close(self) -> None:
        self.watcher.close()


class CallbackFollower(Follower):
    """The low layer: the tables at the start, then the changes of the three callbacks."""

    without = frozenset({LOCAL})

    def __init__(self) -> None:
        super().__init__()
        self._arrived: queue.SimpleQueue[tuple[str, int, Any]] = queue.SimpleQueue()
        self.failures: list[BaseException] = []
        self._shown: set[tuple[str, Key]] = set()  # in a table, and in no change yet

        def into(kind: str) -> Any:
            return lambda row, type_: self._arrived.put((kind, type_, row))

        failed = self.failures.append
        self.registrations = [
            netioapi.notify_route_change2(into("route"), on_error=failed),
            netioapi.notify_unicast_ip_address_change(into("address"), on_error=failed),
            netioapi.notify_ip_interface_change(into("interface"), on_error=failed),
        ]
        tables = {
            "route": netioapi.get_ip_forward_table2(),
            "address": netioapi.get_unicast_ip_address_table(),
            "interface": netioapi.get_ip_interface_table(),
        }
        for kind, table in tables.items():
            for row in table:
                self.apply(kind, ADD, row, " (table)")
                self._shown.add((kind, RECORD[kind](row)[0]))

    def report(self, one: Report) -> str | None:
        if self.reports is not None:
            self.reports.append(one)
        return one.name

    def overlaps(self, type_: int, ours: tuple[str, Key]) -> bool:
        """Between the registration and the tables, an addition may be in a table as well, and a
        change may concern a thing that was gone from it."""
        shown = ours in self._shown
        self._shown.discard(ours)
        return shown if type_ == ADD else ours not in self._identities

    def take(self, timeout: float) -> bool:
        assert not self.failures, self.failures
        try:
            self.apply(*self._arrived.get(timeout > 0, timeout or None))
        except queue.Empty:
            return False
        return True

    def close(self) -> None:
        for registration in self.registrations:
            registration.cancel()


def settle(followers: Sequence[Follower]) -> Truth:
    """Brings all of them to the truth."""
    for follower in followers:
        truth = follower.settle()
    return truth


def quiet(followers: Sequence[Follower], timeout: float = 0.2) -> Truth:
    """Waits until no more changes come, so that no wrong one is on its way; all are at the
    truth."""
    while any([follower.take(timeout if n == 0 else 0) for n, follower in enumerate(followers)]):
        pass
    return settle(followers)

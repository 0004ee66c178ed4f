# SPDX-License-Identifier: MIT
"""Readers of a stream of route events, each used as its documentation shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from benchmarks.programs import protocol
from benchmarks.programs.protocol import FAMILIES, report, report_done
from netioapi import Watcher

if TYPE_CHECKING:
    from netioapi import Batch


def _read(family: int, count: int, phases: int, use: Callable[[Batch], int]) -> None:
    with Watcher("route", family=FAMILIES[family]) as watcher:
        report("ready")
        for _ in range(phases):
            seen = overflows = 0
            while seen < count and (batch := watcher.read()) is not None:
                seen += use(batch)
                overflows += batch.overflow
            report_done(events=seen, overflows=overflows)


def columns(family: int, count: int, phases: int) -> None:
    """The rows of each batch as one block of memory."""
    _read(family, count, phases, lambda batch: len(memoryview(batch.routes)))


def objects(family: int, count: int, phases: int) -> None:
    """Each change as an object: its type and two numbers of its row."""

    def use(batch: Batch) -> int:
        for change in batch:
            row = change.row
            _ = change.type, row.interface_index, row.metric
        return len(batch)

    _read(family, count, phases, use)


def addresses(family: int, count: int, phases: int) -> None:
    """Each change as an object: prefix and next hop, as objects of `ipaddress`, and interface."""

    def use(batch: Batch) -> int:
        for change in batch:
            row = change.row
            _ = row.destination_prefix, row.next_hop, row.interface_index
        return len(batch)

    _read(family, count, phases, use)


def pyroute2(family: int, count: int, phases: int) -> None:
    """pyroute2's IPRoute.get()."""
    wanted = {"RTM_NEWROUTE", "RTM_DELROUTE"}
    length = protocol.PREFIX_LENGTHS[family]
    with protocol.pyroute2().IPRoute() as kernel:
        kernel.bind(groups=protocol.ROUTE_GROUPS[family])
        report("ready")
        for _ in range(phases):
            seen = 0
            while seen < count:
                for message in kernel.get():
                    seen += message["event"] in wanted and message["dst_len"] == length
            report_done(events=seen, overflows=0)

# SPDX-License-Identifier: MIT
"""Readers of a stream of route events, each as its documentation has it used."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.workers.lines import FAMILIES, done, imported, say
from netioapi import Watcher
from netioapi.batch import Batch

GROUPS = {4: 0x40, 6: 0x400}  # RTMGRP_IPV4_ROUTE, RTMGRP_IPV6_ROUTE
PREFIX_LENGTHS = {4: 24, 6: 48}  # the producer's


def _read(family: int, count: int, phases: int, use: Callable[[Batch], int]) -> None:
    with Watcher("route", family=FAMILIES[family]) as watcher:
        say("ready")
        for _ in range(phases):
            seen = overflows = 0
            while seen < count and (batch := watcher.read()) is not None:
                seen += use(batch)
                overflows += batch.overflow
            done(events=seen, overflows=overflows)


def columns(family: int, count: int, phases: int) -> None:
    """The rows of each batch as one block of memory."""

    def use(batch: Batch) -> int:
        return len(memoryview(batch.routes))

    _read(family, count, phases, use)


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
    library = imported("pyroute2", "pip install '.[bench]'")
    wanted = {"RTM_NEWROUTE", "RTM_DELROUTE"}
    with library.IPRoute() as kernel:
        kernel.bind(groups=GROUPS[family])
        say("ready")
        for _ in range(phases):
            seen = 0
            while seen < count:
                for message in kernel.get():
                    seen += (
                        message["event"] in wanted and message["dst_len"] == PREFIX_LENGTHS[family]
                    )
            done(events=seen, overflows=0)

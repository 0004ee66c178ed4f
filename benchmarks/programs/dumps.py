# SPDX-License-Identifier: MIT
"""Readers of the whole table of routes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from benchmarks.kernel import forget_peak, memory, peak_memory
from benchmarks.programs import protocol
from benchmarks.programs.protocol import FAMILIES, report
from netioapi import Watcher, get_ip_forward_table2


def _measured(make: Callable[[], Any]) -> Any:
    forget_peak()
    before = memory()
    cpu, wall = time.process_time_ns(), time.monotonic_ns()
    made = make()
    cpu, wall = time.process_time_ns() - cpu, time.monotonic_ns() - wall
    grown, kept = peak_memory() - before, memory() - before
    report("done", cpu_ns=cpu, wall_ns=wall, grown=grown, kept=kept)
    return made


def table(family: int) -> None:
    _measured(lambda: get_ip_forward_table2(FAMILIES[family]))


def mirror(family: int) -> None:
    """A Watcher that has read the table, before any change: its memory is the mirror's."""
    _measured(lambda: Watcher("route", family=FAMILIES[family])).close()


def pyroute2(family: int) -> None:
    with protocol.pyroute2().IPRoute() as kernel:
        _measured(lambda: list(kernel.get_routes(family=FAMILIES[family])))

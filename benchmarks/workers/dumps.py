# SPDX-License-Identifier: MIT
"""Readers of the whole table of routes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from benchmarks.kernel import forget_peak, memory, peak_memory
from benchmarks.workers.lines import FAMILIES, imported, say
from netioapi import Watcher, get_ip_forward_table2


def _measured(make: Callable[[], Any], rows: Callable[[Any], int]) -> None:
    forget_peak()
    before = memory()
    cpu, wall = time.process_time_ns(), time.monotonic_ns()
    made = make()
    cpu, wall = time.process_time_ns() - cpu, time.monotonic_ns() - wall
    grown, kept = peak_memory() - before, memory() - before
    say("done", rows=rows(made), cpu_ns=cpu, wall_ns=wall, grown=grown, kept=kept)


def table(family: int) -> None:
    _measured(lambda: get_ip_forward_table2(FAMILIES[family]), len)


def mirror(family: int) -> None:
    """A Watcher that has read the table, before any change: its memory is the mirror's."""

    def rows(watcher: Watcher) -> int:
        watcher.close()
        return 0  # it does not say

    _measured(lambda: Watcher("route", family=FAMILIES[family]), rows)


def pyroute2(family: int) -> None:
    library = imported("pyroute2", "pip install '.[bench]'")
    with library.IPRoute() as kernel:
        _measured(lambda: list(kernel.get_routes(family=FAMILIES[family])), len)

# SPDX-License-Identifier: MIT
"""A callback for each route event, with a main thread that waits or computes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from benchmarks.kernel import thread_cpu_ns
from benchmarks.programs.protocol import FAMILIES, report, report_done
from netioapi import IpForwardRow, NotificationType, notify_route_change2


def _call(family: int, count: int, phases: int, wait: Callable[[threading.Event], object]) -> None:
    seen = 0
    at_end = {}
    finished = threading.Event()
    main = threading.get_native_id()

    def changed(row: IpForwardRow, what: NotificationType) -> None:
        nonlocal seen
        seen += 1
        if seen == count:
            at_end["cpu_ns"] = time.process_time_ns()
            at_end["main_ns"] = thread_cpu_ns(main)
            at_end["now_ns"] = time.monotonic_ns()
            finished.set()

    with notify_route_change2(changed, FAMILIES[family]):
        report("ready")
        for _ in range(phases):
            wait(finished)
            finished.clear()
            events, seen = seen, 0
            report_done(events=events, overflows=0, **at_end)


def idle(family: int, count: int, phases: int) -> None:
    _call(family, count, phases, threading.Event.wait)


def busy(family: int, count: int, phases: int) -> None:
    """The main thread's own time is not counted: the scenario subtracts `main_ns`."""

    def compute(finished: threading.Event) -> None:
        number = 0
        while not finished.is_set():
            for _ in range(1000):
                number = number * 3 % 1_000_003 + 1

    _call(family, count, phases, compute)

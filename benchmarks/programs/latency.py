# SPDX-License-Identifier: MIT
"""When each event arrives at Python code, while nothing else happens."""

from __future__ import annotations

import threading
import time

from benchmarks.programs.protocol import FAMILIES, report, report_done
from netioapi import IpForwardRow, NotificationType, Watcher, notify_route_change2


def callback(family: int, count: int) -> None:
    stamps: list[int] = []
    finished = threading.Event()

    def changed(row: IpForwardRow, what: NotificationType) -> None:
        stamps.append(time.monotonic_ns())
        if len(stamps) == count:
            finished.set()

    with notify_route_change2(changed, FAMILIES[family]):
        report("ready")
        finished.wait()
    report_done(stamps=stamps)


def watcher(family: int, count: int) -> None:
    stamps: list[int] = []
    with Watcher("route", family=FAMILIES[family]) as watcher:
        report("ready")
        while len(stamps) < count and (batch := watcher.read()) is not None:
            stamps += [time.monotonic_ns()] * len(batch)
    report_done(stamps=stamps)

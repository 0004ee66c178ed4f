# SPDX-License-Identifier: MIT
"""When each event arrives at Python code, on a machine that does nothing else."""

from __future__ import annotations

import threading
import time

from benchmarks.workers.lines import FAMILIES, done, say
from netioapi import IpForwardRow, NotificationType, Watcher, notify_route_change2


def callback(family: int, count: int) -> None:
    stamps: list[int] = []
    finished = threading.Event()

    def changed(row: IpForwardRow, what: NotificationType) -> None:
        stamps.append(time.monotonic_ns())
        if len(stamps) == count:
            finished.set()

    with notify_route_change2(changed, FAMILIES[family]):
        say("ready")
        finished.wait()
    done(stamps=stamps)


def watcher(family: int, count: int) -> None:
    stamps: list[int] = []
    with Watcher("route", family=FAMILIES[family]) as watcher:
        say("ready")
        while len(stamps) < count and (batch := watcher.read()) is not None:
            stamps += [time.monotonic_ns()] * len(batch)
    done(stamps=stamps)

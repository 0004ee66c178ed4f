# SPDX-License-Identifier: MIT
"""A program that keeps an exact copy of the routes, and reports when it was exact."""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable

from benchmarks.kernel import forget_peak, memory, peak_memory
from benchmarks.programs.protocol import FAMILIES, report
from netioapi import NotificationType, Watcher, get_ip_forward_table2

LOCAL = 255  # the table that a Watcher leaves out
HOLD = 0.3  # seconds


def _loop(stop: threading.Event) -> None:
    number = 0
    while not stop.is_set():
        for _ in range(1000):
            number = number * 3 % 1_000_003 + 1


def _hog(stop: threading.Event) -> None:
    """Computes in C, 0.3 s at a time, and holds the GIL meanwhile."""
    size, took = 1_000_000, 0.0
    while took < HOLD / 10:
        size *= 2
        began = time.perf_counter()
        sum(range(size))
        took = time.perf_counter() - began
    size = int(size * HOLD / took)
    while not stop.is_set():
        sum(range(size))


# What another thread does meanwhile.
DISTURBANCES: list[Callable[[threading.Event], None]] = [lambda _: None, _loop, _hog]


class Copy:
    def __init__(self, watcher: Watcher, pause: float) -> None:
        self._watcher = watcher
        self._pause = pause
        self.keys: set[bytes] = set()
        self.repairing = False
        self.forget_counts()

    def forget_counts(self) -> None:
        self.changes = self.batches = self.overflows = self.syncs = 0
        self.exact_ns = 0  # when the latest change was applied

    def apply(self) -> None:
        """Read and apply the batch that is there, if any."""
        batch = self._watcher.read(timeout=0)
        if batch is None:
            return
        delete = NotificationType.DELETE
        keys = self.keys
        for change in batch:
            if change.type is delete:
                keys.discard(change.row.key)
            else:
                keys.add(change.row.key)
        self.changes += len(batch)
        self.batches += 1
        self.overflows += batch.overflow
        self.syncs += batch.synced
        self.repairing = (self.repairing or batch.overflow) and not batch.synced
        self.exact_ns = time.monotonic_ns()
        if self._pause:
            time.sleep(self._pause)  # the work of a slow consumer


def follow(family: int, queue: int, receive_buffer: int, pause_ms: int, disturbance: int) -> None:
    """Reports "ready" with the snapshot. After "compare" it compares its copy with the kernel's
    table, and reports "exact" when both are equal."""
    with Watcher(
        "route",
        family=FAMILIES[family],
        snapshot=True,
        queue=queue,
        receive_buffer=receive_buffer or None,
    ) as watcher:
        copy = Copy(watcher, pause_ms / 1000)
        while not copy.syncs:
            select.select([watcher], [], [])
            copy.apply()
        stop = threading.Event()
        thread = threading.Thread(target=DISTURBANCES[disturbance], args=(stop,))
        thread.start()
        forget_peak()
        before = memory()
        copy.forget_counts()
        report("ready", granted=watcher.stats()["receive_buffer"])
        expected = None
        inputs: list[int | Watcher] = [0, watcher]
        while copy.keys != expected or copy.repairing:
            readable, _, _ = select.select(inputs, [], [])
            if 0 in readable:
                if not os.read(0, 100):
                    break
                stop.set()
                table = get_ip_forward_table2(FAMILIES[family])
                expected = {row.key for row in table if row.table != LOCAL}
                del table
            if watcher in readable:
                copy.apply()
        report(
            "exact",
            exact_ns=copy.exact_ns,
            cpu_ns=time.process_time_ns(),
            changes=copy.changes,
            batches=copy.batches,
            overflows=copy.overflows,
            syncs=copy.syncs,
            grown=peak_memory() - before,
            queue=queue,
            stats=watcher.stats(),
        )
        thread.join()

# SPDX-License-Identifier: MIT
"""Counters and failures, shared by many threads; and the threads that do the work."""

from __future__ import annotations

import random
import threading
import traceback
from collections import Counter
from collections.abc import Callable


class Planned(Exception):
    """The exception that callbacks raise on purpose."""


class Counters:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._failures: list[str] = []

    def add(self, what: str, count: int = 1) -> None:
        with self._lock:
            self._counts[what] += count

    def fail(self, where: str, what: str) -> None:
        with self._lock:
            self._failures.append(f"{where}: {what}")

    @property
    def counts(self) -> dict[str, int]:
        with self._lock:
            return dict(self._counts)

    @property
    def failures(self) -> list[str]:
        with self._lock:
            return list(self._failures)


class Activity(threading.Thread):
    """Works at random until `ending` is set, in the network namespace of the thread that starts
    it."""

    def __init__(
        self, work: Callable[[Activity], None], name: str, seed: str, counters: Counters
    ) -> None:
        super().__init__(name=name, daemon=True)  # so that a hang does not keep the process
        self._work = work
        self.seed, self.counters = f"{seed}/{name}", counters
        self.random = random.Random(self.seed)
        self.ending = threading.Event()

    def run(self) -> None:
        try:
            self._work(self)
        except BaseException:
            self.counters.fail(self.name, traceback.format_exc())

    def pause(self, longest: float) -> bool:
        """Waits for a random time. False: the end has come."""
        return not self.ending.wait(self.random.uniform(0, longest))

    def chance(self, of: float) -> bool:
        return self.random.random() < of

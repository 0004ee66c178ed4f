# SPDX-License-Identifier: MIT
"""The process under test: rounds of worlds and orphans, with a quiet point after each round, where
it must hold as much as before. It writes a line of JSON each second, and the result last."""

from __future__ import annotations

import contextlib
import dataclasses
import faulthandler
import json
import os
import random
import sys
import threading
import time
import warnings
from typing import Any

from tests.linux.namespace import enter_user_namespace

from .counters import Activity, Counters, Planned
from .measure import Measured, grown, measure, measure_quietly
from .orphans import dying_namespaces, forks
from .world import world

LONGEST = 15.0  # seconds of a round
LATE = 180.0  # seconds that the end of a round may take


class Soak:
    def __init__(self, seed: int, seconds: float) -> None:
        self.seed, self.seconds = seed, seconds
        self.counters = Counters()
        self.points: list[Measured] = []
        self.rounds = 0
        self._begun = time.monotonic()

    def report(self, **more: Any) -> None:
        """Writes one line. Ends the process when its reader is gone."""
        now = dataclasses.asdict(measure())
        line = {"seconds": round(time.monotonic() - self._begun, 1), "rounds": self.rounds}
        try:
            print(json.dumps({**line, **now, "counts": self.counters.counts, **more}), flush=True)
        except BrokenPipeError:
            os._exit(1)

    def round(self, seconds: float) -> None:
        chance = random.Random(f"{self.seed}/{self.rounds}")
        works = [*[world] * chance.randint(1, 3), *chance.choices([forks, dying_namespaces], k=2)]
        activities = [
            Activity(work, f"{self.rounds}.{number} {work.__name__}", str(self.seed), self.counters)
            for number, work in enumerate(works)
        ]
        faulthandler.dump_traceback_later(seconds + LATE + 60, exit=True)
        for activity in activities:
            activity.start()
        self._wait(activities, seconds)
        for activity in activities:
            activity.ending.set()
        self._wait(activities, LATE)
        if late := [
            activity.name for activity in threading.enumerate() if isinstance(activity, Activity)
        ]:
            faulthandler.dump_traceback(all_threads=True)
            self.counters.fail("hang", f"still running after {LATE:.0f} s: {', '.join(late)}")
        faulthandler.cancel_dump_traceback_later()
        self.rounds += 1

    def _wait(self, activities: list[Activity], seconds: float) -> None:
        """Waits until that time, or until all have ended."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            alive = [activity for activity in activities if activity.is_alive()]
            if not alive or (self.counters.failures and not alive[0].ending.is_set()):
                return
            alive[0].join(min(left, 1.0))
            self.report()

    def rest(self) -> None:
        """The quiet point: exactly as many threads and descriptors as before."""
        first, deadline, pause = self.points[0], time.monotonic() + 10, threading.Event()
        while True:
            now = measure_quietly()
            same = (now.threads, now.descriptors) == (first.threads, first.descriptors)
            if same or time.monotonic() > deadline:
                break
            pause.wait(0.05)
        self.points.append(now)
        if not same:
            self.counters.fail(
                f"after round {self.rounds}",
                f"{now.threads} threads and {now.descriptors} descriptors, where there were "
                f"{first.threads} and {first.descriptors}",
            )

    @staticmethod
    def fill_what_never_shrinks() -> None:
        """CPython's table of interned strings counts dead ones until it is rebuilt, and may then
        double once, by 1 MB, which would look like a leak."""
        for number in range(100_000):
            sys.intern(f"interned {number}")

    def run(self) -> list[str]:
        self.fill_what_never_shrinks()
        self.points.append(measure_quietly())
        self.round(1)  # so that everything made once exists
        self.rest()
        end, chance = time.monotonic() + self.seconds, random.Random(self.seed)
        while (left := end - time.monotonic()) > 0 and not self.counters.failures:
            self.round(min(chance.uniform(1, min(LONGEST, self.seconds / 8)), left))
            if not self.counters.failures:
                self.rest()
        return self.counters.failures or grown(self.points[2:])


def main() -> None:
    seed, seconds = int(sys.argv[1]), float(sys.argv[2])
    faulthandler.enable()
    enter_user_namespace()
    warnings.simplefilter("ignore", ResourceWarning)  # from dropped watchers
    warnings.simplefilter("ignore", DeprecationWarning)  # from fork() with threads
    soak = Soak(seed, seconds)

    def unraisable(found: sys.UnraisableHookArgs) -> None:
        if isinstance(found.exc_value, Planned):
            soak.counters.add("raised")
        else:
            soak.counters.fail("unraisable", f"{found.exc_value!r} in {found.object!r}")

    sys.unraisablehook = unraisable
    failures = soak.run()
    points = [dataclasses.asdict(point) for point in soak.points]
    soak.report(failures=failures, points=points)
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.flush()
    if any(failure.startswith("hang") for failure in failures):
        os._exit(1)  # the hanging threads would keep it


if __name__ == "__main__":
    main()

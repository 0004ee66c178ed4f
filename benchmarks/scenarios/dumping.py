# SPDX-License-Identifier: MIT
"""Reading a whole table of routes."""

from __future__ import annotations

import contextlib
import resource
import subprocess
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.bench import Bench, Subject
from benchmarks.namespace import Namespace
from benchmarks.process import run


@contextlib.contextmanager
def filled(bench: Bench, family: int, routes: int) -> Iterator[None]:
    """The table, for all that read it."""
    with bench.changing() as namespace:
        namespace.produce("add", family, routes)
        yield
        namespace.produce("del", family, routes)


def measure(bench: Bench, subject: Subject, family: int, routes: int) -> dict[str, Any]:
    namespace = bench.namespace()
    if subject.foreign:
        done = _foreign(bench.argv(subject, family=family), namespace)
    else:
        with bench.start(subject, namespace, family=family) as process:
            done = process.expect("done")
    figures = {
        "events": routes,
        "ns_per_event": done["cpu_ns"] / routes,
        "events_per_s": routes / done["wall_ns"] * 1e9,
    }
    if "grown" in done:
        figures["peak_per_row"] = done["grown"] / routes
        figures["kept_per_row"] = done["kept"] / routes
        figures["peak_bytes"] = done["grown"]
    return figures


def _foreign(command: list[str], namespace: Namespace) -> dict[str, Any]:
    """A program that reads the table and ends: all of its time."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic_ns()
    run(command, enter=namespace.enter, stdout=subprocess.DEVNULL)
    wall = time.monotonic_ns() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"cpu_ns": cpu * 1e9, "wall_ns": wall}

# SPDX-License-Identifier: MIT
"""A quiet machine: the delay of a single event, the cost of waiting, the duration of an import."""

from __future__ import annotations

import statistics
import sys
import time
from typing import Any

from benchmarks import kernel
from benchmarks.bench import Bench, Subject
from benchmarks.process import Problem, run

PACE_US = 1000  # between two events
MOST_EVENTS = 1000
OBSERVED_S = 2.0


def latency(bench: Bench, subject: Subject, family: int, routes: int) -> dict[str, Any]:
    """From before the request of a route to the reader's own clock. The kernel's work on the route
    is in every figure alike."""
    count = min(routes, MOST_EVENTS)
    with bench.changing() as namespace:
        with bench.start(subject, namespace, family=family, count=count) as process:
            process.expect("ready")
            made = namespace.produce("add", family, count, pace_us=PACE_US)
            done = process.expect("done")
        namespace.produce("del", family, count)
    if len(done["stamps"]) < count:
        raise Problem(f"{process} saw {len(done['stamps'])} of {count} events")
    late = sorted(seen - sent for sent, seen in zip(made["stamps"], done["stamps"], strict=False))
    return {
        "events": count,
        "median_us": statistics.median(late) / 1000,
        "p99_us": late[len(late) * 99 // 100] / 1000,
    }


def idle(bench: Bench, subject: Subject, family: int, routes: int) -> dict[str, Any]:
    """The wake-ups of a Watcher's threads while nothing happens."""
    seconds = OBSERVED_S / 4 if bench.options.quick else OBSERVED_S
    with bench.changing() as namespace:
        with bench.start(subject, namespace, family=family) as process:
            process.expect("ready")
            namespace.produce("add", family, 1)
            process.expect("seen")
            process.wait_until_drained()
            before, cpu = kernel.switches(process.pid), kernel.cpu_ns(process.pid)
            time.sleep(seconds)  # the time that is observed
            after, cpu = kernel.switches(process.pid), kernel.cpu_ns(process.pid) - cpu
        namespace.produce("del", family, 1)
    woken = {f"{name} {task}": n - before[task][1] for task, (name, n) in after.items()}
    return {
        "events": 0,
        "threads": len(after),
        "wakeups_per_s": sum(woken.values()) / seconds,
        "woken": woken,
        "cpu_us": cpu / 1000,
    }


def importing(bench: Bench, subject: Subject, family: int, routes: int) -> dict[str, Any]:
    """A whole interpreter, from start to end."""
    began = time.monotonic_ns()
    run([sys.executable, "-I", "-c", subject.command])
    return {"events": 0, "ms": (time.monotonic_ns() - began) / 1e6}

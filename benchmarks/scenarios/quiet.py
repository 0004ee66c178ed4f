# SPDX-License-Identifier: MIT
"""A machine that does nothing else: how late an event is seen, what waiting costs, and how long
an import takes."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from typing import Any

from benchmarks import kernel
from benchmarks.bench import Bench
from benchmarks.problem import Problem
from benchmarks.stage import PATIENCE
from benchmarks.things import Thing

PACE_US = 1000  # between two events
MOST_EVENTS = 1000
OBSERVED_S = 2.0
IMPORTS = {"bare": "pass", "netioapi": "import netioapi"}


def latency(bench: Bench, thing: Thing, family: int, routes: int) -> dict[str, Any]:
    """From before the request of a route to the reader's own clock; the kernel's work on the
    route is in it, for all alike."""
    count = min(routes, MOST_EVENTS)
    stage = bench.stage()
    with bench.child(thing, stage, family=family, count=count) as child:
        child.expect("ready")
        made = stage.produce("add", family, count, pace_us=PACE_US)
        done = child.expect("done")
    stage.produce("del", family, count)
    stage.dirty = False
    if len(done["stamps"]) < count:
        raise Problem(f"{child} saw {len(done['stamps'])} of {count} events")
    late = sorted(seen - sent for sent, seen in zip(made["stamps"], done["stamps"], strict=False))
    return {
        "events": count,
        "median_us": statistics.median(late) / 1000,
        "p99_us": late[len(late) * 99 // 100] / 1000,
    }


def idle(bench: Bench, thing: Thing, family: int, routes: int) -> dict[str, Any]:
    """How often the threads of a Watcher wake while nothing happens."""
    stage = bench.stage()
    seconds = OBSERVED_S / 4 if bench.options.quick else OBSERVED_S
    with bench.child(thing, stage, family=family) as child:
        child.expect("ready")
        stage.produce("add", family, 1)
        child.expect("seen")
        child.wait_until_drained()
        before = kernel.switches(child.pid)
        cpu = kernel.cpu_ns(child.pid)
        time.sleep(seconds)  # the time that is looked at
        after = kernel.switches(child.pid)
        cpu = kernel.cpu_ns(child.pid) - cpu
    stage.produce("del", family, 1)
    stage.dirty = False
    woken = {f"{name} {task}": n - before[task][1] for task, (name, n) in after.items()}
    return {
        "events": 0,
        "threads": len(after),
        "wakeups_per_s": sum(woken.values()) / seconds,
        "woken": woken,
        "cpu_us": cpu / 1000,
    }


def importing(bench: Bench, thing: Thing, family: int, routes: int) -> dict[str, Any]:
    """A whole interpreter, from start to end."""
    command = [sys.executable, "-I", "-c", IMPORTS[thing.name]]
    began = time.monotonic_ns()
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    took = time.monotonic_ns() - began
    if done.returncode != 0:
        raise Problem(f"import netioapi: {done.stderr.strip()}")
    return {"events": 0, "ms": took / 1e6}

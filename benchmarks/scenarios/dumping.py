# SPDX-License-Identifier: MIT
"""Reading a whole table of routes."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.bench import Bench
from benchmarks.problem import Problem
from benchmarks.stage import PATIENCE, Stage
from benchmarks.things import Thing


@contextlib.contextmanager
def filled(bench: Bench, family: int, routes: int) -> Iterator[None]:
    """The table, for all who read it."""
    stage = bench.stage()
    stage.produce("add", family, routes)
    stage.dirty = False  # it is meant to be there
    yield
    stage.produce("del", family, routes)
    stage.dirty = False


def measure(bench: Bench, thing: Thing, family: int, routes: int) -> dict[str, Any]:
    stage = bench.stage()
    if thing.foreign:
        said = _foreign(thing.argv(bench.programs, family=family), stage)
    else:
        with bench.child(thing, stage, family=family) as child:
            said = child.expect("done")
    figures = {
        "events": routes,
        "ns_per_event": said["cpu_ns"] / routes,
        "events_per_s": routes / said["wall_ns"] * 1e9,
    }
    if "grown" in said:
        figures["peak_per_row"] = said["grown"] / routes
        figures["kept_per_row"] = said["kept"] / routes
        figures["peak_bytes"] = said["grown"]
    return figures


def _foreign(command: list[str], stage: Stage) -> dict[str, Any]:
    """A program that reads the table and ends: all of its time."""
    began = time.monotonic_ns()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, preexec_fn=stage.enter, start_new_session=True
    )
    try:
        descriptor = os.pidfd_open(process.pid)
        try:
            if not select.select([descriptor], [], [], PATIENCE)[0]:
                raise Problem(f"{command[0]} takes too long")
        finally:
            os.close(descriptor)
        wall = time.monotonic_ns() - began
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise Problem(f"{' '.join(command)}: exit code {process.returncode}")
        return {"cpu_ns": (usage.ru_utime + usage.ru_stime) * 1e9, "wall_ns": wall}
    finally:
        if process.returncode is None:
            process.kill()
            process.wait()

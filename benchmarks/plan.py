# SPDX-License-Identifier: MIT
"""What is measured where, and in which order: in turn, so that a disturbance meets all alike."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from benchmarks import things
from benchmarks.bench import Bench
from benchmarks.options import Options
from benchmarks.problem import Problem, Unavailable
from benchmarks.scenarios import dumping, following, prefilled, quiet
from benchmarks.things import Thing

Measure = Callable[[Bench, Thing, int, int], dict[str, Any]]
Around = Callable[[Bench, int, int], AbstractContextManager[None]]


@contextlib.contextmanager
def _nothing(bench: Bench, family: int, routes: int) -> Iterator[None]:
    yield


@dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    things: tuple[Thing, ...]
    measure: Measure
    families: tuple[int, ...] = (4, 6)
    all_sizes: bool = False  # else the largest alone
    may_take_fewer: bool = False  # a slow thing is given fewer events, at the smallest size
    runs_factor: int = 1
    around: Around = _nothing


SCENARIOS = (
    Scenario(
        "prefilled",
        "Reading events that wait in the socket",
        things.STREAMS,
        prefilled.measure,
        all_sizes=True,
        may_take_fewer=True,
    ),
    Scenario(
        "dump",
        "Reading the table",
        things.DUMPS,
        dumping.measure,
        all_sizes=True,
        around=dumping.filled,
    ),
    Scenario("storm", "Routes added at full speed", things.STORM, following.storm, (4,)),
    Scenario("burst", "A link goes down", things.BURST, following.burst, (6,)),
    Scenario("slow", "A slow consumer", things.SLOW, following.slow, (4,)),
    Scenario("latency", "One event a millisecond", things.LATENCY, quiet.latency, (4,)),
    Scenario("idle", "Nothing happens", things.IDLE, quiet.idle, (4,)),
    Scenario("import", "Import", things.IMPORT, quiet.importing, (4,), runs_factor=4),
)
NAMES = {one.name: [thing.name for thing in one.things] for one in SCENARIOS}


@dataclass(frozen=True)
class Cell:
    """What is measured together: its things in turn, so many times."""

    scenario: Scenario
    family: int
    routes: int
    things: tuple[Thing, ...]
    runs: int


@dataclass
class Sample:
    scenario: str
    thing: str
    family: int
    routes: int
    run: int
    figures: dict[str, Any]


@dataclass
class Measured:
    samples: list[Sample] = field(default_factory=list)
    # (scenario, thing, reason), each once
    failed: list[tuple[str, str, str]] = field(default_factory=list)
    skipped: list[tuple[str, str, str]] = field(default_factory=list)


def _wanted(scenario: Scenario, thing: Thing, only: tuple[str, ...]) -> bool:
    names = {scenario.name, thing.name, f"{scenario.name}/{thing.name}"}
    return not only or bool(names & set(only))


def cells(options: Options) -> list[Cell]:
    made = []
    for scenario in SCENARIOS:
        sizes = options.routes if scenario.all_sizes else options.routes[-1:]
        for family in scenario.families:
            for routes in sizes if family in options.families else ():
                fewer = scenario.may_take_fewer and routes == sizes[0]
                fitting = [
                    one for one in scenario.things if fewer or (one.largest or routes) >= routes
                ]
                wanted = [one for one in fitting if _wanted(scenario, one, options.subjects)]
                if wanted:
                    chosen = tuple(o for o in fitting if o in wanted or o.name == things.REFERENCE)
                    runs = options.runs * scenario.runs_factor
                    made.append(Cell(scenario, family, routes, chosen, runs))
    return made


def run(bench: Bench, plan: list[Cell]) -> Measured:
    measured = Measured()
    progress = Progress(sum(cell.runs * len(cell.things) for cell in plan))
    for cell in plan:
        try:
            with cell.scenario.around(bench, cell.family, cell.routes):
                _run_cell(bench, cell, measured, progress)
        except (Problem, OSError) as problem:
            _note(measured, cell.scenario.name, "all", problem)
    progress.end()
    return measured


def _run_cell(bench: Bench, cell: Cell, measured: Measured, progress: Progress) -> None:
    scenario = cell.scenario
    gone = set()
    for number in range(cell.runs):
        turn = number % len(cell.things)
        for thing in cell.things[turn:] + cell.things[:turn]:
            where = f"{scenario.name}, IPv{cell.family}, {cell.routes:,} routes"
            progress.step(where, f"{thing.label}, run {number + 1}")
            if thing.name in gone:
                continue
            try:
                figures = scenario.measure(bench, thing, cell.family, cell.routes)
            except (Problem, OSError) as problem:  # of a process that died, /proc knows nothing
                _note(measured, scenario.name, thing.name, problem)
                gone.add(thing.name)
                continue
            measured.samples.append(
                Sample(scenario.name, thing.name, cell.family, cell.routes, number, figures)
            )


def _note(measured: Measured, scenario: str, thing: str, problem: Exception) -> None:
    target = measured.skipped if isinstance(problem, Unavailable) else measured.failed
    entry = (scenario, thing, str(problem))
    if entry not in target:
        target.append(entry)


class Progress:
    """One line on stderr, overwritten on a terminal; elsewhere a line for each cell, and one in
    half a minute."""

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._done = 0
        self._began = self._written = 0.0
        self._live = sys.stderr.isatty()
        self._where = ""

    def note(self, what: str) -> None:
        """Work before the measurements."""
        self._write(f"{what} ...", what)

    def step(self, where: str, what: str) -> None:
        self._began = self._began or time.monotonic()
        passed = time.monotonic() - self._began
        head = f"[{self._done}/{self._steps}, {passed:.0f} s"
        if self._done:
            head += f", {passed / self._done * (self._steps - self._done):.0f} s left"
        self._write(f"{head}] {where}: {what}", where)
        self._done += 1

    def end(self) -> None:
        passed = time.monotonic() - self._began
        self._write(f"{self._done} measurements in {passed:.0f} s", "end")
        if self._live:
            sys.stderr.write("\n")

    def _write(self, line: str, where: str) -> None:
        now = time.monotonic()
        if self._live:
            sys.stderr.write(f"\r\x1b[K{line}")
            sys.stderr.flush()
        elif where != self._where or now - self._written > 30:
            print(line, file=sys.stderr, flush=True)
            self._written = now
        self._where = where

# SPDX-License-Identifier: MIT
"""What is measured where, and in which order: subjects take turns, so that a disturbance of the
machine meets all of them alike."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.bench import REFERENCE, Bench, Options
from benchmarks.process import Problem
from benchmarks.results import Results, Row
from benchmarks.subjects import SCENARIOS, Scenario


@dataclass(frozen=True)
class Cell:
    """Subjects that take turns, at one family and size."""

    scenario: Scenario
    rows: list[Row]
    runs: int


def cells(options: Options) -> Iterator[Cell]:
    assert options.runs is not None
    for scenario in SCENARIOS:
        sizes = options.routes if scenario.all_sizes else options.routes[-1:]
        for family in scenario.families:
            for routes in sizes if options.family in (None, family) else ():
                fitting = [one for one in scenario.subjects if routes <= one.largest]
                names = options.subjects or [scenario.name]
                wanted = [one for one in fitting if one.is_named(scenario.name, names)]
                chosen = [one for one in fitting if one in wanted or one.name == REFERENCE]
                if wanted:
                    rows = [Row(scenario.name, one, family, routes) for one in chosen]
                    yield Cell(scenario, rows, options.runs * scenario.runs_factor)


def measure(bench: Bench, plan: list[Cell]) -> Results:
    results = Results()
    progress = Progress(sum(cell.runs * len(cell.rows) for cell in plan))
    for cell in plan:
        first = cell.rows[0]
        try:
            with cell.scenario.around(bench, first.family, first.routes):
                _measure_cell(bench, cell, results, progress)
        except (Problem, OSError) as problem:
            results.note(cell.scenario.name, "all", problem)
        results.rows += [row for row in cell.rows if row.runs]
    progress.end()
    return results


def _measure_cell(bench: Bench, cell: Cell, results: Results, progress: Progress) -> None:
    failed = set()
    for number in range(cell.runs):
        turn = number % len(cell.rows)
        for row in cell.rows[turn:] + cell.rows[:turn]:
            where = f"{row.scenario}, IPv{row.family}, {row.routes:,} routes"
            progress.step(where, f"{row.subject.label}, run {number + 1}")
            if row.subject.name in failed:
                continue
            try:
                row.runs[number] = cell.scenario.measure(bench, row.subject, row.family, row.routes)
            except (Problem, OSError) as problem:  # /proc has no files of a process that died
                results.note(row.scenario, row.subject.name, problem)
                failed.add(row.subject.name)


class Progress:
    """One line on stderr, overwritten on a terminal; elsewhere a line for each cell, and one every
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

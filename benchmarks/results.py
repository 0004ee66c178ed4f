# SPDX-License-Identifier: MIT
"""From the figures of each run to medians, to ratios of runs that took turns, and to verdicts."""

from __future__ import annotations

import operator
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from benchmarks.bench import REFERENCE, Subject
from benchmarks.process import Unavailable

SIGNS = {"<=": operator.le, ">=": operator.ge}


@dataclass
class Row:
    """A subject in a scenario, at one family and size: its figures, run by run."""

    scenario: str
    subject: Subject
    family: int
    routes: int
    runs: dict[int, dict[str, Any]] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str, int, int]:
        return self.scenario, self.subject.name, self.family, self.routes

    def values(self, figure: str) -> list[Any]:
        return [run[figure] for run in self.runs.values() if figure in run]

    def median(self, figure: str) -> float | None:
        values = self.values(figure)
        return statistics.median(values) if values else None

    def ratio(self, other: Row | None, figure: str) -> float | None:
        """The median of the runs' ratios: in each run both took their turn."""
        theirs = other.runs if other is not None else {}
        pairs = [
            run[figure] / theirs[number][figure]
            for number, run in self.runs.items()
            if figure in run and theirs.get(number, {}).get(figure)
        ]
        return statistics.median(pairs) if pairs else None


@dataclass
class Results:
    rows: list[Row] = field(default_factory=list)
    failed: list[dict[str, str]] = field(default_factory=list)
    skipped: list[dict[str, str]] = field(default_factory=list)

    def note(self, scenario: str, subject: str, problem: Exception) -> None:
        """Why there is no figure, each reason once."""
        target = self.skipped if isinstance(problem, Unavailable) else self.failed
        entry = {"scenario": scenario, "subject": subject, "reason": str(problem)}
        if entry not in target:
            target.append(entry)

    def find(self, row: Row, *, subject: str = "", routes: int = 0) -> Row | None:
        """The row that differs from that one in the subject or the size."""
        wanted = (row.scenario, subject or row.subject.name, row.family, routes or row.routes)
        return next((one for one in self.rows if one.key == wanted), None)

    def nearest(self, scenario: str, subject: str, family: int, routes: int) -> Row | None:
        """The row of that size, or else of the nearest that was measured."""
        fitting = [one for one in self.rows if one.key[:3] == (scenario, subject, family)]
        return min(fitting, key=lambda one: abs(one.routes - routes), default=None)

    def reason(self, scenario: str, subject: str) -> tuple[str, bool]:
        """Why there is no figure; True if a measurement failed."""
        for noted, failed in ((self.failed, True), (self.skipped, False)):
            for one in noted:
                if one["scenario"] == scenario and one["subject"] in (subject, "all"):
                    return one["reason"], failed
        return "", False


Find = Callable[[Results, Row], float | None]


@dataclass(frozen=True)
class Target:
    """A promise of speed: what `find` makes of the row of a subject, and its limit."""

    text: str
    where: str  # SCENARIO/SUBJECT
    family: int
    routes: int  # or the nearest size that was measured
    find: Find
    limit: str  # a sign, a number and perhaps a unit


def median(figure: str) -> Find:
    return lambda results, row: row.median(figure)


def to(subject: str, figure: str) -> Find:
    """The ratio to another subject."""
    return lambda results, row: row.ratio(results.find(row, subject=subject), figure)


def to_size(routes: int, figure: str) -> Find:
    """The ratio to the same subject at a smaller size."""

    def find(results: Results, row: Row) -> float | None:
        small = results.find(row, routes=routes)
        here, there = row.median(figure), small.median(figure) if small is not None else None
        return here / there if here and there and row.routes > routes else None

    return find


def above(subject: str, figure: str) -> Find:
    """The difference to another subject."""

    def find(results: Results, row: Row) -> float | None:
        other = results.find(row, subject=subject)
        here, there = row.median(figure), other.median(figure) if other is not None else None
        return here - there if here and there else None

    return find


def worst(figure: str, *, per: str = "") -> Find:
    """The largest of all runs: a promise, not a speed."""
    return lambda results, row: max(run[figure] / run.get(per, 1) for run in row.runs.values())


def share(*figures: str) -> Find:
    """The part of the runs in which all of these were true."""

    def find(results: Results, row: Row) -> float:
        good = sum(all(run[figure] for figure in figures) for run in row.runs.values())
        failed = [one for one in results.failed if one["subject"] == row.subject.name]
        return good / (len(row.runs) + sum(one["scenario"] == row.scenario for one in failed))

    return find


def judge(results: Results, target: Target) -> dict[str, Any]:
    scenario, subject = target.where.split("/")
    sign, number, *unit = target.limit.split()
    row = results.nearest(scenario, subject, target.family, target.routes)
    value = target.find(results, row) if row is not None else None
    note, failed = results.reason(scenario, subject)
    if row is None or value is None:
        verdict = "missed" if failed else "not measured"
    else:
        # A subject with a failed run meets nothing, whatever the other runs measured.
        met = SIGNS[sign](value, float(number)) and not failed
        verdict = "met" if met else "missed"
        if row.routes != target.routes:
            note = f"at {row.routes:,} routes"
    return {
        "target": target.text,
        "scenario": scenario,
        "subject": subject,
        "limit": target.limit,
        "unit": "".join(f" {one}" for one in unit),
        "measured": value,
        "verdict": verdict,
        "note": note,
    }


def as_dict(results: Results, row: Row) -> dict[str, Any]:
    figures = sorted({figure for run in row.runs.values() for figure in run})
    return {
        "scenario": row.scenario,
        "subject": row.subject.name,
        "label": row.subject.label,
        "family": row.family,
        "routes": row.routes,
        "ratio": row.ratio(results.find(row, subject=REFERENCE), "ns_per_event"),
        "medians": {
            figure: row.median(figure)
            for figure in figures
            if all(isinstance(one, int | float) for one in row.values(figure))
        },
        "runs": list(row.runs.values()),
    }

# SPDX-License-Identifier: MIT
"""From the figures of each run to medians, and to ratios of what ran in turn."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any

from benchmarks.plan import SCENARIOS, Measured, Sample
from benchmarks.things import REFERENCE

THINGS = {(s.name, t.name): t for s in SCENARIOS for t in s.things}
TITLES = {s.name: s.title for s in SCENARIOS}


@dataclass
class Row:
    """One thing in one cell."""

    scenario: str
    thing: str
    family: int
    routes: int
    samples: list[Sample]
    ratio: float | None = None  # CPU per event, to the reference

    @property
    def label(self) -> str:
        return THINGS[self.scenario, self.thing].label

    def values(self, name: str) -> list[Any]:
        return [one.figures[name] for one in self.samples if name in one.figures]

    def median(self, name: str) -> float | None:
        values = self.values(name)
        return statistics.median(values) if values else None

    def as_dict(self) -> dict[str, Any]:
        names = {name for one in self.samples for name in one.figures}
        numbers = {
            name: self.median(name)
            for name in sorted(names)
            if all(isinstance(one, int | float) for one in self.values(name))
        }
        return {
            "scenario": self.scenario,
            "thing": self.thing,
            "label": self.label,
            "family": self.family,
            "routes": self.routes,
            "runs": len(self.samples),
            "ratio": self.ratio,
            "medians": numbers,
        }


class Results:
    def __init__(self, measured: Measured) -> None:
        self.measured = measured
        self.rows: list[Row] = []
        for sample in measured.samples:
            row = self.exact(sample.scenario, sample.thing, sample.family, sample.routes)
            if row is None:
                row = Row(sample.scenario, sample.thing, sample.family, sample.routes, [])
                self.rows.append(row)
            row.samples.append(sample)
        order = list(THINGS)
        scenarios = list(TITLES)
        self.rows.sort(
            key=lambda row: (
                scenarios.index(row.scenario),
                row.family,
                row.routes,
                order.index((row.scenario, row.thing)),
            )
        )
        for row in self.rows:
            reference = self.exact(row.scenario, REFERENCE, row.family, row.routes)
            if reference is not None:
                row.ratio = ratio(row, reference, "ns_per_event")

    def exact(self, scenario: str, thing: str, family: int, routes: int) -> Row | None:
        wanted = (scenario, thing, family, routes)
        for row in self.rows:
            if (row.scenario, row.thing, row.family, row.routes) == wanted:
                return row
        return None

    def nearest(self, scenario: str, thing: str, family: int, routes: int) -> Row | None:
        """That size, or the nearest that was measured."""
        fitting = [
            row
            for row in self.rows
            if (row.scenario, row.thing, row.family) == (scenario, thing, family)
        ]
        return min(fitting, key=lambda row: abs(row.routes - routes), default=None)

    def why_not(self, scenario: str, thing: str) -> tuple[str, bool]:
        """Why there is no figure; True when it failed."""
        for found, failed in ((self.measured.failed, True), (self.measured.skipped, False)):
            for where, what, reason in found:
                if where == scenario and what in (thing, "all"):
                    return reason, failed
        return "", False


def ratio(row: Row, other: Row, name: str) -> float | None:
    """The median of the runs' ratios: each pair ran one after the other."""
    theirs = {one.run: one.figures[name] for one in other.samples if name in one.figures}
    pairs = [
        one.figures[name] / theirs[one.run]
        for one in row.samples
        if name in one.figures and theirs.get(one.run)
    ]
    return statistics.median(pairs) if pairs else None

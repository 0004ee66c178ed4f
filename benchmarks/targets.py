# SPDX-License-Identifier: MIT
"""What netioapi promises of its speed: one row each, and whether it was met."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.results import Results, Row, ratio
from benchmarks.things import REFERENCE

MIDDLE, LARGE = 100_000, 1_000_000
SIGNS = {"<=": operator.le, ">=": operator.ge}


@dataclass(frozen=True)
class Finding:
    value: float | None
    note: str = ""  # where it was not measured as the target says


@dataclass(frozen=True)
class Target:
    text: str
    scenario: str
    thing: str
    find: Callable[[Results, str, str], Finding]
    sign: str
    limit: float
    unit: str = ""


@dataclass(frozen=True)
class Outcome:
    target: Target
    measured: float | None
    verdict: str  # "met", "missed", "not measured"
    note: str

    def as_dict(self) -> dict[str, Any]:
        target = self.target
        return {
            "target": target.text,
            "scenario": target.scenario,
            "thing": target.thing,
            "limit": f"{target.sign} {target.limit:g}{target.unit}",
            "measured": self.measured,
            "verdict": self.verdict,
            "note": self.note,
        }


def _at(row: Row | None, routes: int) -> str:
    return "" if row is None or row.routes == routes else f"at {row.routes:,} routes"


def to_reference(family: int, routes: int, name: str = "ns_per_event") -> Any:
    def find(results: Results, scenario: str, thing: str) -> Finding:
        row = results.nearest(scenario, thing, family, routes)
        if row is None:
            return Finding(None)
        other = results.exact(scenario, REFERENCE, family, row.routes)
        return Finding(ratio(row, other, name) if other is not None else None, _at(row, routes))

    return find


def to_own_size(family: int, routes: int, small: int) -> Any:
    def find(results: Results, scenario: str, thing: str) -> Finding:
        big = results.exact(scenario, thing, family, routes)
        base = results.exact(scenario, thing, family, small)
        here = big.median("ns_per_event") if big is not None else None
        there = base.median("ns_per_event") if base is not None else None
        return Finding(here / there if here and there else None)

    return find


def times_ours(family: int, routes: int, ours: str) -> Any:
    def find(results: Results, scenario: str, thing: str) -> Finding:
        row = results.nearest(scenario, thing, family, routes)
        mine = results.exact(scenario, ours, family, row.routes) if row is not None else None
        if row is None or mine is None:
            return Finding(None)
        return Finding(ratio(row, mine, "ns_per_event"), _at(row, routes))

    return find


def worst(family: int, routes: int, name: str, *, per: str = "") -> Any:
    """The largest of all runs: a promise, not a speed."""

    def find(results: Results, scenario: str, thing: str) -> Finding:
        row = results.nearest(scenario, thing, family, routes)
        if row is None:
            return Finding(None)
        values = [one.figures[name] / one.figures.get(per, 1) for one in row.samples]
        return Finding(float(max(values)), _at(row, routes))

    return find


def median(family: int, routes: int, name: str) -> Any:
    def find(results: Results, scenario: str, thing: str) -> Finding:
        row = results.nearest(scenario, thing, family, routes)
        return Finding(row.median(name) if row is not None else None, _at(row, routes))

    return find


def share(family: int, routes: int, *names: str) -> Any:
    """The part of the runs in which all of that was true."""

    def find(results: Results, scenario: str, thing: str) -> Finding:
        row = results.nearest(scenario, thing, family, routes)
        if row is None:
            return Finding(None)
        good = sum(all(one.figures[name] for name in names) for one in row.samples)
        failed = sum(gone[:2] == (scenario, thing) for gone in results.measured.failed)
        return Finding(good / (len(row.samples) + failed), _at(row, routes))

    return find


def above_bare(results: Results, scenario: str, thing: str) -> Finding:
    row = results.nearest(scenario, thing, 4, LARGE)
    bare = results.nearest(scenario, "bare", 4, LARGE)
    ours = row.median("ms") if row is not None else None
    theirs = bare.median("ms") if bare is not None else None
    return Finding(ours - theirs if ours and theirs else None)


def _prefilled() -> list[Target]:
    limits = (
        ("columns", "Watcher, columns", 1.2),
        ("objects", "Watcher, objects, 3 fields", 1.35),
        ("callbacks", "callbacks, main thread idle", 1.35),
        ("callbacks-busy", "callbacks, main thread busy", 1.6),
    )
    at_middle = [
        Target(
            f"{text}: CPU per event, to C", "prefilled", thing, to_reference(4, MIDDLE), "<=", most
        )
        for thing, text, most in limits
    ]
    at_large = [
        Target(
            f"{text}: at 1,000,000 routes, to 100,000",
            "prefilled",
            thing,
            to_own_size(4, LARGE, MIDDLE),
            "<=",
            1.3,
        )
        for thing, text, _ in limits
    ]
    return at_middle + at_large


T = Target
TARGETS = [
    *_prefilled(),
    T("storm: exact, and each loss told and repaired: part of runs", "storm", "watcher",
      share(4, LARGE, "exact", "told"), ">=", 1),
    T("storm: events/s end to end, to C", "storm", "watcher",
      to_reference(4, LARGE, "events_per_s"), ">=", 0.9),
    T("storm, 4 MiB, a thread in pure Python: lost, worst run", "storm", "watcher-loop",
      worst(4, LARGE, "lost"), "<=", 0),
    T("storm, 4 MiB, GIL held in C: lost, worst run", "storm", "watcher-hog",
      worst(4, LARGE, "lost"), "<=", 0),
    T("IPv6 link down: exact so long after it, worst run", "burst", "watcher",
      worst(6, LARGE, "late_s"), "<=", 3, " s"),
    T("pyroute2: CPU per event, to Watcher's columns", "prefilled", "pyroute2",
      times_ours(4, 10_000, "columns"), ">=", 100),
    T("ip monitor: CPU per event, to Watcher's columns", "prefilled", "ip-monitor",
      times_ours(4, MIDDLE, "columns"), ">=", 2.5),
    T("dump into a Table: CPU per route, to C", "dump", "table",
      to_reference(4, LARGE), "<=", 1.3),
    T("dump into a Table: peak memory a route", "dump", "table",
      median(4, LARGE, "peak_per_row"), "<=", 140, " B"),
    T("the mirror: peak memory a route", "dump", "mirror",
      median(4, LARGE, "peak_per_row"), "<=", 96, " B"),
    T("slow consumer: exact in the end: part of runs", "slow", "watcher",
      share(4, LARGE, "exact"), ">=", 1),
    T("slow consumer: most queued, to queue= and keys", "slow", "watcher",
      worst(4, LARGE, "high_water", per="bound"), "<=", 1),
    T("latency of a callback: median, to C", "latency", "callback",
      to_reference(4, LARGE, "median_us"), "<=", 1.5),
    T("idle, for: wake-ups a second", "idle", "sync", worst(4, LARGE, "wakeups_per_s"), "<=", 0),
    T("idle, async for: wake-ups a second", "idle", "async",
      worst(4, LARGE, "wakeups_per_s"), "<=", 0),
    T("import netioapi, above bare Python", "import", "netioapi", above_bare, "<=", 20, " ms"),
]  # fmt: skip


def judge(results: Results) -> list[Outcome]:
    return [_judge(results, target) for target in TARGETS]


def _judge(results: Results, target: Target) -> Outcome:
    finding = target.find(results, target.scenario, target.thing)
    reason, failed = results.why_not(target.scenario, target.thing)
    if finding.value is None:
        verdict = "missed" if failed else "not measured"
        return Outcome(target, None, verdict, reason)
    met = SIGNS[target.sign](finding.value, target.limit)
    # A run that failed meets nothing, whatever the others measured.
    verdict = "met" if met and not failed else "missed"
    return Outcome(target, finding.value, verdict, finding.note or (reason if failed else ""))

# SPDX-License-Identifier: MIT
"""What can be asked for on the command line."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

SIZES = (10_000, 100_000, 1_000_000)
QUICK_SIZES = (1_000,)
RUNS = 5


@dataclass(frozen=True)
class Options:
    routes: tuple[int, ...] = SIZES
    families: tuple[int, ...] = (4, 6)
    runs: int = RUNS
    only: tuple[str, ...] = ()
    quick: bool = False
    json: Path | None = None
    chart: Path | None = None


def _count(text: str) -> int:
    number = int(text.replace("_", "").replace(",", ""))
    if not 1 <= number <= 1_000_000:
        raise argparse.ArgumentTypeError("between 1 and 1,000,000")
    return number


def _names(text: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in text.split(",") if one.strip())


def _runs(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def parse(arguments: list[str], names: dict[str, list[str]]) -> Options:
    """`names`: scenario -> its things, for --only."""
    known = sorted({*names, *(thing for things in names.values() for thing in things)})
    listed = "\n".join(f"  {scenario}: {', '.join(things)}" for scenario, things in names.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="How fast netioapi is, beside a C reference, in a network namespace of its "
        "own. Without options it takes about a quarter of an hour.",
        epilog=f"scenarios and things:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="1,000 routes, once: does everything work?")
    add(
        "--routes",
        type=_count,
        nargs="+",
        metavar="N",
        help="how many routes; default 10000 100000 1000000",
    )
    add("--family", type=int, choices=(4, 6), help="IPv4 or IPv6 alone; default both")
    add("--runs", type=_runs, metavar="N", help=f"of which the medians are; default {RUNS}")
    add(
        "--only",
        type=_names,
        default=(),
        metavar="NAME,...",
        help="scenarios or things, see below; SCENARIO/THING is one alone; the reference is "
        "always measured",
    )
    add("--json", type=Path, metavar="FILE", help="write all figures, each run's as well")
    add("--chart", type=Path, metavar="FILE", help="draw the CPU time per event (.png, .svg)")
    got = parser.parse_args(arguments)
    for name in got.only:
        if not all(part in known for part in name.split("/")):
            parser.error(f"--only: there is no {name!r}; {parser.prog} --help lists them")
    for path in (got.json, got.chart):
        if path is not None and not path.absolute().parent.is_dir():
            parser.error(f"there is no folder for {path}")
    return Options(
        routes=tuple(sorted(set(got.routes or (QUICK_SIZES if got.quick else SIZES)))),
        families=(got.family,) if got.family else (4, 6),
        runs=got.runs or (1 if got.quick else RUNS),
        only=got.only,
        quick=got.quick,
        json=got.json,
        chart=got.chart,
    )

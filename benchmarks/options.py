# SPDX-License-Identifier: MIT
"""What can be asked for on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SIZES = (10_000, 100_000, 1_000_000)
QUICK_SIZES = (1_000,)
RUNS = 5
PAIRS = 21
COMPARED_SIZES = (100_000,)


@dataclass(frozen=True)
class Options:
    routes: tuple[int, ...] = SIZES
    families: tuple[int, ...] = (4, 6)
    runs: int = RUNS
    subjects: tuple[str, ...] = ()
    quick: bool = False
    against: str | None = None
    pairs: int = PAIRS
    json: Path | None = None
    chart: Path | None = None


def _count(text: str) -> int:
    number = int(text.replace("_", "").replace(",", ""))
    if not 1 <= number <= 1_000_000:
        raise argparse.ArgumentTypeError("between 1 and 1,000,000")
    return number


def _at_least(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if int(text) < least:
            raise argparse.ArgumentTypeError(f"at least {least}")
        return int(text)

    return number


def parse(arguments: list[str], names: dict[str, list[str]]) -> Options:
    """`names`: scenario -> its subjects."""
    known = sorted({*names, *(thing for things in names.values() for thing in things)})
    listed = "\n".join(f"  {scenario}: {', '.join(things)}" for scenario, things in names.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="How fast netioapi is, beside a C reference, in a network namespace of its "
        "own. Without options it takes about a quarter of an hour. With --against it is the "
        "regression check: is the working tree slower than another commit?",
        epilog=f"scenarios and their subjects:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "subjects",
        nargs="*",
        metavar="SUBJECT",
        help="scenarios or subjects, see below; SCENARIO/SUBJECT is one alone; default all. The "
        "reference is always measured. With --against: subjects of prefilled and dump; default "
        "columns objects callbacks dump",
    )
    add("--quick", action="store_true", help="1,000 routes, once: does everything work?")
    add(
        "--routes",
        type=_count,
        nargs="+",
        metavar="N",
        help="how many routes; default 10000 100000 1000000; with --against 100000",
    )
    add(
        "--family",
        type=int,
        choices=(4, 6),
        help="IPv4 or IPv6 alone; default both; with --against IPv4",
    )
    add("--runs", type=_at_least(1), metavar="N", help=f"of which the medians are; default {RUNS}")
    add(
        "--against",
        metavar="COMMIT",
        help="build that commit and the working tree, measure both in turn, and print the ratio "
        "of their CPU times per event; exit code 1: a subject is slower",
    )
    add(
        "--pairs",
        type=_at_least(5),
        default=PAIRS,
        metavar="N",
        help=f"of one measurement of each; default {PAIRS}",
    )
    add("--json", type=Path, metavar="FILE", help="write all figures, each run's as well")
    add("--chart", type=Path, metavar="FILE", help="draw the CPU time per event (.png, .svg)")
    got = parser.parse_args(arguments)
    for name in got.subjects:
        if not all(part in known for part in name.split("/")):
            parser.error(f"there is no subject {name!r}; {parser.prog} --help lists them")
    for path in (got.json, got.chart):
        if path is not None and not path.absolute().parent.is_dir():
            parser.error(f"there is no folder for {path}")
    sizes = COMPARED_SIZES if got.against is not None else SIZES
    return Options(
        routes=tuple(sorted(set(got.routes or (QUICK_SIZES if got.quick else sizes)))),
        families=(got.family,) if got.family else (4, 6),
        runs=got.runs or (1 if got.quick else RUNS),
        subjects=tuple(got.subjects),
        quick=got.quick,
        against=got.against,
        pairs=got.pairs,
        json=got.json,
        chart=got.chart,
    )

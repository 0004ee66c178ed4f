# SPDX-License-Identifier: MIT
"""The command: `python -m benchmarks --help`."""

from __future__ import annotations

import argparse
import importlib.util
import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import against, report
from benchmarks.bench import Bench, Options
from benchmarks.build import build
from benchmarks.measure import cells, measure
from benchmarks.process import Problem, Unavailable
from benchmarks.subjects import SCENARIOS

SIZES = [10_000, 100_000, 1_000_000]
QUICK_SIZES = [1_000]
COMPARED_SIZES = [100_000]
RUNS = 5


def _number(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text.replace("_", "").replace(",", ""))
        if not least <= value <= 1_000_000:
            raise argparse.ArgumentTypeError(f"between {least} and 1,000,000")
        return value

    return number


def parse(arguments: list[str]) -> Options:
    listed = "\n".join(
        f"  {one.name}: {', '.join(subject.name for subject in one.subjects)}" for one in SCENARIOS
    )
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="How fast netioapi is, beside a C reference, in a network namespace of its "
        "own. Without options it takes about a quarter of an hour. With --against it is the "
        "regression check: is the working tree slower than another commit?",
        epilog=f"scenarios and their subjects:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    # fmt: off
    add("subjects", nargs="*", metavar="SUBJECT",
        help="scenarios or subjects, see below; SCENARIO/SUBJECT is one alone; default all. The "
        "reference is always measured. With --against: netioapi's in prefilled and dump; default "
        + " ".join(against.DEFAULT))
    add("--quick", action="store_true", help="1,000 routes, once: does everything work?")
    add("--routes", type=_number(1), nargs="+", metavar="N",
        help="how many routes; default 10000 100000 1000000; with --against 100000")
    add("--family", type=int, choices=(4, 6),
        help="IPv4 or IPv6 alone; default both; with --against IPv4")
    add("--runs", type=_number(1), metavar="N", help=f"medians are of N runs; default {RUNS}")
    add("--against", metavar="COMMIT",
        help="build that commit and the working tree, measure both in turn, and print the ratio "
        "of their CPU times per event; exit code 1: a subject is slower")
    add("--pairs", type=_number(5), metavar="N",
        help="with --against: N measurements of each; default 21")
    add("--json", type=Path, metavar="FILE", help="write all figures, those of each run as well")
    add("--chart", type=Path, metavar="FILE", help="draw the CPU time per event (.png, .svg)")
    # fmt: on
    got = parser.parse_args(arguments, namespace=Options())
    known = {one.name for one in SCENARIOS}
    known |= {subject.name for one in SCENARIOS for subject in one.subjects}
    for name in got.subjects:
        if not known.issuperset(name.split("/")):
            parser.error(f"there is no subject {name!r}; {parser.prog} --help lists them")
    for path in (got.json, got.chart):
        if path is not None and not path.absolute().parent.is_dir():
            parser.error(f"there is no folder for {path}")
    sizes = QUICK_SIZES if got.quick else COMPARED_SIZES if got.against else SIZES
    got.routes = sorted(set(got.routes)) or sizes
    got.runs = got.runs or (1 if got.quick else RUNS)
    return got


def check(options: Options) -> None:
    if not sys.platform.startswith("linux"):
        raise Problem("the benchmark measures the Linux side, on Linux")
    if shutil.which("ip") is None:
        raise Problem("no `ip` command: apt-get install iproute2")
    if options.against is None and importlib.util.find_spec("netioapi") is None:
        raise Problem("netioapi is not installed for this Python: pip install '.[bench]'")


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    check(options)
    about = report.machine()
    with tempfile.TemporaryDirectory(prefix="netioapi-bench-") as name:
        folder = Path(name)
        programs = build(folder)
        if options.against is not None:
            return against.compare(options, programs, folder)
        with Bench(programs, options) as bench:
            results = measure(bench, list(cells(options)))
    found = report.content(about, options, results)
    print(report.text(found))
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    if options.chart is not None:
        try:
            report.draw(found, options.chart)
        except Unavailable as reason:
            print(reason, file=sys.stderr)
    return 1 if results.failed else 0


if __name__ == "__main__":
    # As Ctrl-C: what was begun is undone.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(main(sys.argv[1:]))
    except Problem as problem:
        sys.exit(f"benchmarks: {problem}")
    except KeyboardInterrupt:
        sys.stderr.write("\ninterrupted\n")
        sys.exit(130)

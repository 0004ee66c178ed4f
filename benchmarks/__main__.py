# SPDX-License-Identifier: MIT
"""The command: `python -m benchmarks --help`."""

from __future__ import annotations

import importlib.util
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.build import build
from benchmarks.options import Options, parse
from benchmarks.plan import NAMES, cells, run
from benchmarks.problem import Problem, Unavailable

NEEDS_IP = "no `ip` command: apt-get install iproute2"
NEEDS_US = "netioapi is not installed for this Python: pip install '.[bench]'"


def check(options: Options) -> None:
    if not sys.platform.startswith("linux"):
        raise Problem("the benchmark measures the Linux side, on Linux")
    if shutil.which("ip") is None:
        raise Problem(NEEDS_IP)
    if options.against is None and importlib.util.find_spec("netioapi") is None:
        raise Problem(NEEDS_US)


def main(arguments: list[str]) -> int:
    options = parse(arguments, NAMES)
    check(options)
    from benchmarks import against, chart, report, targets
    from benchmarks.results import Results

    about = report.machine()
    with tempfile.TemporaryDirectory(prefix="netioapi-bench-") as folder:
        if options.against is not None:
            return against.run(options, build(Path(folder)), Path(folder))
        with Bench(build(Path(folder)), options) as bench:
            measured = run(bench, cells(options))
    results = Results(measured)
    outcomes = targets.judge(results)
    print(report.heading(about), report.text(results, outcomes), sep="\n\n")
    if options.json is not None:
        options.json.write_text(report.as_json(about, options, results, outcomes))
    if options.chart is not None:
        try:
            chart.draw(results, options.chart)
        except Unavailable as reason:
            print(reason, file=sys.stderr)
    return 1 if measured.failed else 0


if __name__ == "__main__":
    # As Ctrl-C: what was begun is taken back.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(main(sys.argv[1:]))
    except Problem as problem:
        sys.exit(f"benchmarks: {problem}")
    except KeyboardInterrupt:
        sys.stderr.write("\ninterrupted\n")
        sys.exit(130)

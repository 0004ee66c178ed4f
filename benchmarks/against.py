# SPDX-License-Identifier: MIT
"""The regression check of speed: the working tree beside a commit, `--against COMMIT`.

Both packages are built from source, by the same compiler and Python. A pair is one measurement of
the commit's package and one of the working tree's, each in a process of its own; the next pair has
the other order. The subjects take turns. The result for a subject is the median of the pairs'
ratios new / old, with the bootstrap 95% interval of that median. The working tree counts as slower
where the whole interval lies above 1.03. This code measures both: an old commit needs no
benchmarks of its own, only the package's public API.
"""

from __future__ import annotations

import dataclasses
import io
import json
import random
import statistics
import subprocess
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.bench import Bench
from benchmarks.build import build_package
from benchmarks.options import Options
from benchmarks.plan import SCENARIOS, Progress, Scenario
from benchmarks.problem import Problem
from benchmarks.report import machine, table
from benchmarks.things import Thing

ROOT = Path(__file__).parents[1]
DEFAULT = ("columns", "objects", "callbacks", "dump")
LIMIT = 1.03  # a smaller lower end of the interval is no slowdown
WIDE = 1.10  # an upper end above this says that the machine was too busy to be sure
WARM_UP = 1  # pairs that are not counted: files and memory are cold
RESAMPLES = 10_000
FORMAT = 1  # of the JSON


def interval(values: list[float]) -> tuple[float, float]:
    """The bootstrap 95% interval of the median. The same values give the same interval."""
    chance = random.Random(0)
    medians = sorted(
        statistics.median(chance.choices(values, k=len(values))) for _ in range(RESAMPLES)
    )
    return medians[RESAMPLES * 25 // 1000], medians[RESAMPLES * 975 // 1000 - 1]


@dataclass
class Comparison:
    """The CPU time per event of one subject, pair by pair."""

    subject: str
    old_ns: list[float] = field(default_factory=list)
    new_ns: list[float] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        ratios = [new / old for old, new in zip(self.old_ns, self.new_ns, strict=True)]
        low, high = interval(ratios)
        return {
            "subject": self.subject,
            "old_ns": statistics.median(self.old_ns),
            "new_ns": statistics.median(self.new_ns),
            "ratio": statistics.median(ratios),
            "low": low,
            "high": high,
            "verdict": "fine" if low <= LIMIT else "slower",
            "pairs": [list(pair) for pair in zip(self.old_ns, self.new_ns, strict=True)],
        }


def choose(names: tuple[str, ...]) -> list[tuple[Scenario, list[Thing]]]:
    """The named scenarios and subjects that are ours and have a CPU time per event."""
    chosen = []
    names = names or DEFAULT
    known = set()
    for scenario in SCENARIOS:
        if scenario.name not in ("prefilled", "dump"):
            continue
        ours = {one.name: one for one in scenario.things if one.is_ours}
        known |= {scenario.name, *ours, *(f"{scenario.name}/{name}" for name in ours)}
        wanted = [
            one
            for name, one in ours.items()
            if {scenario.name, name, f"{scenario.name}/{name}"} & set(names)
        ]
        if wanted:
            chosen.append((scenario, wanted))
    if unknown := [name for name in names if name not in known]:
        raise Problem(
            f"--against does not compare {', '.join(unknown)}; choose from "
            f"{', '.join(sorted(one for one in known if '/' not in one))}"
        )
    return chosen


def _git(*arguments: str) -> bytes:
    try:
        done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True)
    except FileNotFoundError:
        raise Problem("--against needs git: apt-get install git") from None
    if done.returncode != 0:
        raise Problem(f"git {' '.join(arguments)}: {done.stderr.decode().strip()}")
    return done.stdout


def resolve(commit: str) -> str:
    """The full name of a commit."""
    if not (ROOT / ".git").exists():
        raise Problem(f"--against needs a git clone, and {ROOT} is none: clone the repository")
    try:
        return _git("rev-parse", "--verify", f"{commit}^{{commit}}").decode().strip()
    except Problem as problem:
        raise Problem(
            f"there is no commit {commit!r} here: `git fetch --unshallow` if the clone is shallow, "
            f"else see `git log --oneline` ({problem})"
        ) from None


def _measure_pairs(
    bench: Bench,
    scenario: Scenario,
    things: list[Thing],
    sides: dict[str, Path],
    progress: Progress,
) -> list[Comparison]:
    options = bench.options
    family, routes = options.families[0], options.routes[-1]
    found = {one.name: Comparison(f"{scenario.name}/{one.name}") for one in things}
    with scenario.around(bench, family, routes):
        for pair in range(WARM_UP + options.pairs):
            for thing in things:
                for side in sorted(sides, reverse=pair % 2 == 1):
                    what = f"{thing.name}, {side}, pair {pair} of {options.pairs}"
                    progress.step(scenario.name, what)
                    measured = dataclasses.replace(thing, package=str(sides[side]))
                    figures = scenario.measure(bench, measured, family, routes)
                    if pair >= WARM_UP:
                        comparison = found[thing.name]
                        values = comparison.new_ns if side == "new" else comparison.old_ns
                        values.append(figures["ns_per_event"])
    return list(found.values())


def _text(found: list[dict[str, Any]]) -> str:
    heads = ["", "old ns", "new ns", "new/old", "95% interval", "verdict"]
    lines = [
        [
            one["subject"],
            f"{one['old_ns']:,.0f}",
            f"{one['new_ns']:,.0f}",
            f"{one['ratio']:.3f}",
            f"{one['low']:.3f} to {one['high']:.3f}",
            one["verdict"],
        ]
        for one in found
    ]
    parts = [table(heads, lines, left=(0, 5))]
    if any(one["high"] > WIDE and one["low"] <= LIMIT for one in found):
        parts.append(
            "An interval is too wide to exclude a slowdown: repeat on a quiet machine, or with "
            "more --pairs."
        )
    return "\n\n".join(parts)


def run(options: Options, programs: dict[str, str], folder: Path) -> int:
    """Compare, print, write the JSON; the exit code: 1 if a subject is slower."""
    assert options.against is not None
    chosen = choose(options.subjects)
    commit = resolve(options.against)
    sources = {"old": folder / "old-source", "new": ROOT}
    archive = _git("archive", "--format=tar", commit)
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(sources["old"], filter="data")
    steps = 2 * (WARM_UP + options.pairs) * sum(len(things) for _, things in chosen)
    progress = Progress(steps)
    sides = {}
    for side, source in sources.items():
        progress.note(f"building the {side} package")
        sides[side] = build_package(source, folder / side)
    found = []
    with Bench(programs, options) as bench:
        for scenario, things in chosen:
            for one in _measure_pairs(bench, scenario, things, sides, progress):
                found.append(one.as_dict())
    progress.end()
    about = machine()
    content = {
        "format": FORMAT,
        "machine": about,
        "commit": commit,
        "family": options.families[0],
        "routes": options.routes[-1],
        "subjects": found,
    }
    print(
        f"The working tree (new) beside {options.against} ({commit[:12]}, old): {options.pairs} "
        f"pairs, {options.routes[-1]:,} IPv{options.families[0]} routes, CPU time per event; "
        f"load {about['load']:.2f}",
        _text(found),
        sep="\n\n",
    )
    if options.json is not None:
        options.json.write_text(json.dumps(content, indent=1) + "\n")
    return 1 if any(one["verdict"] == "slower" for one in found) else 0

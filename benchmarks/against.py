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
import json
import random
import statistics
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.bench import Bench, Options, Subject
from benchmarks.build import build_package
from benchmarks.measure import Progress
from benchmarks.process import ROOT, Problem, run
from benchmarks.report import machine, table
from benchmarks.subjects import SCENARIOS, Scenario

DEFAULT = ["columns", "objects", "callbacks", "dump"]
LIMIT = 1.03  # a smaller lower end of the interval is no slowdown
WIDE = 1.10  # an upper end above this shows that the machine was too busy to be sure
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
        pairs = list(zip(self.old_ns, self.new_ns, strict=True))
        ratios = [new / old for old, new in pairs]
        low, high = interval(ratios)
        return {
            "subject": self.subject,
            "old_ns": statistics.median(self.old_ns),
            "new_ns": statistics.median(self.new_ns),
            "ratio": statistics.median(ratios),
            "low": low,
            "high": high,
            "verdict": "fine" if low <= LIMIT else "slower",
            "pairs": pairs,
        }


def choose(names: list[str]) -> list[tuple[Scenario, list[Subject]]]:
    """The subjects of these names that measure netioapi and have a CPU time per event."""
    offered = [
        (scenario, [subject for subject in scenario.subjects if subject.is_ours])
        for scenario in SCENARIOS
        if scenario.name in ("prefilled", "dump")
    ]
    for name in names:
        if not any(
            one.is_named(scenario.name, [name]) for scenario, ours in offered for one in ours
        ):
            known = ", ".join(one.name for _, ours in offered for one in ours)
            raise Problem(f"--against does not compare {name!r}; choose from {known}, dump")
    chosen = [
        (scenario, [one for one in ours if one.is_named(scenario.name, names or DEFAULT)])
        for scenario, ours in offered
    ]
    return [(scenario, subjects) for scenario, subjects in chosen if subjects]


def _git(*arguments: str) -> str:
    try:
        return run(["git", "-C", str(ROOT), *arguments]).strip()
    except FileNotFoundError:
        raise Problem("--against needs git: apt-get install git") from None


def check_out(commit: str, folder: Path) -> str:
    """The files of a commit into `folder`; returns its full name."""
    if not (ROOT / ".git").exists():
        raise Problem(f"--against needs a git clone, and {ROOT} is none: clone the repository")
    try:
        name = _git("rev-parse", "--verify", "--end-of-options", f"{commit}^{{commit}}")
    except Problem as problem:
        raise Problem(
            f"no commit {commit!r} here: `git fetch --unshallow` if the clone is shallow, else see "
            f"`git log --oneline`; {problem}"
        ) from None
    archive = folder.with_suffix(".tar")
    _git("archive", "--format=tar", f"--output={archive}", name)
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return name


def _measure_pairs(
    bench: Bench,
    scenario: Scenario,
    subjects: list[Subject],
    sides: dict[str, Path],
    progress: Progress,
) -> list[Comparison]:
    family, routes = bench.options.family or 4, bench.options.routes[-1]
    found = {one.name: Comparison(f"{scenario.name}/{one.name}") for one in subjects}
    with scenario.around(bench, family, routes):
        for pair in range(WARM_UP + bench.options.pairs):
            for subject in subjects:
                comparison = found[subject.name]
                for side in sorted(sides, reverse=pair % 2 == 1):
                    what = f"{subject.name}, {side}, pair {pair} of {bench.options.pairs}"
                    progress.step(scenario.name, what)
                    measured = dataclasses.replace(subject, package=str(sides[side]))
                    figures = scenario.measure(bench, measured, family, routes)
                    if pair >= WARM_UP:
                        values = comparison.new_ns if side == "new" else comparison.old_ns
                        values.append(figures["ns_per_event"])
    return list(found.values())


def _text(found: dict[str, Any]) -> str:
    subjects = found["subjects"]
    lines = [
        [
            one["subject"],
            f"{one['old_ns']:,.0f}",
            f"{one['new_ns']:,.0f}",
            f"{one['ratio']:.3f}",
            f"{one['low']:.3f} to {one['high']:.3f}",
            one["verdict"],
        ]
        for one in subjects
    ]
    heads = ["", "old ns", "new ns", "new/old", "95% interval", "verdict"]
    parts = [
        f"The working tree (new) beside {found['commit'][:12]} (old): {found['pairs']} pairs, "
        f"{found['routes']:,} IPv{found['family']} routes, CPU time per event; load "
        f"{found['machine']['load']:.2f}",
        table(heads, lines, left=(0, 5)),
    ]
    if any(one["high"] > WIDE and one["low"] <= LIMIT for one in subjects):
        parts.append(
            "An interval is too wide to exclude a slowdown: repeat on a quiet machine, or with "
            "more --pairs."
        )
    return "\n\n".join(parts)


def compare(options: Options, programs: dict[str, str], folder: Path) -> int:
    """Build, measure, print, write the JSON. The exit code: 1 if a subject is slower."""
    assert options.against is not None
    chosen = choose(options.subjects)
    sources = {"old": folder / "old-source", "new": ROOT}
    commit = check_out(options.against, sources["old"])
    progress = Progress(2 * (WARM_UP + options.pairs) * sum(len(some) for _, some in chosen))
    sides = {}
    for side, source in sources.items():
        progress.note(f"building the {side} package")
        sides[side] = build_package(source, folder / side)
    with Bench(programs, options) as bench:
        comparisons = [
            comparison.as_dict()
            for scenario, subjects in chosen
            for comparison in _measure_pairs(bench, scenario, subjects, sides, progress)
        ]
    progress.end()
    found = {
        "format": FORMAT,
        "machine": machine(),
        "commit": commit,
        "family": options.family or 4,
        "routes": options.routes[-1],
        "pairs": options.pairs,
        "subjects": comparisons,
    }
    print(_text(found))
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    return 1 if any(one["verdict"] == "slower" for one in comparisons) else 0

# SPDX-License-Identifier: MIT
"""The results in README.md, from a run's JSON: `python -m benchmarks.markdown FILE [REMARK]`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.plan import SCENARIOS
from benchmarks.report import heading

README = Path(__file__).parent / "README.md"
HEADING = "\n## Results\n"


def _table(heads: list[str], lines: list[list[str]]) -> str:
    right = ["---"] + ["---:"] * (len(heads) - 1)
    return "\n".join("| " + " | ".join(line) + " |" for line in [heads, right, *lines])


def _speeds(found: dict[str, Any], scenario: str) -> str:
    """A line for each thing, a column for each family and size: ns of CPU, and times C's."""
    rows = [row for row in found["rows"] if row["scenario"] == scenario]
    columns = sorted({(row["family"], row["routes"]) for row in rows})
    cells = {(row["label"], row["family"], row["routes"]): row for row in rows}
    labels = [thing.label for one in SCENARIOS if one.name == scenario for thing in one.things]

    def cell(row: dict[str, Any] | None) -> str:
        if row is None:
            return ""
        times = "" if row["ratio"] is None else f" ({row['ratio']:.2f})"
        return f"{row['medians']['ns_per_event']:,.0f}{times}"

    return _table(
        ["ns of CPU per event (times C's)", *(f"IPv{f}, {n:,}" for f, n in columns)],
        [
            [label, *(cell(cells.get((label, *column))) for column in columns)]
            for label in labels
            if any((label, *column) in cells for column in columns)
        ],
    )


def _targets(found: dict[str, Any]) -> str:
    lines = []
    for one in found["targets"]:
        measured = "" if one["measured"] is None else f"{one['measured']:,.2f}"
        verdict = one["verdict"] + (f": {one['note']}" if one["note"] else "")
        lines.append([one["target"], one["limit"], measured, verdict])
    return _table(["", "target", "measured", "verdict"], lines)


def _parts(found: dict[str, Any], remark: str) -> Iterator[str]:
    titles = {one.name: one.title for one in SCENARIOS}
    where = f"{heading(found['machine'])}; medians of {found['options']['runs']} runs."
    yield f"{remark} {where}".strip()
    for scenario in ("prefilled", "dump"):
        if any(row["scenario"] == scenario for row in found["rows"]):
            yield f"{titles[scenario]}:"
            yield _speeds(found, scenario)
    yield "The targets:"
    yield _targets(found)


def main(path: str, remark: str = "") -> None:
    found = json.loads(Path(path).read_text())
    above, _, _ = README.read_text().partition(HEADING)
    README.write_text(above + HEADING + "\n" + "\n\n".join(_parts(found, remark)) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])

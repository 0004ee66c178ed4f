# SPDX-License-Identifier: MIT
"""The results as JSON; from that as text, as a chart, and as the tables of README.md:
`python -m benchmarks.report FILE.json` writes them anew."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import platform
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.bench import Options
from benchmarks.process import Unavailable
from benchmarks.results import Results, as_dict, judge
from benchmarks.subjects import SCENARIOS, TARGETS, Column, Scenario

FORMAT = 2  # of the JSON
README = Path(__file__).parent / "README.md"
MEGABYTE = 1e6
CPU_HEADING = "ns of CPU per event (times C's)"
COLOURS = {4: "#3b6ea5", 6: "#e08a2c"}
Lines = list[list[str]]


def machine() -> dict[str, Any]:
    with contextlib.suppress(ImportError):  # a comparison builds its own
        import netioapi  # noqa: F401

    model = re.search(r"^model name\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return {
        "cpu": model[1] if model else platform.machine(),
        "cpus": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "netioapi": getattr(sys.modules.get("netioapi"), "__version__", None),
        "rmem_max": int(Path("/proc/sys/net/core/rmem_max").read_text()),
        "load": os.getloadavg()[0],
    }


def content(about: dict[str, Any], options: Options, results: Results) -> dict[str, Any]:
    """Everything that was measured: the JSON."""
    return {
        "format": FORMAT,
        "machine": about,
        "options": {**dataclasses.asdict(options), "json": None, "chart": None},
        "rows": [as_dict(results, row) for row in results.rows],
        "targets": [judge(results, target) for target in TARGETS],
        "skipped": results.skipped,
        "failed": results.failed,
    }


def table(heads: list[str], lines: Lines, *, left: tuple[int, ...] = (0,)) -> str:
    """Numbers are aligned right, the columns `left` left."""
    widths = [max(len(line[i]) for line in [heads, *lines]) for i in range(len(heads))]

    def padded(line: list[str]) -> str:
        cells = (
            text.ljust(width) if i in left else text.rjust(width)
            for i, (text, width) in enumerate(zip(line, widths, strict=True))
        )
        return "  ".join(cells).rstrip()

    return "\n".join(map(padded, [heads, ["-" * width for width in widths], *lines]))


def markdown_table(heads: list[str], lines: Lines, *, left: tuple[int, ...] = (0,)) -> str:
    rule = ["---" if i in left else "---:" for i in range(len(heads))]
    return "\n".join("| " + " | ".join(line) + " |" for line in [heads, rule, *lines])


def _rows(found: dict[str, Any], scenario: Scenario) -> list[dict[str, Any]]:
    return [row for row in found["rows"] if row["scenario"] == scenario.name]


def _cell(row: dict[str, Any], column: Column) -> str:
    value = row["medians"].get(column.figure)
    if value is None:
        return "-"
    return f"{value / MEGABYTE:,.0f}" if column.form == "MB" else format(value, column.form)


def _section(scenario: Scenario, rows: list[dict[str, Any]]) -> tuple[list[str], Lines]:
    """All figures of a scenario."""
    ratios = any(row["ratio"] is not None for row in rows)
    heads = ["", "family", "routes", "runs", *(column.heading for column in scenario.columns)]
    lines = [
        [row["label"], f"IPv{row['family']}", f"{row['routes']:,}", str(len(row["runs"]))]
        + [_cell(row, column) for column in scenario.columns]
        + ["-" if row["ratio"] is None else f"{row['ratio']:.2f}"] * ratios
        for row in rows
    ]
    return heads + ["to C"] * ratios, lines


def _speeds(rows: list[dict[str, Any]]) -> tuple[list[str], Lines]:
    """A line for each subject, a column for each family and size."""
    sizes = sorted({(row["family"], row["routes"]) for row in rows})
    cells = {(row["label"], row["family"], row["routes"]): row for row in rows}

    def cell(row: dict[str, Any] | None) -> str:
        if row is None:
            return ""
        times = "" if row["ratio"] is None else f" ({row['ratio']:.2f})"
        return f"{row['medians']['ns_per_event']:,.0f}{times}"

    labels = dict.fromkeys(row["label"] for row in rows)
    return (
        [CPU_HEADING, *(f"IPv{family}, {routes:,}" for family, routes in sizes)],
        [[label, *(cell(cells.get((label, *size))) for size in sizes)] for label in labels],
    )


def _verdicts(found: dict[str, Any]) -> tuple[list[str], Lines]:
    lines = []
    for one in found["targets"]:
        measured = "-" if one["measured"] is None else f"{one['measured']:,.2f}{one['unit']}"
        lines.append([one["target"], one["limit"], measured, one["verdict"], one["note"][:70]])
    return ["", "target", "measured", "verdict", ""], lines


def heading(about: dict[str, Any]) -> str:
    return (
        f"netioapi {about['netioapi']}, Python {about['python']}, Linux {about['kernel']}, "
        f"{about['cpus']} x {about['cpu']}, net.core.rmem_max {about['rmem_max']:,}, "
        f"load {about['load']:.2f}"
    )


def _reasons(title: str, noted: list[dict[str, str]]) -> Iterator[str]:
    """One line for each reason."""
    subjects: dict[tuple[str, str], list[str]] = {}
    for one in noted:
        subjects.setdefault((one["scenario"], one["reason"]), []).append(one["subject"])
    lines = [f"  {where} ({', '.join(names)}): {why}" for (where, why), names in subjects.items()]
    if lines:
        yield "\n".join([title, *lines])


def text(found: dict[str, Any]) -> str:
    parts = [heading(found["machine"])]
    for scenario in SCENARIOS:
        if rows := _rows(found, scenario):
            title = f"{scenario.title} ({scenario.name})"
            parts.append(f"{title}\n{table(*_section(scenario, rows))}")
    parts.append("Targets\n" + table(*_verdicts(found), left=(0, 3, 4)))
    parts += [*_reasons("Skipped", found["skipped"]), *_reasons("Failed", found["failed"])]
    return "\n\n".join(parts)


def markdown(found: dict[str, Any]) -> dict[str, str]:
    """The tables of README.md by their names there."""
    where = f"{heading(found['machine'])}; medians of {found['options']['runs']} runs."
    heads, lines = _verdicts(found)
    lines = [[*line[:3], ": ".join(filter(None, line[3:]))] for line in lines]
    verdicts = markdown_table(heads[:4], lines, left=(0, 3))
    parts = [
        f"{scenario.title}:\n\n{markdown_table(*_speeds(rows))}"
        for scenario in SCENARIOS
        if scenario.name in ("prefilled", "dump") and (rows := _rows(found, scenario))
    ]
    return {
        "targets": f"{where}\n\n{verdicts}",
        "speeds": "\n\n".join(parts),
    }


def draw(found: dict[str, Any], path: Path) -> None:
    """A bar for each subject and family, at the largest size that was measured."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise Unavailable("no chart without matplotlib: pip install '.[bench]'") from None
    charted = [
        (scenario.title, rows)
        for scenario in SCENARIOS
        if scenario.name in ("prefilled", "dump") and (rows := _rows(found, scenario))
    ]
    if not charted:
        raise Unavailable("no chart: nothing was measured that has a CPU time per event")
    figure = Figure(figsize=(11, 1 + 4 * len(charted)), layout="constrained")
    axes_of = figure.subplots(len(charted), squeeze=False)[:, 0]
    for axes, (title, rows) in zip(axes_of, charted, strict=True):
        labels = list(dict.fromkeys(row["label"] for row in rows))
        largest = {(row["label"], row["family"]): row for row in rows}  # sizes ascend
        for (label, family), row in largest.items():
            value = row["medians"]["ns_per_event"]
            y = labels.index(label) + (0.2 if family == 6 else -0.2)
            axes.barh(y, value, height=0.36, color=COLOURS[family])
            ratio = "" if row["ratio"] is None else f", {row['ratio']:.2f} x C"
            shown = f" {value:,.0f}{ratio} ({row['routes']:,})"
            axes.text(value, y, shown, va="center", fontsize=8)
        axes.set_yticks(range(len(labels)), labels)
        axes.invert_yaxis()
        axes.set_xscale("log")
        axes.set_xlim(right=axes.get_xlim()[1] * 4)
        axes.set_title(f"{title}: ns of CPU per event, IPv4 blue, IPv6 orange")
    figure.savefig(path)


def write_readme(path: str) -> None:
    written = README.read_text()
    for name, part in markdown(json.loads(Path(path).read_text())).items():
        begin, end = f"<!-- {name} -->\n", f"\n<!-- end of {name} -->"
        above, _, rest = written.partition(begin)
        _, _, below = rest.partition(end)
        written = above + begin + part + end + below
    README.write_text(written)


if __name__ == "__main__":
    write_readme(*sys.argv[1:])

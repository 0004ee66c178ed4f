# SPDX-License-Identifier: MIT
"""The CPU time per event as a picture."""

from __future__ import annotations

from pathlib import Path

from benchmarks.problem import Unavailable
from benchmarks.results import TITLES, Results

COLOURS = {4: "#3b6ea5", 6: "#e08a2c"}


def draw(results: Results, path: Path) -> None:
    """A bar for each thing and family, at the largest size at which that thing was measured."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise Unavailable("no chart without matplotlib: pip install '.[bench]'") from None
    parts = [
        name for name in ("prefilled", "dump") if any(r.scenario == name for r in results.rows)
    ]
    if not parts:
        raise Unavailable("no chart: nothing was measured that has a CPU time per event")
    figure = Figure(figsize=(11, 1 + 4 * len(parts)), layout="constrained")
    for axes, scenario in zip(figure.subplots(len(parts), squeeze=False)[:, 0], parts, strict=True):
        rows = {
            (row.label, row.family): row for row in results.rows if row.scenario == scenario
        }  # sorted by size: the largest stays
        labels = list(dict.fromkeys(label for label, _ in rows))
        for (label, family), row in rows.items():
            value = row.median("ns_per_event")
            if value is None:
                continue
            y = labels.index(label) + (0.2 if family == 6 else -0.2)
            axes.barh(y, value, height=0.36, color=COLOURS[family])
            ratio = "" if row.ratio is None else f", {row.ratio:.2f} x C"
            axes.text(value, y, f" {value:,.0f}{ratio} ({row.routes:,})", va="center", fontsize=8)
        axes.set_yticks(range(len(labels)), labels)
        axes.invert_yaxis()
        axes.set_xscale("log")
        axes.set_xlim(right=axes.get_xlim()[1] * 4)
        axes.set_title(f"{TITLES[scenario]}: ns of CPU per event, IPv4 blue, IPv6 orange")
    figure.savefig(path)

# SPDX-License-Identifier: MIT
"""The results as text, and as JSON."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import platform
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.options import Options
from benchmarks.results import TITLES, Results, Row
from benchmarks.targets import Outcome

FORMAT = 1  # of the JSON
MEGABYTE = 1e6
# Scenario -> its columns: (heading, figure, how it is shown).
SPEED = (("ns/event", "ns_per_event", "{:,.0f}"), ("events/s", "events_per_s", "{:,.0f}"))
COLUMNS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "prefilled": (*SPEED, ("add ns", "add_ns", "{:,.0f}"), ("del ns", "del_ns", "{:,.0f}"),
                  ("sleeps", "sleeps_per_event", "{:,.3f}"),
                  ("events", "events", "{:,.0f}"), ("lost", "lost", "{:,.0f}"),
                  ("peak MB", "peak_bytes", "MB")),
    "dump": (*SPEED, ("B/row peak", "peak_per_row", "{:,.0f}"),
             ("B/row kept", "kept_per_row", "{:,.0f}")),
    "storm": (*SPEED, ("made/s", "produced_per_s", "{:,.0f}"), ("lost", "lost", "{:,.0f}"),
              ("overflows", "overflows", "{:,.0f}"), ("resyncs", "resyncs", "{:,.0f}"),
              ("exact", "exact", "{:,.0%}"), ("peak MB", "peak_bytes", "MB")),
    "burst": (*SPEED, ("lost", "lost", "{:,.0f}"), ("resyncs", "resyncs", "{:,.0f}"),
              ("exact", "exact", "{:,.0%}"), ("late s", "late_s", "{:,.2f}"),
              ("peak MB", "peak_bytes", "MB")),
    "slow": (("events", "events", "{:,.0f}"), ("keys", "keys", "{:,.0f}"),
             ("delivered", "changes", "{:,.0f}"), ("merged", "coalesced", "{:,.0f}"),
             ("most queued", "high_water", "{:,.0f}"), ("lost", "lost", "{:,.0f}"),
             ("exact", "exact", "{:,.0%}"), ("grown MB", "grown_bytes", "MB"),
             ("late s", "late_s", "{:,.2f}")),
    "latency": (("median us", "median_us", "{:,.1f}"), ("p99 us", "p99_us", "{:,.1f}")),
    "idle": (("threads", "threads", "{:,.0f}"), ("wake-ups/s", "wakeups_per_s", "{:,.1f}"),
             ("CPU us", "cpu_us", "{:,.0f}")),
    "import": (("ms", "ms", "{:,.1f}"),),
}  # fmt: skip


def _cell(row: Row, figure: str, form: str) -> str:
    value = row.median(figure)
    if value is None:
        return "-"
    return f"{value / MEGABYTE:,.0f}" if form == "MB" else form.format(value)


def table(heads: list[str], lines: list[list[str]], left: tuple[int, ...] = (0,)) -> str:
    """Numbers stand right, what is in the columns `left` stands left."""
    widths = [max(len(line[i]) for line in [heads, *lines]) for i in range(len(heads))]

    def laid(line: list[str]) -> str:
        cells = (
            text.ljust(width) if i in left else text.rjust(width)
            for i, (text, width) in enumerate(zip(line, widths, strict=True))
        )
        return "  ".join(cells).rstrip()

    return "\n".join([laid(heads), laid(["-" * width for width in widths]), *map(laid, lines)])


def _sections(results: Results) -> Iterator[str]:
    for scenario, columns in COLUMNS.items():
        rows = [row for row in results.rows if row.scenario == scenario]
        if not rows:
            continue
        has_ratio = any(row.ratio is not None for row in rows)
        heads = ["", "family", "routes", "runs", *(head for head, _, _ in columns)]
        lines = [
            [row.label, f"IPv{row.family}", f"{row.routes:,}", str(len(row.samples))]
            + [_cell(row, figure, form) for _, figure, form in columns]
            + ["-" if row.ratio is None else f"{row.ratio:.2f}"] * has_ratio
            for row in rows
        ]
        yield f"{TITLES[scenario]} ({scenario})\n{table(heads + ['to C'] * has_ratio, lines)}"


def _targets(outcomes: Iterable[Outcome]) -> str:
    lines = []
    for outcome in outcomes:
        target = outcome.target
        limit = f"{target.sign} {target.limit:g}{target.unit}"
        shown = "-" if outcome.measured is None else f"{outcome.measured:,.2f}{target.unit}"
        lines.append([target.text, limit, shown, outcome.verdict, outcome.note[:70]])
    return "Targets\n" + table(["", "target", "measured", "verdict", ""], lines, left=(0, 3, 4))


def _reasons(found: list[tuple[str, str, str]]) -> Iterator[str]:
    """One line for each reason."""
    things: dict[tuple[str, str], list[str]] = {}
    for scenario, thing, reason in found:
        things.setdefault((scenario, reason), []).append(thing)
    for (scenario, reason), names in things.items():
        yield f"  {scenario} ({', '.join(names)}): {reason}"


def text(results: Results, outcomes: list[Outcome]) -> str:
    parts = [*_sections(results), _targets(outcomes)]
    for title, found in (
        ("Skipped", results.measured.skipped),
        ("Failed", results.measured.failed),
    ):
        if found:
            parts.append("\n".join([title, *_reasons(found)]))
    return "\n\n".join(parts)


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


def heading(about: dict[str, Any]) -> str:
    return (
        f"netioapi {about['netioapi']}, Python {about['python']}, Linux {about['kernel']}, "
        f"{about['cpus']} x {about['cpu']}, net.core.rmem_max {about['rmem_max']:,}, "
        f"load {about['load']:.2f}"
    )


def as_json(
    about: dict[str, Any], options: Options, results: Results, outcomes: list[Outcome]
) -> str:
    asked = {**dataclasses.asdict(options), "json": None, "chart": None}
    skipped, failed = (
        [dict(zip(("scenario", "thing", "reason"), one, strict=True)) for one in found]
        for found in (results.measured.skipped, results.measured.failed)
    )
    content = {
        "format": FORMAT,
        "machine": about,
        "options": asked,
        "rows": [row.as_dict() for row in results.rows],
        "targets": [outcome.as_dict() for outcome in outcomes],
        "skipped": skipped,
        "failed": failed,
        "samples": [dataclasses.asdict(one) for one in results.measured.samples],
    }
    return json.dumps(content, indent=1) + "\n"

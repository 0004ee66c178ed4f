# SPDX-License-Identifier: MIT
"""Events as lines on standard output."""

from __future__ import annotations

import sys
from typing import Any

from netioapi.cli.output.describe import Describer
from netioapi.cli.output.paint import Paint
from netioapi.cli.output.records import Event, event_record, line
from netioapi.cli.output.words import clock_time, named

SIGNS = {"add": "+", "delete": "-", "parameter": "~"}
MARKS = {
    "overflow": "changes were lost; their repair follows",
    "synced": "the state is exact",
}
UNANNOUNCED = "  (unannounced)"


class Lines:
    """Writes Events. They appear after flush()."""

    def __init__(self, *, json: bool) -> None:
        self._json = json
        self._describer = Describer()
        self._paint = Paint()
        if not json:
            self._describer.learn()

    def write(self, event: Event) -> None:
        if self._json:
            sys.stdout.write(line(event_record(event)) + "\n")
            return
        sys.stdout.write(self.text(event) + "\n")

    def flush(self) -> None:
        sys.stdout.flush()

    def text(self, event: Event) -> str:
        if event.kind == "mark":
            sign, what = "!" if event.change == "overflow" else "=", MARKS[event.change]
        else:
            sign = " " if event.initial else SIGNS[event.change]
            what = self._what(event)
        tail = self._paint("dim", UNANNOUNCED) if event.synthesized else ""
        clock = self._paint("dim", clock_time(event.time_ns))
        return f"{clock}  {self._paint(sign, sign)} {event.kind:9}  {what}{tail}"

    def _what(self, event: Event) -> str:
        if event.kind == "teredo":
            return f"port {event.payload}" if event.payload else "no port"
        if event.kind == "hint":
            return _hint(event.payload)
        if event.kind == "stable":
            found = [self._describer.address(row) for row in event.payload]
            return f"{len(found)} addresses are stable: " + ", ".join(found)
        return self._describer.row(event.kind, event.payload)


def _hint(hint: Any) -> str:
    words = [named(hint.connectivity_level), "cost", named(hint.connectivity_cost)]
    for mark in ("approaching_data_limit", "over_data_limit", "roaming"):
        if getattr(hint, mark):
            words.append(mark)
    return " ".join(words)

# SPDX-License-Identifier: MIT
"""Changes and rows as JSON objects, one per line. docs/json.md describes the stable keys."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from netioapi.cli.output.words import family_name, iso_time, plain

CHANGES = ("parameter", "add", "delete")  # by NotificationType


class Event(NamedTuple):
    """One line of `monitor`."""

    time_ns: int
    kind: str  # route, address, interface, teredo, hint, stable; mark
    change: str  # add, delete, parameter; overflow, synced
    initial: bool = False  # part of the snapshot
    synthesized: bool = False  # the system sent no message for it
    payload: Any = None  # a row; a port; a hint; a table


def row_record(row: Any) -> dict[str, Any]:
    """All fields of a row by their names."""
    record = {name: plain(value) for name, value in row._asdict().items()}
    record["family"] = family_name(row.family)  # the number of AF_INET6 differs between systems
    return record


def event_record(event: Event) -> dict[str, Any]:
    record: dict[str, Any] = {
        "time": iso_time(event.time_ns),
        "kind": event.kind,
        "change": event.change,
    }
    if event.kind == "mark":
        return record
    record["initial"] = event.initial
    record["synthesized"] = event.synthesized
    if event.kind == "teredo":
        record["port"] = event.payload
    elif event.kind == "hint":
        record.update({name: plain(getattr(event.payload, name)) for name in HINT})
    elif event.kind == "stable":
        record["addresses"] = [row_record(row) for row in event.payload]
    else:
        record.update(row_record(event.payload))
    return record


HINT = (
    "connectivity_level",
    "connectivity_cost",
    "approaching_data_limit",
    "over_data_limit",
    "roaming",
)


def line(record: dict[str, Any]) -> str:
    """A record as ASCII: no interface name can send control characters to the terminal."""
    return json.dumps(record, separators=(",", ":"))

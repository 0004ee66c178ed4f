# SPDX-License-Identifier: MIT
"""`python -m netioapi monitor --json` on Windows: each change becomes a line with one JSON object,
and Ctrl-C at the console ends it at once."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from tests.support.cli import Running, ended_by, live_monitor, netioapi, records
from tests.windows.dll import checked, inject
from tests.windows.flood import Flood
from tests.windows.support import (
    ADD,
    DELETE,
    INDEX,
    INTERFACE,
    PARAMETER,
    ROUTE,
    ROW_KINDS,
    RowKind,
    luid_of,
    route_row,
)

pytestmark = pytest.mark.usefixtures("link")
NAMES = {ADD: "add", PARAMETER: "parameter", DELETE: "delete"}
MANY = 2000


@pytest.fixture
def monitor() -> Iterator[Running]:
    with live_monitor() as running:
        yield running


def changes_of(running: Running, kind: RowKind) -> list[tuple[str, int]]:
    """The printed changes of that kind, with the number of each row, without the snapshot."""
    name = kind.kind.name.lower()
    return [
        (record["change"], record[kind.number])
        for record in running.records
        if record["kind"] == name and not record["initial"]
    ]


@pytest.mark.parametrize("kind", ROW_KINDS, ids=lambda kind: kind.kind.name)
def test_monitor_prints_changes_of_each_kind(kind: RowKind, monitor: Running) -> None:
    name = kind.kind.name.lower()
    first = "parameter" if kind is INTERFACE else "add"
    kind.put(kind.make(1400))
    printed = monitor.wait_record(kind=name, change=first, **{kind.number: 1400})
    assert printed["interface_index"] == INDEX
    assert printed["interface_luid"] == luid_of(INDEX)
    assert printed["interface_name"] == "Ethernet 7"
    assert abs(datetime.fromisoformat(printed["time"]).timestamp() - time.time()) < 60
    kind.put(kind.make(1300))
    monitor.wait_record(kind=name, change="parameter", **{kind.number: 1300})
    kind.delete(kind.make(1300))
    gone = monitor.wait_record(kind=name, change="delete")
    assert gone[kind.number] == 1300  # the whole row, though Windows gives the key
    assert changes_of(monitor, kind) == [(first, 1400), ("parameter", 1300), ("delete", 1300)]
    assert monitor.errors == ""


def test_monitor_prints_no_line_for_unchanged_rows(monitor: Running) -> None:
    for kind in ROW_KINDS:
        for type in (PARAMETER, ADD):
            inject(kind.kind, kind.make(1), type)
    ROUTE.put(route_row(2))
    monitor.wait_record(kind="route", change="add", metric=2)
    assert changes_of(monitor, ROUTE) == [("add", 2)]
    assert all(changes_of(monitor, kind) == [] for kind in ROW_KINDS if kind is not ROUTE)


def test_monitor_prints_many_changes_in_order(monitor: Running) -> None:
    checked("standin_put_routes", route_row(1, "10.0.0.0/32"), MANY)
    monitor.wait_record(destination_prefix=f"10.0.{(MANY - 1) >> 8}.{(MANY - 1) & 255}/32")
    printed = [
        record["destination_prefix"]
        for record in monitor.records
        if record["kind"] == "route" and not record["initial"]
    ]
    assert printed == [f"10.0.{i >> 8}.{i & 255}/32" for i in range(MANY)]
    checked("standin_delete_routes", route_row(1, "10.0.0.0/32"), MANY)


def test_monitor_prints_hints_and_teredo_ports() -> None:
    with live_monitor("route", "teredo", "hint") as monitor:
        checked("standin_set_teredo", 4001)
        monitor.wait_record(kind="teredo", port=4001)
        checked("standin_set_hint", 3, 2, 4)
        hint = monitor.wait_record(kind="hint", initial=False)
        assert json.dumps(hint)
        assert monitor.end(signal.SIGINT) in ended_by(signal.SIGINT)
        assert monitor.errors == ""


def test_monitor_ends_after_its_count() -> None:
    ROUTE.put(route_row(5))
    done = netioapi("monitor", "route", "--snapshot", "--json", "--count", "3")
    assert len(records(done.stdout)) == 3
    assert done.stderr == ""


def test_monitor_with_a_table_prints_one_line_and_fails() -> None:
    done = netioapi("monitor", "route", "--table", "main", code=None)
    assert done.returncode in (1, 2)
    assert done.stdout == ""
    assert "Windows has one routing table" in done.stderr
    assert "Traceback" not in done.stderr


def interrupt(running: Running) -> None:
    """Ends the monitor by Ctrl-C: it has the exit code of any program ended so, and prints no
    error."""
    start = time.monotonic()
    assert running.end(signal.SIGINT) in ended_by(signal.SIGINT)
    assert time.monotonic() - start < 15
    assert running.errors == ""


@pytest.mark.parametrize("kinds", [(), ("route",), ("route", "teredo", "hint"), ("hint", "teredo")])
def test_ctrl_c_ends_monitor_quietly(kinds: tuple[str, ...]) -> None:
    if "route" in kinds or not kinds:
        with live_monitor(*kinds) as monitor:
            interrupt(monitor)
    else:  # without a Watcher there is no mark
        with Running("monitor", "--json", "--snapshot", *kinds) as monitor:
            monitor.wait_record(kind="hint")
            interrupt(monitor)


@pytest.mark.parametrize("arguments", [("--json",), ()])
def test_ctrl_c_ends_monitor_under_a_flood(arguments: tuple[str, ...]) -> None:
    with (
        Flood(INDEX, pause=0.001, threads=2),
        Running("monitor", *arguments) as monitor,
    ):
        monitor.wait_line(lambda line: "198.18.0." in line)
        interrupt(monitor)
        if arguments:
            whole: list[Any] = monitor.lines[:-1]  # the last one may be cut off
            assert all(json.loads(line) for line in whole)

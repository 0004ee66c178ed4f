# SPDX-License-Identifier: MIT
"""A network in a compartment of its own, as a host of containers has it: what is registered by a
thread in that compartment is read there, on whatever thread."""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

import netioapi
from netioapi import Watcher
from tests.support.changes import State, apply, read_snapshot, tables
from tests.support.collector import Collector
from tests.windows.dll import Setting, checked, fail
from tests.windows.support import (
    DELETE,
    INTERFACE,
    NOTIFY,
    PARAMETER,
    ROW_KINDS,
    RowKind,
    failing,
    setting,
)
from tests.windows.test_watcher_windows import name_of, read_all, summary

all_kinds = pytest.mark.parametrize("kind", ROW_KINDS, ids=lambda kind: kind.kind.name)
DEFAULT, OTHER = 1, 7


def system() -> Any:
    assert sys.platform == "win32"
    return ctypes.WinDLL("iphlpapi.dll")


@pytest.fixture(autouse=True)
def in_the_compartment(link: int) -> Iterator[None]:
    with setting(Setting.COMPARTMENT, OTHER):
        assert len(netioapi.get_ip_interface_table()) == 0
        assert system().SetCurrentThreadCompartmentId(OTHER) == 0
        assert len(netioapi.get_ip_interface_table()) > 0
        yield
        assert system().SetCurrentThreadCompartmentId(DEFAULT) == 0


@all_kinds
def test_watcher_reads_rows_in_the_compartment_of_its_maker(kind: RowKind) -> None:
    with Watcher(name_of(kind), "route", snapshot=True) as watcher:
        state: State = {}
        apply(state, read_snapshot(watcher))
        for number in (1400, 1300):
            kind.put(kind.make(number))
            changes = read_all(watcher)
            apply(state, changes)
            assert [n for type, n in summary(changes, kind) if type != DELETE] == [number]
        with failing(kind.entry, 87, 1):  # the table is read
            kind.put(kind.make(1280))
            changes = read_all(watcher)
            assert summary(changes, kind) == [(PARAMETER, 1280)]
            apply(state, changes)
        wanted = {key: row for key, row in tables().items() if key[0] in (name_of(kind), "route")}
        assert state == wanted


@all_kinds
def test_callback_gets_whole_rows_of_the_compartment(kind: RowKind, collector: Collector) -> None:
    compartments: list[int] = []

    def look(row: Any, type: Any) -> None:
        compartments.append(system().GetCurrentThreadCompartmentId())
        collector(row, type)

    with kind.notify(look):
        kind.put(kind.make(1400))
        collector.wait_any(lambda row, _: getattr(row, kind.number) == 1400)
    assert set(compartments) == {DEFAULT}  # the system's thread is as it was


def test_first_hint_is_of_the_compartment(collector: Collector) -> None:
    checked("standin_set_hint", 3, 2, 1)
    notify, _ = NOTIFY["NotifyNetworkConnectivityHintChange"]
    with notify(collector, initial_notification=True):
        ((hint,),) = collector.wait_count(1)
    assert int(hint.connectivity_level) == 3


def test_registration_of_another_compartment_is_never_called(collector: Collector) -> None:
    made: list[Any] = []
    thread = threading.Thread(target=lambda: made.append(INTERFACE.notify(collector)))
    thread.start()  # in the default compartment
    thread.join(60)
    with made[0], INTERFACE.notify(witness := Collector()):
        INTERFACE.put(INTERFACE.make(1400))
        witness.wait_count(1)
    assert collector.events == []


def test_compartment_that_cannot_be_entered_is_no_error() -> None:
    with Watcher("route") as watcher:
        assert read_all(watcher) == []  # its thread is there
        fail("SetCurrentThreadCompartmentId", 5)
        with Watcher("route"):
            pass
        fail("SetCurrentThreadCompartmentId", 0, 0)
        assert read_all(watcher) == []

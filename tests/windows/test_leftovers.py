# SPDX-License-Identifier: MIT
"""Registrations, watchers and callbacks leave no thread, no handle and no registration on
Windows."""

from __future__ import annotations

import pytest

import netioapi
from tests.support.collector import Collector
from tests.support.waiting import eventually
from tests.windows.dll import drain
from tests.windows.native import Caught
from tests.windows.support import (
    NOTIFY,
    PARAMETER,
    ROUTE,
    handles,
    live,
    no_handle_left,
    route_row,
    threads,
)

pytestmark = pytest.mark.usefixtures("link")


def settled() -> set[int]:
    """The threads once their number in the pool is stable."""
    drain()
    before = threads()
    while (now := threads()) != before:
        before = now
    return before


def test_registrations_leave_no_handle_and_no_thread() -> None:
    def once(metric: int) -> None:
        made = [notify(lambda *_: None, initial_notification=True) for notify, _ in NOTIFY.values()]
        ROUTE.put(route_row(metric))
        for registration in made:
            registration.cancel()

    for metric in range(10):
        once(metric)
    drain()
    with no_handle_left():
        count, before = len(settled()), live()
        for metric in range(10, 50):  # 200 registrations
            once(metric)
        drain()
        assert live() == before
        eventually(lambda: len(settled()) <= count, what=f"{count} threads")


def test_live_registrations_use_no_handle() -> None:
    ROUTE.notify(lambda *_: None).cancel()
    drain()
    with no_handle_left():
        before = handles()
        made = [ROUTE.notify(lambda *_: None) for _ in range(200)]
        assert handles() == before
        for registration in made:
            registration.cancel()


def test_cancels_without_wait_leave_no_handle() -> None:
    def once() -> None:
        for _ in range(40):
            ROUTE.notify(lambda *_: None).cancel(wait=False)

    before = live()
    once()
    eventually(lambda: live() == before)
    ROUTE.notify(lambda *_: None).cancel()  # joins the helper threads
    with no_handle_left():
        for _ in range(5):
            once()
        eventually(lambda: live() == before)
        ROUTE.notify(lambda *_: None).cancel()


def test_watchers_leave_no_handle_and_no_thread() -> None:
    def once(metric: int) -> None:
        with netioapi.Watcher(snapshot=True) as watcher:
            ROUTE.put(route_row(metric))
            for batch in watcher:
                if any(c.kind == "route" and c.row.metric == metric for c in batch):
                    break

    for metric in range(1, 6):
        once(metric)
    drain()
    with no_handle_left():
        count = len(settled())
        for metric in range(6, 56):
            once(metric)
        eventually(lambda: len(settled()) <= count, what=f"{count} threads")


def test_callbacks_leave_no_handle() -> None:
    with ROUTE.notify(seen := Collector()):
        ROUTE.put(route_row(1))
        seen.wait_count(1)
        drain()
        with no_handle_left():
            for metric in range(2, 500):
                ROUTE.put(route_row(metric))
            drain()
            seen.wait_any(lambda row, _: row.metric == 499)


def test_foreign_threads_leave_no_handle() -> None:
    caught = Caught(lambda *_: None)
    with caught.registration:
        caught.call(route_row(1), PARAMETER, threads=4)
        with no_handle_left():
            for _ in range(25):
                caught.call(route_row(1), PARAMETER, threads=4)
        assert caught.registration.delivered == 104

# SPDX-License-Identifier: MIT
"""A callback that stays inside until it is let go, and threads that cancel."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

import netioapi
from netioapi import Registration
from tests.support.network import Network
from tests.support.routes import add_routes


class BlockingCallback:
    """A callback that stays inside until it is let go."""

    def __init__(self) -> None:
        self.entered, self.leave = threading.Event(), threading.Event()
        self.left = False

    def __call__(self, row: Any, type: Any) -> None:
        self.entered.set()
        assert self.leave.wait(30)
        self.left = True


class Canceller(threading.Thread):
    """Calls in a thread of its own; `result` re-raises there what was raised here."""

    def __init__(self, work: Callable[[], object]) -> None:
        super().__init__()
        self._work = work
        self.error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self._work()
        except BaseException as error:
            self.error = error

    def result(self) -> None:
        self.join(30)
        assert not self.is_alive()
        if self.error is not None:
            raise self.error


def change(netns: Network, number: int = 0) -> None:
    add_routes(netns, range(number, number + 1))


def blocked_registration(netns: Network, number: int = 0) -> tuple[BlockingCallback, Registration]:
    held = BlockingCallback()
    registration = netioapi.notify_route_change2(held, socket.AF_INET)
    change(netns, number)
    assert held.entered.wait(60)
    return held, registration

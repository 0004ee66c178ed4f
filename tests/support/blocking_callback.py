# SPDX-License-Identifier: MIT
"""A callback that blocks until the test releases it, and a registration with one."""

from __future__ import annotations

import socket
import threading
from typing import Any

import netioapi
from netioapi import Registration
from tests.support.network import Network
from tests.support.routes import add_routes


class BlockingCallback:
    """A callback that blocks until `release` is set; `entered` and `returned` say where it is."""

    def __init__(self) -> None:
        self.entered, self.release = threading.Event(), threading.Event()
        self.returned = False

    def __call__(self, row: Any, type: Any) -> None:
        self.entered.set()
        assert self.release.wait(30)
        self.returned = True


def change(netns: Network, number: int = 0) -> None:
    add_routes(netns, range(number, number + 1))


def blocked_registration(netns: Network, number: int = 0) -> tuple[BlockingCallback, Registration]:
    blocking = BlockingCallback()
    registration = netioapi.notify_route_change2(blocking, socket.AF_INET)
    change(netns, number)
    assert blocking.entered.wait(60)
    return blocking, registration

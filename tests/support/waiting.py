# SPDX-License-Identifier: MIT
"""Waiting with a deadline, which says what it saw when the deadline passes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

# Seconds to wait for what is sure to come: on a starved machine it comes late.
TIMEOUT_S = 60.0
T = TypeVar("T")


def eventually(check: Callable[[], T], timeout: float = TIMEOUT_S, what: str = "") -> T:
    """Look until `check()` is true: for states of the kernel that no event announces."""
    deadline = time.monotonic() + timeout
    pause = threading.Event()
    while not (result := check()):
        assert time.monotonic() < deadline, f"not within {timeout} s: {what or check}: {result!r}"
        pause.wait(0.005)
    return result

# SPDX-License-Identifier: MIT
"""Waiting with a deadline; a failure shows the last state seen."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

# Seconds to wait for a certain event: on a busy machine it comes late.
TIMEOUT_S = 60.0
T = TypeVar("T")


def eventually(check: Callable[[], T], timeout: float = TIMEOUT_S, what: str = "") -> T:
    """Polls until `check()` is true: for states that no event announces."""
    deadline = time.monotonic() + timeout
    pause = threading.Event()
    while not (result := check()):
        assert time.monotonic() < deadline, f"not within {timeout} s: {what or check}: {result!r}"
        pause.wait(0.005)
    return result

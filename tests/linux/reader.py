# SPDX-License-Identifier: MIT
"""The thread that hears the kernel for this process, from outside."""

from __future__ import annotations

import os
from pathlib import Path


def _thread() -> Path:
    for task in Path("/proc/self/task").iterdir():
        if (task / "comm").read_text().strip() == "netio-reader":
            return task
    raise AssertionError("there is none")


def wakeups() -> int:
    """How often it slept."""
    for line in (_thread() / "status").read_text().splitlines():
        name, value = line.split(":", 1)
        if name == "voluntary_ctxt_switches":
            return int(value)
    raise AssertionError("not counted")


def slow_down() -> None:
    """Let everybody else go first."""
    os.setpriority(os.PRIO_PROCESS, int(_thread().name), 19)

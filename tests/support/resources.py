# SPDX-License-Identifier: MIT
"""Threads and descriptors of this process, counted."""

from __future__ import annotations

import os
import sys

if sys.platform == "win32":
    from tests.windows.dll import Figure, is_standin, stat


def counts() -> tuple[int, int]:
    """The threads of this process and its descriptors. On Windows the system's pool has threads and
    handles of its own, which come and go: there it is what the system holds for us."""
    if sys.platform == "win32":
        return stat(Figure.LIVE), stat(Figure.GIVEN)
    return len(os.listdir("/proc/self/task")), len(os.listdir("/proc/self/fd"))


def counts_are_known() -> bool:
    """Can counts() tell? On Windows the stand-in alone does."""
    return sys.platform != "win32" or is_standin()

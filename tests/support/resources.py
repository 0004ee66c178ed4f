# SPDX-License-Identifier: MIT
"""The number of threads and descriptors of this process."""

from __future__ import annotations

import os
import sys

if sys.platform == "win32":
    from tests.windows.dll import Figure, is_standin, stat


def counts() -> tuple[int, int]:
    """The threads and descriptors of this process. On Windows, where the threads and handles of the
    system's pool come and go: the registrations and tables that the system holds for us."""
    if sys.platform == "win32":
        return stat(Figure.LIVE), stat(Figure.GIVEN)
    return len(os.listdir("/proc/self/task")), len(os.listdir("/proc/self/fd"))


def counts_are_known() -> bool:
    """True where counts() works: everywhere but on a Windows without the stand-in."""
    return sys.platform != "win32" or is_standin()

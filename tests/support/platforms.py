# SPDX-License-Identifier: MIT
"""The system that the tests run on, and the mark for tests of Linux alone."""

from __future__ import annotations

import ctypes
import sys

import pytest

WINDOWS = sys.platform == "win32"


def linux_only(reason: str) -> pytest.MarkDecorator:
    """Marks a test of something that Windows lacks; `reason` names it."""
    return pytest.mark.skipif(WINDOWS, reason=f"not on Windows: {reason}")


def on_wine() -> bool:
    return sys.platform == "win32" and hasattr(ctypes.WinDLL("ntdll.dll"), "wine_get_version")


def skip_on_wine_alone(lacks: str) -> None:
    """Skips the test on Wine's own iphlpapi.dll, which lacks something of Windows."""
    if on_wine():
        from tests.windows.dll import is_standin

        if not is_standin():
            pytest.skip(f"Wine's own iphlpapi.dll lacks {lacks}")

# SPDX-License-Identifier: MIT
"""The system that the tests run on, and the mark of a test for Linux alone."""

from __future__ import annotations

import ctypes
import sys

import pytest

WINDOWS = sys.platform == "win32"


def linux_only(reason: str) -> pytest.MarkDecorator:
    """For a test of what Windows does not have, with what that is."""
    return pytest.mark.skipif(WINDOWS, reason=f"not on Windows: {reason}")


def on_wine() -> bool:
    return sys.platform == "win32" and hasattr(ctypes.WinDLL("ntdll.dll"), "wine_get_version")

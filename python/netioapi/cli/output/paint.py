# SPDX-License-Identifier: MIT
"""Colours, if standard output is a terminal and NO_COLOR is not set (https://no-color.org)."""

from __future__ import annotations

import os
import sys

COLOURS = {
    "bold": "1",
    "dim": "2",
    "+": "32",
    "-": "31",
    "~": "33",
    "!": "1;31",
    "=": "1;32",
    "good": "1;32",
    "bad": "1;31",
}


def is_terminal() -> bool:
    """True when standard output is a terminal that can move its cursor."""
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


class Paint:
    """Colours text, or returns it as it is."""

    def __init__(self) -> None:
        self._on = is_terminal() and not os.environ.get("NO_COLOR")

    def __call__(self, colour: str, text: str) -> str:
        code = COLOURS.get(colour)
        return f"\x1b[{code}m{text}\x1b[0m" if self._on and code else text

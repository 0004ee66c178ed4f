# SPDX-License-Identifier: MIT
"""The checkout that the tests belong to."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def repo_text(path: str) -> str:
    """A text file of the repository; Windows' own encoding is another."""
    return (ROOT / path).read_text(encoding="utf-8")

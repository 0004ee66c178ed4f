# SPDX-License-Identifier: MIT
"""The checkout that the tests belong to."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def repo_text(path: str) -> str:
    """The content of a text file of the repository, as UTF-8: Windows' default encoding is
    another."""
    return (ROOT / path).read_text(encoding="utf-8")

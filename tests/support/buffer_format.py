# SPDX-License-Identifier: MIT
"""Parses the format string of a Table's buffer: the place of each member."""

from __future__ import annotations

import re

SIZES = {"?": 1, "B": 1, "H": 2, "I": 4, "i": 4, "Q": 8, "16s": 16, "(16)B": 16, "(16)I": 64}


def places(text: str) -> dict[str, tuple[int, str]]:
    """{member: (offset, code)} of a format; the empty name has the total size."""
    assert text[:3] == "T{="
    assert text[-1] == "}"
    found: dict[str, tuple[int, str]] = {}
    offset = 0
    item = re.compile(r"(\d*)x|(T\{[^}]*\}|(?:\(\d+\))?\d*[a-zA-Z?]):(\w+):")
    position = 3
    while position < len(text) - 1:
        one = item.match(text, position)
        assert one, text[position:]
        position = one.end()
        if one[3]:
            found[one[3]] = (offset, one[2])
            offset += (32 if ":length:" in one[2] else 28) if "T{" in one[2] else SIZES[one[2]]
        else:
            offset += int(one[1] or 1)
    found[""] = (offset, "")
    return found

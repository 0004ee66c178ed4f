# SPDX-License-Identifier: MIT
"""The sources of a fuzz target; python -m tests.fuzz.targets NAME prints them for a compiler."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

# Each target with the system functions that it wraps.
TARGETS = {
    "decode": ("if_indextoname",),
    "mirror": (),
    "reply": (
        *("socket", "setsockopt", "dup3", "close"),
        *("sendto", "recvmsg", "recvmmsg"),
    ),
}


def wraps(target: str) -> list[str]:
    return [f"-Wl,--wrap={name}" for name in TARGETS[target]]


def sources() -> list[str]:
    """The whole tower, as a plain C library."""
    patterns = ("base/*.c", "base/posix/*.c", "rtnetlink/**/*.c")
    return [str(path) for one in patterns for path in sorted((ROOT / "csrc").glob(one))]


if __name__ == "__main__":
    print(*wraps(sys.argv[1]), *sources(), sep="\n")

# SPDX-License-Identifier: MIT
"""What the process holds at a quiet point, and whether that grew.

Bytes are those that malloc has given and not got back, which is exact where RSS is not: the worker
runs without malloc's caches for each thread, and with Python's objects in malloc too. Pages are the
process' own: malloc has one arena, not one more for each thread that met another in it, where what
is small keeps many pages of what was large; and libc keeps no stack of a thread that is gone.
"""

from __future__ import annotations

import ctypes
import gc
import os
import re
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from tests.linux.heap import heap_counter

# What the bytes may grow between the second quarter of a run and its last: caches that fill late.
# At rest they differ by some 10 KB from point to point.
BYTES_ALLOWED = 64 << 10
# The same of pages, which malloc keeps in pieces. At rest they differ by 2 MB.
PAGES_ALLOWED = 6 << 20
FEWEST = 8  # quiet points, so that there are quarters
# For the worker's environment. Free-threaded CPython has an allocator of its own, and no choice.
ENVIRONMENT = {
    "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0:glibc.malloc.arena_max=1"
    ":glibc.pthread.stack_cache_size=0",
    **({} if sysconfig.get_config_var("Py_GIL_DISABLED") else {"PYTHONMALLOC": "malloc"}),
}


_libc = ctypes.CDLL(None)
_used = heap_counter()


@dataclass(frozen=True)
class Measured:
    bytes: int  # in use; 0 where libc does not say
    pages: int  # bytes of the pages that are this process' alone
    threads: int
    descriptors: int


def measure() -> Measured:
    rollup = Path("/proc/self/smaps_rollup").read_text()
    found = re.search(r"^Anonymous:\s+(\d+) kB", rollup, re.MULTILINE)
    return Measured(
        0 if _used is None else _used(),
        int(found[1]) << 10 if found else 0,
        len(os.listdir("/proc/self/task")),
        len(os.listdir("/proc/self/fd")),
    )


def measure_quietly() -> Measured:
    """With nothing left that is garbage only."""
    for _ in range(3):
        gc.collect()
    if hasattr(_libc, "malloc_trim"):
        _libc.malloc_trim(0)
    return measure()


def grown(points: list[Measured]) -> list[str]:
    """What is more in the last quarter of the points than in the second, beyond what is allowed. In
    the first one caches fill. The least of each quarter is compared: what comes on top of it at one
    point was not left there."""
    wrong = []
    if len(points) < FEWEST:
        return []
    quarter = len(points) // 4
    for name, allowed in (("bytes", BYTES_ALLOWED), ("pages", PAGES_ALLOWED)):
        values = [getattr(point, name) for point in points]
        first, last = min(values[quarter : 2 * quarter]), min(values[-quarter:])
        if last - first > allowed:
            wrong.append(
                f"{name} grew by {last - first:,} from {first:,}, allowed are {allowed:,}: {values}"
            )
    return wrong

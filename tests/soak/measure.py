# SPDX-License-Identifier: MIT
"""What the process holds at a quiet point, and whether that has grown.

Bytes are those that malloc gave out and did not get back: exact, where RSS is not, since the worker
runs without malloc's per-thread caches and with Python's objects in malloc, too. Pages are private
to the process. malloc has a single arena: with one for each contending thread, small blocks would
keep many pages of large ones. libc keeps no stack of an ended thread.
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

# How much the bytes may grow between the second and the last quarter of a run: some caches fill
# late. At rest they vary by about 10 KB.
BYTES_ALLOWED = 64 << 10
# The same for pages, which malloc keeps in pieces. At rest they vary by 2 MB.
PAGES_ALLOWED = 6 << 20
FEWEST = 8  # quiet points needed for quarters
# The worker's environment. Free-threaded CPython has an allocator of its own, without a choice.
ENVIRONMENT = {
    "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0:glibc.malloc.arena_max=1"
    ":glibc.pthread.stack_cache_size=0",
    **({} if sysconfig.get_config_var("Py_GIL_DISABLED") else {"PYTHONMALLOC": "malloc"}),
}


_libc = ctypes.CDLL(None)
_used = heap_counter()


@dataclass(frozen=True)
class Measured:
    bytes: int  # in use; 0 where libc cannot tell
    pages: int  # bytes of private pages
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
    """Measures after all garbage is collected."""
    for _ in range(3):
        gc.collect()
    if hasattr(_libc, "malloc_trim"):
        _libc.malloc_trim(0)
    return measure()


def grown(points: list[Measured]) -> list[str]:
    """What has grown from the second quarter of the points to the last, beyond the allowance.
    Caches fill in the first quarter. The minimum of each quarter counts, since a peak at one point
    is no leak."""
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

# SPDX-License-Identifier: MIT
"""How much of the C library's memory is in use: the tower and the columns take theirs from there,
where Python's own counters do not look."""

from __future__ import annotations

import ctypes
from collections.abc import Callable


class _Mallinfo2(ctypes.Structure):
    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    )
    hblkhd: int  # large blocks, each a mapping of its own
    uordblks: int  # all others that are in use


def heap_counter() -> Callable[[], int] | None:
    """Counts the bytes in use, of all threads. None where the C library does not say (musl)."""
    try:
        mallinfo2 = ctypes.CDLL(None).mallinfo2
    except AttributeError:
        return None
    mallinfo2.restype = _Mallinfo2

    def used() -> int:
        told: _Mallinfo2 = mallinfo2()
        return told.uordblks + told.hblkhd

    return used

# SPDX-License-Identifier: MIT
"""The C library's memory in use: the tower and the columns allocate there, unseen by Python's own
counters."""

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
    hblkhd: int  # large blocks, each mapped separately
    uordblks: int  # all other blocks in use


def heap_counter() -> Callable[[], int] | None:
    """A function that counts the bytes in use, of all threads. None where the C library cannot tell
    (musl)."""
    try:
        mallinfo2 = ctypes.CDLL(None).mallinfo2
    except AttributeError:
        return None
    mallinfo2.restype = _Mallinfo2

    def used() -> int:
        info: _Mallinfo2 = mallinfo2()
        return info.uordblks + info.hblkhd

    return used

# SPDX-License-Identifier: MIT
"""Does a call leave memory behind? Counted in blocks of the allocator, not in bytes or time."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable

import pytest

ROUNDS = 100


def leaks(use: Callable[[], object]) -> bool:
    """True when each call leaves at least one block. Caches that fill once are no leak."""
    if sys.getallocatedblocks() == 0:
        pytest.skip("this allocator counts no blocks (PYTHONMALLOC)")
    for _ in range(10):
        gc.collect()
        before = sys.getallocatedblocks()
        for _ in range(ROUNDS):
            use()
        gc.collect()
        if sys.getallocatedblocks() - before < ROUNDS * 3 // 4:
            return False
    return True

# SPDX-License-Identifier: MIT
"""Does a call leak? Counted are blocks of Python's allocator, bytes of the C library, references,
threads and descriptors; never time."""

from __future__ import annotations

import gc
import sys
import sysconfig
from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple

import pytest

from tests.support.resources import counts, counts_are_known
from tests.support.waiting import eventually

if sys.platform == "linux":
    from tests.linux.heap import heap_counter

ROUNDS = 100
TRIES = 10
IMMORTAL = 1 << 28  # a reference count from which an object is immortal (since 3.12)


class Figure(NamedTuple):
    """A quantity that is counted."""

    name: str
    count: Callable[[], int]
    least: int = 1  # how much one leak adds


def _references(name: str, thing: object) -> Figure:
    return Figure(f"references to {name}", lambda: sys.getrefcount(thing))


def _figures(watched: Iterable[object]) -> list[Figure]:
    found = [Figure("blocks", sys.getallocatedblocks)]
    if hasattr(sys, "gettotalrefcount"):
        found.append(Figure("references", sys.gettotalrefcount))
    if sys.platform == "linux" and (used := heap_counter()) is not None:
        found.append(Figure("bytes of the C library", used, 16))
    if counts_are_known():
        found.append(Figure("threads", lambda: counts()[0]))
        found.append(Figure("descriptors", lambda: counts()[1]))
    # Free-threaded CPython counts references elsewhere.
    if not sysconfig.get_config_var("Py_GIL_DISABLED"):
        found += [_references(repr(one), one) for one in watched if sys.getrefcount(one) < IMMORTAL]
    return found


def leaks(
    use: Callable[[], object], *, rounds: int = ROUNDS, watched: Iterable[object] = ()
) -> dict[str, int]:
    """What each call leaks at least: {name: amount}, with the types of leaked objects. Empty when
    in one of several tries no figure grew with the calls, since a cache that fills once is no leak.

    watched: long-lived objects, whose references are counted one by one.
    """
    if sys.getallocatedblocks() == 0:
        pytest.skip("this allocator counts no blocks (PYTHONMALLOC)")
    suspects = _figures(watched)
    grown: dict[str, int] = {}
    threads, patience = counts()[0] if counts_are_known() else 0, 5.0
    for _ in range(TRIES):
        _free_garbage_and_caches()
        before = [figure.count() for figure in suspects]
        for _ in range(rounds):
            use()
        if not _threads_end(threads, patience):
            patience = 1.0  # the next tries wait less: these threads stay
        _free_garbage_and_caches()
        growth = [figure.count() - was for figure, was in zip(suspects, before, strict=True)]
        still = [
            (figure, more)
            for figure, more in zip(suspects, growth, strict=True)
            if more >= rounds * figure.least * 3 // 4
        ]
        suspects = [figure for figure, _ in still]
        grown = {figure.name: more // rounds for figure, more in still}
        if not suspects:
            return {}
    return {**grown, **_types_left(use, rounds)}


def _free_garbage_and_caches() -> None:
    """Frees garbage and CPython's cache of attributes, which for hundreds of calls keeps the names
    that C code looks up."""
    clear = getattr(sys, "_clear_internal_caches", None) or sys._clear_type_cache
    clear()
    gc.collect()


def _threads_end(threads: int, timeout: float) -> bool:
    """Threads of a call that did not wait for them take a moment to end on a busy machine. A thread
    that stays is counted."""
    if counts_are_known():
        try:
            eventually(lambda: counts()[0] <= threads, timeout=timeout)
        except AssertionError:
            return False
    return True


def _types_left(use: Callable[[], object], rounds: int) -> dict[str, int]:
    before = Counter(type(one).__name__ for one in gc.get_objects())
    for _ in range(rounds):
        use()
    gc.collect()
    more = Counter(type(one).__name__ for one in gc.get_objects()) - before
    return {f"objects of {name}": n // rounds for name, n in more.items() if n >= rounds * 3 // 4}

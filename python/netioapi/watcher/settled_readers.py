# SPDX-License-Identifier: MIT
"""Who reads a settled Watcher, and when each of them looks again: what is due by the clock alone
wakes nobody, so a reader that leaves calls those who would come too late for it."""

from __future__ import annotations

from collections.abc import Callable

from netioapi._native import Watch
from netioapi.watcher.settling import Settler

NEVER = float("inf")


class Reader:
    """One call that reads, from its beginning to its end. `settler` None: there is nothing to do.

    all_of_them: the readers that there are, and until when each of them sleeps.
    """

    __slots__ = ("_all", "_clock", "_settler", "_watch")

    def __init__(
        self,
        watch: Watch,
        settler: Settler | None,
        all_of_them: dict[Reader, float],
        clock: Callable[[], float],
    ) -> None:
        self._watch = watch
        self._settler = settler
        self._all = all_of_them
        self._clock = clock

    def __enter__(self) -> Reader:
        if self._settler is not None:
            self._all[self] = NEVER  # whoever leaves from now on calls it
        return self

    def looks_again(self, seconds: float | None) -> None:
        """In so many seconds, or when it is called."""
        if self._settler is not None:
            self._all[self] = NEVER if seconds is None else self._clock() + seconds

    def __exit__(self, *_: object) -> None:
        """Nothing is raised: a batch may be on its way out."""
        if self._settler is None:
            return
        self._all.pop(self, None)
        due = self._settler.due
        if due is None:
            return
        try:
            # What is due already makes the watcher readable, for those who wait for that.
            late = due <= self._clock() or max(list(self._all.values()), default=due) > due
        except MemoryError:
            late = True
        if late:
            self._watch.wake_one()

# SPDX-License-Identifier: MIT
"""Settling: changes are held back until the stream is quiet. Pure: it is told the time."""

from __future__ import annotations

from _thread import allocate_lock
from collections.abc import Callable, Iterable

from netioapi._native import Change
from netioapi.batch import Batch


class Settler:
    """Holds the last state of each thing that changed, and what the marks of the stream said.

    Any number of threads may call any method. The lock is held for no call that waits.
    """

    def __init__(self, settle: float, max_delay: float | None) -> None:
        self._settle = settle
        self._max_delay = max_delay
        self._lock = allocate_lock()
        self._pending: dict[bytes, Change] = {}
        self._overflow = False
        self._synced = False
        self._due: float | None = None  # when to deliver; None: nothing is held
        self._latest = 0.0  # no later than this
        self.coalesced = 0  # changes that a later one replaced
        self.delivered = 0

    def take_in(
        self,
        read: Callable[[], tuple[Iterable[Change], bool, bool] | None],
        clock: Callable[[], float],
    ) -> bool:
        """Add what `read()` returns, which does not wait; False: nothing.

        Under the lock, so that of two readers who was first at the stream is first here, too.
        """
        with self._lock:
            got = read()
            if got is not None:
                self._add(*got, clock())
            return got is not None

    def add(self, changes: Iterable[Change], overflow: bool, synced: bool, now: float) -> None:
        with self._lock:
            self._add(changes, overflow, synced, now)

    def _add(self, changes: Iterable[Change], overflow: bool, synced: bool, now: float) -> None:
        if self._due is None:
            self._latest = float("inf") if self._max_delay is None else now + self._max_delay
        self._due = min(now + self._settle, self._latest)
        if overflow or synced:  # a later word on exactness takes the place of an earlier one
            self._overflow |= overflow
            self._synced = synced
        pending = self._pending
        for change in changes:
            identity = change._identity
            earlier = pending.pop(identity, None)  # and to the end: the order of last states
            if earlier is not None:
                change = earlier._followed_by(change)
                self.coalesced += 1
            pending[identity] = change

    def take(self, now: float, most: int) -> Batch | None:
        """What is due now; of more than `most` changes the rest stays due."""
        with self._lock:
            if self._due is None or now < self._due:
                return None
            if len(self._pending) <= most:
                changes, synced = list(self._pending.values()), self._synced
                self._pending = {}
                self._synced = False
                self._due = None
            else:
                keys = [key for key, _ in zip(self._pending, range(most), strict=False)]
                changes, synced = [self._pending.pop(key) for key in keys], False
                self._due = self._latest = now
            overflow, self._overflow = self._overflow, False
            self.delivered += len(changes)
            return Batch(changes, overflow, synced)

    @property
    def due(self) -> float | None:
        """When something is to be delivered; None: nothing is held."""
        return self._due

    @property
    def held(self) -> int:
        return len(self._pending)

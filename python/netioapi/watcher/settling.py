# SPDX-License-Identifier: MIT
"""Settling: changes are held back until none has come for a while. Pure: the caller passes the
time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from itertools import islice

from netioapi._native import Change
from netioapi.batch import Batch
from netioapi.enums import NotificationType


class Settler:
    """Holds the last state of each row that changed, and the last marks of the stream.

    What came and went while it was held is not delivered: see nio_change_merge (base/change.h).

    One thread at a time calls take_in() and take(); any thread may read the properties. Changes
    that were read exist nowhere else, so neither an allocation failure nor an exception of a signal
    handler may lose one: each step first allocates what it needs, and only then modifies the state.
    The next call continues where a failed one stopped, and may repeat the last step, which then
    changes nothing.
    """

    def __init__(self, settle: float, max_delay: float | None) -> None:
        self._settle = settle
        self._max_delay = max_delay
        self._incoming: Batch | None = None
        self._position = 0  # the index of the next incoming change
        # By identity. None: it came and went; it is removed in the next step.
        self._pending: OrderedDict[bytes, Change | None] = OrderedDict()
        self._clean = True  # no change is None
        self._overflow = False
        self._synced = False
        self._due: float | None = None  # the time to deliver; None: nothing is held
        self._latest = 0.0  # the upper limit of _due, from max_delay
        self.delivered = 0

    def take_in(self, read: Callable[[], Batch | None], clock: Callable[[], float]) -> bool:
        """Add the batch that `read()` returns. It does not wait; False when it returns None."""
        if self._incoming is None:
            self._position = 0
            self._incoming = read()
            if self._incoming is None:
                return False
        self._postpone(clock())
        self._add(self._incoming)
        return True

    def _postpone(self, now: float) -> None:
        if self._due is None:
            self._latest = float("inf") if self._max_delay is None else now + self._max_delay
        self._due = min(now + self._settle, self._latest)

    def _add(self, batch: Batch) -> None:
        pending = self._pending
        for position in range(self._position, len(batch)):
            change = batch[position]
            identity = change._identity
            after = position + 1
            if identity not in pending:
                pending[identity] = change
                self._position = after
                continue
            merged = _merged(pending[identity], change)
            if merged is not None:
                pending[identity] = merged
                pending.move_to_end(identity)  # the order is that of the last states
                self._position = after
                continue
            clean = self._clean
            self._clean = False
            pending[identity] = None
            self._position = after
            del pending[identity]
            self._clean = clean
        if batch.overflow or batch.synced:  # the later mark replaces the earlier
            self._overflow |= batch.overflow
            self._synced = batch.synced
        self._incoming = None

    def _is_empty(self) -> bool:
        if not self._clean:
            for identity in [key for key, change in self._pending.items() if change is None]:
                del self._pending[identity]
            self._clean = True
        return not (self._pending or self._overflow or self._synced)

    def take(self, now: float, most: int) -> Batch | None:
        """The changes that are due; None when none are. More than `most` of them stay due."""
        if self._due is None or self._incoming is not None:
            return None
        if self._is_empty():
            self._due = None
            return None
        if now < self._due:
            return None
        complete = len(self._pending) <= most
        keys = list(islice(self._pending, most))
        changes = [one for one in islice(self._pending.values(), most) if one is not None]
        batch = Batch(changes, self._overflow, self._synced and complete)
        delivered = self.delivered + len(changes)
        if complete:
            self._pending.clear()
            self._synced = False
            self._due = None
        else:
            for key in keys:
                del self._pending[key]
            self._due = self._latest = now
        self._overflow = False
        self.delivered = delivered
        return batch

    @property
    def due(self) -> float | None:
        """The time of the next delivery; None when nothing is held."""
        return self._due

    @property
    def held(self) -> int:
        """The number of changes that were read and not delivered yet."""
        incoming = self._incoming
        rest = 0 if incoming is None else len(incoming) - self._position
        return len(self._pending) + rest


def _merged(earlier: Change | None, change: Change) -> Change | None:
    if earlier is not None:
        return earlier._merge(change)
    # It came and went: it comes again, or the step that removes it is repeated.
    return None if change.type == NotificationType.DELETE else change

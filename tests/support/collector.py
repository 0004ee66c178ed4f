# SPDX-License-Identifier: MIT
"""A callback that keeps its arguments, and can be waited for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from itertools import islice
from typing import Any, TypeVar

from tests.support.waiting import TIMEOUT_S

T = TypeVar("T")


class Collector:
    """A callback that keeps its arguments, one tuple a call, and can be waited for."""

    def __init__(self, then: Callable[..., object] | None = None) -> None:
        self._condition = threading.Condition()
        self._events: list[tuple[Any, ...]] = []
        self._then = then

    def __call__(self, *arguments: Any) -> None:
        with self._condition:
            self._events.append(arguments)
            self._condition.notify_all()
        if self._then is not None:
            self._then(*arguments)

    def __len__(self) -> int:
        return len(self.events)

    @property
    def events(self) -> list[tuple[Any, ...]]:
        with self._condition:
            return list(self._events)

    def clear(self) -> None:
        with self._condition:
            self._events.clear()

    def wait_for(
        self, predicate: Callable[[list[tuple[Any, ...]]], T], timeout: float = TIMEOUT_S
    ) -> T:
        """Waits until `predicate(all events so far)` is true, and returns what it returned."""
        deadline = time.monotonic() + timeout
        with self._condition:
            while not (result := predicate(list(self._events))):
                left = deadline - time.monotonic()
                if left <= 0 or not self._condition.wait(left):
                    if result := predicate(list(self._events)):
                        break
                    raise AssertionError(
                        f"not within {timeout} s; {len(self._events)} events, the last of them: "
                        f"{self._events[-20:]}"
                    )
        return result

    def wait_any(
        self, predicate: Callable[..., object], timeout: float = TIMEOUT_S
    ) -> tuple[Any, ...]:
        """Waits for the first event whose `predicate(*arguments)` is true. Each event is tried
        once."""
        looked = 0

        def find(all_: list[tuple[Any, ...]]) -> tuple[Any, ...] | None:
            nonlocal looked
            first, looked = looked, len(all_)
            return next((e for e in islice(all_, first, None) if predicate(*e)), None)

        return self.wait_for(find, timeout)

    def wait_count(self, count: int, timeout: float = TIMEOUT_S) -> list[tuple[Any, ...]]:
        return self.wait_for(lambda all_: all_ if len(all_) >= count else [], timeout)

# SPDX-License-Identifier: MIT
"""A call in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable


class BackgroundCall(threading.Thread):
    """Runs a call in a thread; `result()` joins it and raises again what the call raised."""

    def __init__(self, work: Callable[[], object]) -> None:
        super().__init__()
        self._work = work
        self.error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self._work()
        except BaseException as error:
            self.error = error

    def result(self) -> None:
        self.join(30)
        assert not self.is_alive()
        if self.error is not None:
            raise self.error

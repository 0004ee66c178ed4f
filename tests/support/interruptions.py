# SPDX-License-Identifier: MIT
"""A call that is interrupted at each bytecode instruction of the package, one after the other, as a
signal handler or a finalizer can interrupt it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

PACKAGE = "netioapi"


class Interruption:
    """Within the block, `act` is called once: before the instruction with this number."""

    def __init__(self, number: int, act: Callable[[], object]) -> None:
        self._left = number
        self._act = act
        self.happened = False

    def _in_frame(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "opcode" and not self.happened:
            self._left -= 1
            if self._left == 0:
                self.happened = True
                sys.settrace(None)  # `act` runs like any other code
                self._act()
        return self._in_frame

    def _on_call(self, frame: FrameType, event: str, argument: Any) -> Any:
        if self.happened or PACKAGE not in frame.f_globals.get("__name__", "").split("."):
            return None
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        return self._in_frame

    def __enter__(self) -> Interruption:
        self._before = sys.gettrace()
        sys.settrace(self._on_call)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)


def interruptions(act: Callable[[], object]) -> Iterator[Interruption]:
    """One for each instruction, until the caller's block has fewer of them, twice: CPython 3.12
    traces no instruction of a function that was first called within the block."""
    number, missed = 1, 0
    while missed < 2:
        one = Interruption(number, act)
        yield one
        if one.happened:
            number, missed = number + 1, 0
        else:
            missed += 1

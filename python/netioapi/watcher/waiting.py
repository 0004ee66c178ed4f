# SPDX-License-Identifier: MIT
"""How a coroutine waits for a Watch, on the loop that runs it, which is asyncio's, uvloop's or
trio's. No polling, and nothing left behind after a cancellation. What a system's events are waited
for with stands in a module of its own: descriptors (Linux), handles (Windows)."""

from __future__ import annotations

import sys
from types import ModuleType

from netioapi._native import Watch

if sys.platform == "win32":
    from netioapi.watcher.waiting_windows import until_set
else:
    from netioapi.watcher.waiting_posix import until_set


def _running_trio() -> ModuleType | None:
    trio = sys.modules.get("trio")
    if trio is not None:
        try:
            trio.lowlevel.current_task()
        except (RuntimeError, AttributeError):  # not in a task of it; not wholly imported yet
            return None
    return trio


async def checkpoint() -> None:
    """Let others run, and be cancelled if that is due."""
    trio = _running_trio()
    if trio is not None:
        await trio.lowlevel.checkpoint()
        return
    import asyncio  # not at import: it is large, and many programs have no use for it

    await asyncio.sleep(0)


async def readable(watch: Watch, timeout: float | None) -> None:
    """Wait until there is something to read, it is stopped, or the time has passed."""
    try:
        event = watch.begin_poll()
    except ValueError:  # closed meanwhile: the caller sees it
        return
    try:
        await until_set(watch, event, timeout, _running_trio())
    finally:
        watch.end_poll()

# SPDX-License-Identifier: MIT
"""How a coroutine waits for a Watch on the event loop that runs it: asyncio, uvloop or trio. It
does not poll, and a cancellation leaves nothing behind. An event of the system is a descriptor on
Linux and a handle on Windows; each has a module of its own."""

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
        except (RuntimeError, AttributeError):  # no task of trio; not completely imported
            return None
    return trio


async def checkpoint() -> None:
    """Let other tasks run; a pending cancellation is raised here."""
    trio = _running_trio()
    if trio is not None:
        await trio.lowlevel.checkpoint()
        return
    import asyncio  # not at import: it is large, and many programs do not use it

    await asyncio.sleep(0)


async def readable(watch: Watch, timeout: float | None) -> None:
    """Wait until there is something to read, the Watch is stopped, or `timeout` seconds pass."""
    try:
        event = watch.begin_poll()
    except ValueError:  # closed in the meantime: the caller checks
        return
    try:
        await until_set(watch, event, timeout, _running_trio())
    finally:
        watch.end_poll()

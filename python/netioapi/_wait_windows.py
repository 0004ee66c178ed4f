# SPDX-License-Identifier: MIT
"""Waiting for an event that is a handle. asyncio's own loop on Windows (ProactorEventLoop) and trio
have a wait for handles; another loop waits in a thread of its pool, since it has none."""

from __future__ import annotations

from types import ModuleType

from netioapi._native import Watch

_LONGEST = 86400.0  # seconds that every loop can wait; who wakes early looks and waits again


async def until_set(
    watch: Watch, handle: int, timeout: float | None, trio: ModuleType | None
) -> None:
    limit = _LONGEST if timeout is None else min(timeout, _LONGEST)
    if trio is not None:
        with trio.move_on_after(limit if timeout is not None else float("inf")):
            await trio.lowlevel.WaitForSingleObject(handle)
        return
    import asyncio  # not at import: it is large, and many programs have no use for it

    loop = asyncio.get_running_loop()
    proactor = getattr(loop, "_proactor", None)
    if proactor is not None:
        await proactor.wait_for_handle(handle, None if timeout is None else limit)
        return
    waiting = loop.run_in_executor(None, watch.wait, limit)
    try:
        await asyncio.shield(waiting)
    finally:
        if not waiting.done():
            watch.nudge()  # nobody waits for that thread any more: let it go

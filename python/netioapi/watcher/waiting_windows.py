# SPDX-License-Identifier: MIT
"""Waiting for an event that is a handle. asyncio's own loop on Windows (ProactorEventLoop) and trio
have a wait for handles; another loop has none, so a thread of its own waits for it."""

from __future__ import annotations

import contextlib
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
    # Not at import: they are large, and many programs have no use for them.
    import asyncio
    import threading

    loop = asyncio.get_running_loop()
    proactor = getattr(loop, "_proactor", None)
    if proactor is not None:
        await proactor.wait_for_handle(handle, None if timeout is None else limit)
        return
    woken = loop.create_future()

    def tell(error: BaseException | None) -> None:
        if not woken.done():
            woken.set_result(None) if error is None else woken.set_exception(error)

    def wait() -> None:
        error = None
        try:
            watch.wait(limit)
        except BaseException as raised:
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(tell, error)

    # Not of the loop's pool: its threads are few, and others', and an exit joins them before it
    # closes what they wait for.
    threading.Thread(target=wait, name="netioapi-wait", daemon=True).start()
    try:
        await woken
    finally:
        if woken.cancelled() or not woken.done():  # the second: this coroutine is thrown away
            watch.wake_one()  # nobody waits for that thread any more: let it go

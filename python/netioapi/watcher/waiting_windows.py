# SPDX-License-Identifier: MIT
"""Waiting for an event that is a handle. asyncio's default loop on Windows (ProactorEventLoop) and
trio can wait for a handle. For another loop a thread waits."""

from __future__ import annotations

import contextlib
from types import ModuleType

from netioapi._native import Watch

_MAX_WAIT_S = 86400.0  # every loop can wait for so long; the caller waits again


async def until_set(
    watch: Watch, handle: int, timeout: float | None, trio: ModuleType | None
) -> None:
    limit = _MAX_WAIT_S if timeout is None else min(timeout, _MAX_WAIT_S)
    if trio is not None:
        with trio.move_on_after(limit if timeout is not None else float("inf")):
            await trio.lowlevel.WaitForSingleObject(handle)
        return
    # Not at import: they are large, and many programs do not use them.
    import asyncio
    import threading

    loop = asyncio.get_running_loop()
    proactor = getattr(loop, "_proactor", None)
    if proactor is not None:
        await proactor.wait_for_handle(handle, None if timeout is None else limit)
        return
    woken = loop.create_future()

    def finish(error: BaseException | None) -> None:
        if not woken.done():
            woken.set_result(None) if error is None else woken.set_exception(error)

    def wait() -> None:
        error = None
        try:
            watch.wait(limit)
        except BaseException as raised:
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(finish, error)

    # Not a thread of the loop's pool: the pool has few threads, and the program needs them. And the
    # exit of the interpreter would join such a thread before it closes the Watch, and so hang.
    threading.Thread(target=wait, name="netioapi-wait", daemon=True).start()
    try:
        await woken
    finally:
        if woken.cancelled() or not woken.done():  # not done: the coroutine is discarded
            watch.wake_one()  # ends the wait of the thread, which is not needed any more

# SPDX-License-Identifier: MIT
"""How a coroutine waits for a Watch: by a descriptor, on the loop that runs it, which is asyncio's,
uvloop's or trio's. No thread, no polling, and nothing left behind after a cancellation.

This is the way of systems whose events are descriptors (Linux); a system without them gets another
module of these two functions.
"""

from __future__ import annotations

import os
import sys
from types import ModuleType

from netioapi._native import Watch

_LONGEST = 86400.0  # seconds that every loop can wait; who wakes early looks and waits again


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
    import asyncio

    await asyncio.sleep(0)


async def readable(watch: Watch, timeout: float | None) -> None:
    """Wait until there is something to read, it is stopped, or the time has passed."""
    try:
        descriptor = watch.begin_poll()
    except ValueError:  # closed meanwhile: the caller sees it
        return
    try:
        # A duplicate of its own for each waiter: a loop knows one reader per descriptor.
        descriptor = os.dup(descriptor)
        try:
            limit = _LONGEST if timeout is None else min(timeout, _LONGEST)
            trio = _running_trio()
            if trio is not None:
                with trio.move_on_after(limit if timeout is not None else float("inf")):
                    await trio.lowlevel.wait_readable(descriptor)
            else:
                await _asyncio_readable(descriptor, None if timeout is None else limit)
        finally:
            os.close(descriptor)
    finally:
        watch.end_poll()


async def _asyncio_readable(descriptor: int, timeout: float | None) -> None:
    import asyncio  # not at import: it is large, and many programs have no use for it

    loop = asyncio.get_running_loop()
    woken = loop.create_future()

    def wake() -> None:
        if not woken.done():
            woken.set_result(None)

    loop.add_reader(descriptor, wake)
    timer = None if timeout is None else loop.call_later(timeout, wake)
    try:
        await woken
    finally:
        if timer is not None:
            timer.cancel()
        if not loop.is_closed():
            loop.remove_reader(descriptor)

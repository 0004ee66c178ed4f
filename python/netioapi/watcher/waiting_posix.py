# SPDX-License-Identifier: MIT
"""Waiting for an event that is a descriptor. The event loop itself waits, without a thread."""

from __future__ import annotations

import os
from types import ModuleType

from netioapi._native import Watch

_MAX_WAIT_S = 86400.0  # every loop can wait for so long; the caller waits again


async def until_set(
    watch: Watch, descriptor: int, timeout: float | None, trio: ModuleType | None
) -> None:
    # A duplicate for each waiting task, since a loop accepts one reader per descriptor.
    descriptor = os.dup(descriptor)
    try:
        limit = _MAX_WAIT_S if timeout is None else min(timeout, _MAX_WAIT_S)
        if trio is not None:
            with trio.move_on_after(limit if timeout is not None else float("inf")):
                await trio.lowlevel.wait_readable(descriptor)
        else:
            await _asyncio_readable(descriptor, None if timeout is None else limit)
    finally:
        os.close(descriptor)


async def _asyncio_readable(descriptor: int, timeout: float | None) -> None:
    import asyncio  # not at import: it is large, and many programs do not use it

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

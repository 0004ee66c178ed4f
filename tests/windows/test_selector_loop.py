# SPDX-License-Identifier: MIT
"""A loop that cannot wait for handles: each Watcher waits in a thread of its own, which takes none
of the loop's pool and does not keep the program alive."""

from __future__ import annotations

import asyncio
import os
import threading

import pytest

from netioapi import Watcher
from tests.support.waiting import eventually
from tests.windows.support import ROUTE, route_row, script

pytestmark = [pytest.mark.usefixtures("link"), pytest.mark.timeout(240)]


async def until_waiting(threads: int) -> None:
    while threading.active_count() < threads:
        await asyncio.sleep(0)


def test_waiting_watchers_leave_the_loops_pool_free() -> None:
    pool, before = min(32, (os.cpu_count() or 1) + 4), threading.active_count()

    async def main() -> None:
        quiet = [Watcher("address") for _ in range(pool)]
        reading = [asyncio.ensure_future(watcher.__anext__()) for watcher in quiet]
        await asyncio.wait_for(until_waiting(before + pool), 60)
        with Watcher("route") as last:
            batch = asyncio.ensure_future(last.__anext__())
            await asyncio.wait_for(until_waiting(before + pool + 1), 60)
            ROUTE.put(route_row(1))
            assert len(await asyncio.wait_for(batch, 60)) == 1
            assert await asyncio.wait_for(asyncio.to_thread(int), 60) == 0
        for watcher in quiet:
            watcher.close()
        await asyncio.gather(*reading, return_exceptions=True)

    loop = asyncio.SelectorEventLoop()
    try:
        loop.run_until_complete(main())
    finally:
        loop.close()
    eventually(lambda: threading.active_count() <= before + 1)  # the thread of to_thread()


@pytest.mark.parametrize("cancels", [True, False])
def test_abandoned_wait_leaves_no_thread(cancels: bool) -> None:
    """Also where a loop is closed during a wait that was not cancelled."""
    before = threading.active_count()
    with Watcher("address") as watcher:
        loop = asyncio.SelectorEventLoop()
        waiting = watcher.__anext__()
        task = loop.create_task(waiting)
        loop.run_until_complete(until_waiting(before + 1))
        if cancels:
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                loop.run_until_complete(task)
        else:
            waiting.close()
        loop.close()
        eventually(lambda: threading.active_count() == before)


def test_program_with_a_pending_wait_ends() -> None:
    done = script(
        """
import asyncio, netioapi, threading
async def until_waiting():
    while threading.active_count() == 1:
        await asyncio.sleep(0)
loop = asyncio.SelectorEventLoop()
watcher = netioapi.Watcher("address")
task = loop.create_task(watcher.__anext__())
loop.run_until_complete(until_waiting())
print("over", flush=True)
""",
        timeout=60,
    )
    assert done.stdout.strip() == "over"
    assert done.returncode == 0

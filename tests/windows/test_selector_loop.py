# SPDX-License-Identifier: MIT
"""A loop that cannot wait for handles: each Watcher waits in a thread of its own, which takes none
of the loop's pool and keeps no program from its end."""

from __future__ import annotations

import asyncio
import os

import pytest

from netioapi import Watcher
from tests.windows.support import ROUTE, route_row, script

pytestmark = [pytest.mark.usefixtures("link"), pytest.mark.timeout(240)]


def test_the_pool_is_left_to_others() -> None:
    pool = min(32, (os.cpu_count() or 1) + 4)

    async def main() -> None:
        quiet = [Watcher("address") for _ in range(pool)]
        reading = [asyncio.ensure_future(watcher.__anext__()) for watcher in quiet]
        with Watcher("route") as last:
            batch = asyncio.ensure_future(last.__anext__())
            await asyncio.sleep(0)  # all of them wait
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


def test_a_program_with_a_pending_wait_ends() -> None:
    done = script(
        """
import asyncio, netioapi
loop = asyncio.SelectorEventLoop()
watcher = netioapi.Watcher("address")
task = loop.create_task(watcher.__anext__())
loop.run_until_complete(asyncio.sleep(0.1))
print("over", flush=True)
""",
        timeout=60,
    )
    assert done.stdout.strip() == "over"
    assert done.returncode == 0

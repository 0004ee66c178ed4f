# SPDX-License-Identifier: MIT
"""How do I watch from asyncio? With `async for`, as on uvloop and trio. A timeout or a cancellation
ends the wait and loses no change."""

import asyncio

import netioapi


async def watch() -> None:
    async with netioapi.Watcher("address", "interface", snapshot=True) as watcher:
        async for batch in watcher:
            names = sorted({str(change.row.interface_name) for change in batch})
            print(len(batch), "changes of", ", ".join(names))


asyncio.run(watch())

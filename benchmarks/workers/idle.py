# SPDX-License-Identifier: MIT
"""A Watcher that nothing happens to, after one change that shows that it lives."""

from __future__ import annotations

import asyncio

from benchmarks.workers.lines import FAMILIES, say
from netioapi import Watcher


def sync(family: int) -> None:
    with Watcher("route", family=FAMILIES[family]) as watcher:
        say("ready")
        for _ in watcher:
            say("seen")


def asynchronous(family: int) -> None:
    async def watch() -> None:
        async with Watcher("route", family=FAMILIES[family]) as watcher:
            say("ready")
            async for _ in watcher:
                say("seen")

    asyncio.run(watch())

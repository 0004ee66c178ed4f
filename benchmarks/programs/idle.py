# SPDX-License-Identifier: MIT
"""A Watcher without events, after one change that shows that it works."""

from __future__ import annotations

import asyncio

from benchmarks.programs.protocol import FAMILIES, report
from netioapi import Watcher


def sync(family: int) -> None:
    with Watcher("route", family=FAMILIES[family]) as watcher:
        report("ready")
        for _ in watcher:
            report("seen")


def asynchronous(family: int) -> None:
    async def watch() -> None:
        async with Watcher("route", family=FAMILIES[family]) as watcher:
            report("ready")
            async for _ in watcher:
                report("seen")

    asyncio.run(watch())

# SPDX-License-Identifier: MIT
"""Watchers of every kind: random filters and queues, slow readers, event loops, sudden ends."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Any

from netioapi import Batch, InvalidParameterError, Watcher
from tests.linux.model.world import OTHERS
from tests.support.background import BackgroundCall

from .counters import Activity

KINDS = ("route", "address", "interface")
QUEUES = (1, 2, 10, 1000, 1_000_000)
MOST = 6


def random_watcher(activity: Activity, receive_buffer: int | None) -> Watcher:
    chance = activity.random
    wanted: dict[str, Any] = {
        "family": chance.choice((0, 0, socket.AF_INET, socket.AF_INET6)),
        "snapshot": activity.chance(0.6),
        "queue": chance.choice(QUEUES),
        "receive_buffer": receive_buffer,
    }
    if activity.chance(0.3):
        wanted["tables"] = chance.sample([254, 255, *OTHERS], chance.randint(1, 3))
    if activity.chance(0.3):
        wanted["interfaces"] = chance.sample([1, 2, 3, 4, 5], 2)
    if activity.chance(0.3):
        wanted["prefixes"] = chance.sample(["10.0.0.0/8", "198.18.0.0/15", "fd00::/8", "::/0"], 2)
        wanted["prefix_match"] = chance.choice(("covered", "exact", "covering"))
    if activity.chance(0.2):
        wanted["protocols"] = chance.sample(range(2, 190), 5)
    if activity.chance(0.3):
        wanted["settle"] = chance.choice((0.001, 0.05, 0.5))
        wanted["max_delay"] = chance.choice((None, 0.1))
    kinds = chance.sample(KINDS, chance.randint(0, 3))
    try:
        watcher = Watcher(*kinds, **wanted)
    except InvalidParameterError:
        del wanted["interfaces"]  # one of them does not exist
        watcher = Watcher(*kinds, **wanted)
    activity.counters.add("watchers")
    return watcher


def look_at(activity: Activity, batch: Batch | None) -> None:
    if batch is None:
        return
    activity.counters.add("changes", len(batch))
    activity.counters.add("overflows", batch.overflow)
    way = activity.random.randrange(3)
    if way == 0:
        for change in batch:
            hash(change.row)
    elif way == 1:
        rows = (batch.routes, batch.addresses, batch.interfaces)
        assert sum(len(table) for table in rows) == len(batch)
        bytes(memoryview(rows[0]))


def iterate(activity: Activity, watcher: Watcher) -> None:
    """Another thread iterates until this one stops it."""

    def read() -> None:
        with contextlib.suppress(ValueError):  # closed before the iteration began
            for batch in watcher:
                activity.counters.add("changes", len(batch))

    reader = BackgroundCall(read)
    activity.pause(0.3)
    (watcher.close if activity.chance(0.5) else watcher.stop)()
    reader.result()


def add_up(activity: Activity, watcher: Watcher) -> None:
    """No change is lost without a trace."""
    stats = watcher.stats()
    activity.counters.add("coalesced", stats["coalesced"])
    accounted = stats["delivered"] + stats["coalesced"] + stats["queued"]
    if stats["received"] != accounted:
        activity.counters.fail(activity.name, f"{watcher!r} does not add up: {stats}")


def end(activity: Activity, watcher: Watcher) -> None:
    way = activity.random.randrange(4)
    if way == 0:
        iterate(activity, watcher)
    elif way == 1:
        threads = [BackgroundCall(watcher.close) for _ in range(2)]
        for thread in threads:
            thread.result()
    elif way == 2:
        return  # dropped without close()
    watcher.close()
    add_up(activity, watcher)


def watchers(activity: Activity, receive_buffer: int | None) -> None:
    live: list[Watcher] = []
    while activity.pause(0.1):
        if len(live) < MOST and activity.chance(0.4):
            live.append(random_watcher(activity, receive_buffer))
        for watcher in live:
            if activity.chance(0.3):  # the others are read slowly
                most = activity.random.choice((None, 1, 10, 10_000))
                look_at(activity, watcher.read(activity.random.choice((0, 0, 0.05)), most))
        if live and activity.chance(0.3):
            end(activity, live.pop(activity.random.randrange(len(live))))
        if activity.chance(0.05):
            activity.pause(1)
    while live:
        end(activity, live.pop())


async def _stream(activity: Activity, receive_buffer: int | None) -> None:
    async with random_watcher(activity, receive_buffer) as watcher:
        with contextlib.suppress(TimeoutError):
            # No wait_for(): before 3.12 it may swallow the cancellation of its task.
            async with asyncio.timeout(activity.random.uniform(0, 0.1)):
                await anext(watcher, None)
        async for batch in watcher:
            look_at(activity, batch)
            if activity.chance(0.1):
                await asyncio.sleep(activity.random.uniform(0, 0.2))


async def _streams(activity: Activity, receive_buffer: int | None) -> None:
    tasks = [asyncio.create_task(_stream(activity, receive_buffer)) for _ in range(3)]
    await asyncio.sleep(activity.random.uniform(0, 1))
    for task in tasks:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if not isinstance(result, asyncio.CancelledError):
            raise AssertionError("a stream ended by itself") from result


def streams(activity: Activity, receive_buffer: int | None) -> None:
    while activity.pause(0.2):
        asyncio.run(_streams(activity, receive_buffer))

# SPDX-License-Identifier: MIT
"""Watchers of every kind: random filters and queues, readers that are slow, loops, sudden ends."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Any

from netioapi import Batch, InvalidParameterError, Watcher
from tests.linux.model.world import OTHERS
from tests.support.background import BackgroundCall

from .counters import Guest

KINDS = ("route", "address", "interface")
QUEUES = (1, 2, 10, 1000, 1_000_000)
MOST = 6


def random_watcher(guest: Guest, receive_buffer: int | None) -> Watcher:
    chance = guest.random
    wanted: dict[str, Any] = {
        "family": chance.choice((0, 0, socket.AF_INET, socket.AF_INET6)),
        "snapshot": guest.chance(0.6),
        "queue": chance.choice(QUEUES),
        "receive_buffer": receive_buffer,
    }
    if guest.chance(0.3):
        wanted["tables"] = chance.sample([254, 255, *OTHERS], chance.randint(1, 3))
    if guest.chance(0.3):
        wanted["interfaces"] = chance.sample([1, 2, 3, 4, 5], 2)
    if guest.chance(0.3):
        wanted["prefixes"] = chance.sample(["10.0.0.0/8", "198.18.0.0/15", "fd00::/8", "::/0"], 2)
        wanted["prefix_match"] = chance.choice(("covered", "exact", "covering"))
    if guest.chance(0.2):
        wanted["protocols"] = chance.sample(range(2, 190), 5)
    if guest.chance(0.3):
        wanted["settle"] = chance.choice((0.001, 0.05, 0.5))
        wanted["max_delay"] = chance.choice((None, 0.1))
    kinds = chance.sample(KINDS, chance.randint(0, 3))
    try:
        watcher = Watcher(*kinds, **wanted)
    except InvalidParameterError:
        del wanted["interfaces"]  # one of them is not there
        watcher = Watcher(*kinds, **wanted)
    guest.counters.add("watchers")
    return watcher


def look_at(guest: Guest, batch: Batch | None) -> None:
    if batch is None:
        return
    guest.counters.add("changes", len(batch))
    guest.counters.add("overflows", batch.overflow)
    way = guest.random.randrange(3)
    if way == 0:
        for change in batch:
            hash(change.row)
    elif way == 1:
        rows = (batch.routes, batch.addresses, batch.interfaces)
        assert sum(len(table) for table in rows) == len(batch)
        bytes(memoryview(rows[0]))


def iterate(guest: Guest, watcher: Watcher) -> None:
    """Another thread reads until this one stops it."""

    def read() -> None:
        with contextlib.suppress(ValueError):  # closed before it began
            for batch in watcher:
                guest.counters.add("changes", len(batch))

    reader = BackgroundCall(read)
    guest.pause(0.3)
    (watcher.close if guest.chance(0.5) else watcher.stop)()
    reader.result()


def add_up(guest: Guest, watcher: Watcher) -> None:
    """Nothing is dropped in silence."""
    stats = watcher.stats()
    guest.counters.add("coalesced", stats["coalesced"])
    told = stats["delivered"] + stats["coalesced"] + stats["queued"]
    if stats["received"] != told:
        guest.counters.fail(guest.name, f"{watcher!r} does not add up: {stats}")


def end(guest: Guest, watcher: Watcher) -> None:
    way = guest.random.randrange(4)
    if way == 0:
        iterate(guest, watcher)
    elif way == 1:
        threads = [BackgroundCall(watcher.close) for _ in range(2)]
        for thread in threads:
            thread.result()
    elif way == 2:
        return  # nobody refers to it any more
    watcher.close()
    add_up(guest, watcher)


def watchers(guest: Guest, receive_buffer: int | None) -> None:
    live: list[Watcher] = []
    while guest.pause(0.1):
        if len(live) < MOST and guest.chance(0.4):
            live.append(random_watcher(guest, receive_buffer))
        for watcher in live:
            if guest.chance(0.3):  # the rest of them is slow
                most = guest.random.choice((None, 1, 10, 10_000))
                look_at(guest, watcher.read(guest.random.choice((0, 0, 0.05)), most))
        if live and guest.chance(0.3):
            end(guest, live.pop(guest.random.randrange(len(live))))
        if guest.chance(0.05):
            guest.pause(1)
    while live:
        end(guest, live.pop())


async def _stream(guest: Guest, receive_buffer: int | None) -> None:
    async with random_watcher(guest, receive_buffer) as watcher:
        with contextlib.suppress(TimeoutError):
            # No wait_for(): before 3.12 it may swallow the cancellation of its task.
            async with asyncio.timeout(guest.random.uniform(0, 0.1)):
                await anext(watcher, None)
        async for batch in watcher:
            look_at(guest, batch)
            if guest.chance(0.1):
                await asyncio.sleep(guest.random.uniform(0, 0.2))


async def _streams(guest: Guest, receive_buffer: int | None) -> None:
    tasks = [asyncio.create_task(_stream(guest, receive_buffer)) for _ in range(3)]
    await asyncio.sleep(guest.random.uniform(0, 1))
    for task in tasks:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if not isinstance(result, asyncio.CancelledError):
            raise AssertionError("a stream ended by itself") from result


def streams(guest: Guest, receive_buffer: int | None) -> None:
    while guest.pause(0.2):
        asyncio.run(_streams(guest, receive_buffer))

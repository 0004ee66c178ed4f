# SPDX-License-Identifier: MIT
"""A Batch makes its Change objects on demand: they outlive it, and are equal each time."""

from __future__ import annotations

import copy
import gc
import inspect
import pickle
import signal
import socket
import time

import pytest

import netioapi
from netioapi import Batch, Change, Watcher
from tests.support.leaks import leaks
from tests.support.network import Network
from tests.support.platforms import linux_only
from tests.support.processes import python
from tests.support.routes import add_routes, delete_routes

MANY = 3000  # more than one chunk of the queue, and more rows than are copied with the GIL held


def read(netns: Network, count: int) -> Batch:
    """One batch with `count` route changes; its Watcher is gone."""
    netns.veth("v0", "p0")
    with Watcher("route", family=socket.AF_INET) as watcher:
        for start in range(0, count, 100):  # on Windows a row must exist until it is read
            add_routes(netns, range(start, min(start + 100, count)))
            wait(watcher, min(start + 100, count))
        batch = watcher.read(timeout=60)
    del watcher
    gc.collect()
    assert batch is not None
    return batch


def wait(watcher: Watcher, count: int) -> None:
    deadline = time.monotonic() + 30
    while watcher.stats()["received"] < count:
        assert time.monotonic() < deadline, watcher.stats()
        watcher._watch.wait(0.01)


@pytest.fixture(params=[1, 40, MANY])
def batch(netns: Network, request: pytest.FixtureRequest) -> Batch:
    return read(netns, request.param)


def test_batch_outlives_its_watcher_and_reads_the_same_twice(batch: Batch) -> None:
    first, again = list(batch), list(batch)
    assert first == again == [batch[i] for i in range(len(batch))]
    assert [hash(change) for change in first] == [hash(change) for change in again]
    assert len(set(first)) == len(first) == len(batch)
    assert [change.row for change in first] == list(batch.routes) == list(batch.routes)
    assert bytes(memoryview(batch.routes)) == bytes(memoryview(batch.routes))
    assert len(batch.addresses) == len(batch.interfaces) == 0


def test_batch_is_indexed_and_sliced_like_a_list(batch: Batch) -> None:
    changes = list(batch)
    count = len(changes)
    for index in (0, -1, count - 1, -count):
        assert batch[index] == changes[index]
    for index in (count, -count - 1, 1 << 70):
        with pytest.raises(IndexError):
            batch[index]
    with pytest.raises(TypeError):
        batch["0"]  # type: ignore[index]
    for part in (
        slice(None),
        slice(1, 3),
        slice(-3, None),
        slice(None, None, -1),
        slice(count, 5),
        slice(0, count, 7),
    ):
        assert batch[part] == changes[part]
    assert list(reversed(batch)) == changes[::-1]  # type: ignore[call-overload]
    assert changes[-1] in batch
    assert object() not in batch


@linux_only("no timer that sends a signal")
def test_gc_get_objects_during_a_read_does_not_lose_the_batch(netns: Network) -> None:
    """A read makes its result before it waits, and a debugger or a leak finder may see all
    objects."""
    netns.veth("v0", "p0")
    seen: list[object] = []

    def look(*_: object) -> None:
        seen.extend(gc.get_objects())
        add_routes(netns, range(1))

    before = signal.signal(signal.SIGALRM, look)
    try:
        with Watcher("route", family=socket.AF_INET) as watcher:
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            got = watcher.read(timeout=60)
            assert got is not None
            assert len(got) == 1
    finally:
        signal.signal(signal.SIGALRM, before)
    assert seen


def test_changes_and_tables_outlive_their_batch(netns: Network) -> None:
    batch: Batch | None = read(netns, MANY)
    assert batch is not None
    last, iterator, table = batch[-1], iter(batch), batch.routes
    words = repr(last)
    batch = None
    gc.collect()
    changes = list(iterator)
    assert len(changes) == len(table) == MANY
    del iterator
    gc.collect()
    assert last == changes[-1]
    assert repr(last) == words
    assert last.row == table[-1]


def test_changes_are_equal_when_they_show_the_same(netns: Network) -> None:
    netns.veth("v0", "p0")
    with Watcher("route", family=socket.AF_INET) as watcher:
        add_routes(netns, range(1))
        wait(watcher, 1)
        delete_routes(netns, range(1))
        changes: list[Change] = []
        while len(changes) < 2:
            changes += watcher.read(timeout=60) or []
    added, deleted = changes
    assert added != deleted
    assert added == added._merge(added)
    assert added._merge(deleted) is None  # it came and went
    assert deleted._merge(added) not in (added, deleted)  # a Parameter change
    assert added != added.row
    assert {added: 1}[added._merge(added)] == 1
    with pytest.raises(TypeError):
        added < deleted  # type: ignore[operator]  # noqa: B015


def test_batch_of_other_objects_than_changes_raises() -> None:
    for wrong in ([1], [None], "route", {1: 2}):
        with pytest.raises(TypeError, match="is not a Change"):
            Batch(wrong, False, False)  # type: ignore[arg-type]
    for wrong in (None, 1):
        with pytest.raises(TypeError):
            Batch(wrong, False, False)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Batch([])  # type: ignore[call-arg]


def test_batch_made_of_changes_equals_the_batch_they_came_from(batch: Batch) -> None:
    for changes in (list(batch), tuple(batch), iter(batch), batch):
        again = Batch(changes, overflow=True, synced=True)
        assert list(again) == list(batch)
        assert again.routes == batch.routes
        assert bytes(memoryview(again.routes)) == bytes(memoryview(batch.routes))
        assert repr(again) == f"<Batch of {len(batch)} overflow synced>"
    half = Batch(batch[::2], False, False)
    assert list(half) == batch[::2]


def test_batch_is_immutable_and_its_own_copy(batch: Batch) -> None:
    for name in ("overflow", "synced", "routes", "other"):
        with pytest.raises(AttributeError):
            setattr(batch, name, True)
    with pytest.raises(TypeError):
        batch[0] = batch[0]  # type: ignore[index]
    assert copy.copy(batch) is batch
    protocols = range(pickle.HIGHEST_PROTOCOL + 1)
    loaded = [pickle.loads(pickle.dumps(batch, number)) for number in protocols]
    for twin in [*loaded, copy.deepcopy(batch)]:
        assert list(twin) == list(batch)
        assert (twin.overflow, twin.synced) == (batch.overflow, batch.synced)
        assert twin.routes == batch.routes


def test_batch_class_is_importable_from_where_it_was() -> None:
    assert netioapi.batch.Batch is netioapi.Batch
    assert (Batch.__module__, Batch.__qualname__) == ("netioapi.batch", "Batch")
    assert str(inspect.signature(Batch)) == "(changes, overflow, synced)"


def test_reading_batches_leaks_nothing(netns: Network) -> None:
    batch = read(netns, 40)
    assert not leaks(lambda: [change.row for change in batch])
    assert not leaks(lambda: batch[::2])
    assert not leaks(lambda: memoryview(batch.routes))

    def again() -> None:
        with Watcher("route", snapshot=True) as watcher:
            while not (batch := watcher.read()) or not batch.synced:
                pass
            watcher._watch.wake_one()
            assert watcher.read(timeout=0) is None

    assert not leaks(again)


SCRIPT = """
import _testcapi, sys
from netioapi import Watcher

failed = 0
number = worked = 0
while worked < 5 and number < 250:
    with Watcher("route", snapshot=True) as watcher:
        watcher._watch.wait(60)
        _testcapi.set_nomemory(number, number + 1)
        try:
            batch = watcher.read(timeout=60)
            len(memoryview(batch.routes)), [c.row.metric for c in batch], batch[:2]
            worked += 1
        except MemoryError:
            failed += 1
        finally:
            _testcapi.remove_mem_hooks()
        batch = None
    number += 1
assert failed >= 5 and worked == 5, (failed, worked)
print("done")
"""


def test_failed_allocation_in_a_batch_raises_memory_error(netns: Network) -> None:
    pytest.importorskip("_testcapi", reason="this Python cannot make an allocation fail")
    netns.veth("v0", "p0")
    add_routes(netns, range(5))
    python(SCRIPT, marker="done")

# SPDX-License-Identifier: MIT
"""A read with a failed allocation raises MemoryError and takes nothing: the next read returns every
change. One test reads a whole snapshot, the other a few changes at a time, settled ones too."""

from __future__ import annotations

import pytest

from tests.support.network import Network
from tests.support.processes import python

pytest.importorskip("_testcapi", reason="this Python cannot make an allocation fail")

SCRIPT = """
import _testcapi
import netioapi as n

failed = 0
for number in range(60):
    with n.Watcher("interface", snapshot=True) as watcher:
        watcher._watch.wait(60)
        _testcapi.set_nomemory(number, number + 1)
        try:
            got = watcher.read(10, 1000)
        except MemoryError:
            got = None
        finally:
            _testcapi.remove_mem_hooks()
        if got is None:
            failed += 1
            got = watcher.read(10, 1000)
        rows = list(got)
        synced = got.synced
        while not synced:
            more = watcher.read(10, 1000)
            assert more is not None, (number, rows)
            rows += more
            synced = more.synced
        assert len(rows) == len(n.get_ip_interface_table()), (number, rows)
assert failed >= 1, failed
print("done")
"""


def test_read_after_a_failed_allocation_returns_every_row(netns: object) -> None:
    python(SCRIPT, marker="done", timeout=50)


READS = """
import _testcapi
import netioapi as n
from netioapi.watcher.settling import Settler

class FailsOnce:
    # Makes a call in which one allocation fails, and makes it again.
    def __init__(self, number):
        self.number, self.failed = number, 0
    def __call__(self, call, *given, **named):
        _testcapi.set_nomemory(self.number, self.number + 1)
        try:
            return call(*given, **named)
        except MemoryError:
            self.failed += 1
        finally:
            _testcapi.remove_mem_hooks()
        return call(*given, **named)

def read_all(settle, once):
    with n.Watcher("interface", "address", snapshot=True, settle=settle) as watcher:
        changes, synced = [], False
        while not synced:
            if settle and watcher._settler.due is None:
                watcher._watch.wait(20)
            batch = once(watcher.read, timeout=0 if settle else 20, max_changes=2)
            if batch is not None:
                changes += batch
                synced = batch.synced
        assert watcher.stats()["queued"] == 0, watcher.stats()
        return [(change.kind, change.row.key) for change in changes]

def settle_all(changes, once):
    settler, feed, found = Settler(1.0, None), [n.Batch(changes + changes, True, True)], []
    clock = iter([1000.0, 1000.0]).__next__
    assert once(settler.take_in, lambda: feed.pop() if feed else None, clock)
    assert settler.held == len(changes), (settler.held, len(changes))
    while (batch := once(settler.take, 1001.0, 2)) is not None:
        found.append(batch)
    assert [batch.overflow for batch in found] == [True] + [False] * (len(found) - 1), found
    assert [batch.synced for batch in found] == [False] * (len(found) - 1) + [True], found
    assert (settler.delivered, settler.held) == (len(changes), 0), vars(settler)
    return [change for batch in found for change in batch]

with n.Watcher("interface", "address", snapshot=True) as watcher:
    changes = []
    while not (batch := watcher.read(20)).synced:
        changes += batch
    changes += batch
assert len(changes) > 4, changes
whole = [(change.kind, change.row.key) for change in changes]
for name, use, expected in [
    ("read", lambda once: read_all(0, once), whole),
    ("settled read", lambda once: read_all(1e-9, once), whole),
    ("settler", lambda once: settle_all(changes, once), changes),
]:
    worked = number = failed = 0
    while worked < 10:  # until the number is past the last allocation
        once = FailsOnce(number)
        found = use(once)
        assert found == expected, (name, number, found)
        worked += once.failed == 0
        failed += once.failed
        number += 1
        assert number < 250, name
    assert failed > 10, (name, failed)
print("done")
"""


def test_read_repeated_after_a_failed_allocation_loses_nothing(netns: Network) -> None:
    netns.veth()
    netns.ip("address add 10.0.0.1/24 dev v0")
    python(READS, marker="done", timeout=50)

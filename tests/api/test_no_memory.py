# SPDX-License-Identifier: MIT
"""Each allocation of a call fails once: the call raises MemoryError, or succeeds. No change is
lost: the next read returns it."""

from __future__ import annotations

import pytest

from tests.support.network import Network
from tests.support.processes import python

pytest.importorskip("_testcapi", reason="this Python cannot make an allocation fail")

SCRIPT = """
import _testcapi, sys
import netioapi as n

table = n.get_unicast_ip_address_table() or n.get_ip_interface_table()
interface = n.get_ip_interface_table()[0]
row = table[0]
data = row.__reduce__()[1][0]
error = n.NetioError(8, "X")
enums = {name: {int(m): m for m in kind} for name, kind in n.enums.ENUMS.items()}
calls = {
    "table": lambda: n.get_ip_interface_table(),
    "item": lambda: table[0],
    "slice": lambda: table[::2],
    "asdict": lambda: row._asdict(),
    "json": lambda: interface._asdict(json=True),
    "repr": lambda: repr(row),
    "hash": lambda: hash(row),
    "reduce": lambda: row.__reduce__(),
    "table reduce": lambda: table.__reduce__(),
    "from bytes": lambda: type(row)._from_bytes(data, True),
    "key": lambda: row.key,
    "zones": lambda: interface.zone_indices,
    "route": lambda: n.IpForwardRow("10.0.0.0/8", "10.0.0.1"),
    "address": lambda: n.UnicastIpAddressRow("fe80::1%1"),
    "interface": lambda: n.IpInterfaceRow(2),
    "hint": n.get_network_connectivity_hint,
    "error": lambda: n.NetioError(8, "X"),
    "view": lambda: memoryview(table).release(),
    "register_enums": lambda: n._native._register_enums(enums, n.NetworkConnectivityHint),
    "supported": lambda: n.supported("GetBestRoute2"),
    "str": lambda: str(error),
    "index": lambda: table.index(row),
}
failed = 0
for name, call in calls.items():
    call()
    worked = number = 0
    while worked < 10 and number < 250:  # until ten calls had no such allocation
        caught = None
        _testcapi.set_nomemory(number, number + 1)
        try:
            call()
            worked += 1
        except MemoryError:
            failed += 1
        except BaseException as other:
            caught = other
        finally:
            _testcapi.remove_mem_hooks()
        if caught is not None:
            sys.exit(f"{name}, allocation {number}: {caught!r}")
        number += 1
    if worked < 10:
        sys.exit(f"{name}: never worked again")
assert failed > 100, failed
print("done")
"""


def test_failed_allocation_raises_memory_error_or_the_call_succeeds(netns: object) -> None:
    python(SCRIPT, marker="done", timeout=50)


READS = """
import _testcapi
import netioapi as n
from netioapi.watcher.settling import Settler

class Sparing:
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

def read_all(settle, spare):
    with n.Watcher("interface", "address", snapshot=True, settle=settle) as watcher:
        changes, synced = [], False
        while not synced:
            if settle and watcher._settler.due is None:
                watcher._watch.wait(20)
            batch = spare(watcher.read, timeout=0 if settle else 20, max_changes=2)
            if batch is not None:
                changes += batch
                synced = batch.synced
        assert watcher.stats()["queued"] == 0, watcher.stats()
        return [(change.kind, change.row.key) for change in changes]

def settle_all(changes, spare):
    settler, feed, found = Settler(1.0, None), [n.Batch(changes + changes, True, True)], []
    clock = iter([1000.0, 1000.0]).__next__
    assert spare(settler.take_in, lambda: feed.pop() if feed else None, clock)
    assert settler.held == len(changes), (settler.held, len(changes))
    while (batch := spare(settler.take, 1001.0, 2)) is not None:
        found.append(batch)
    assert [batch.overflow for batch in found] == [True] + [False] * (len(found) - 1), found
    assert [batch.synced for batch in found] == [False] * (len(found) - 1) + [True], found
    assert settler.delivered == settler.coalesced == len(changes), vars(settler)
    return [change for batch in found for change in batch]

with n.Watcher("interface", "address", snapshot=True) as watcher:
    changes = []
    while not (batch := watcher.read(20)).synced:
        changes += batch
    changes += batch
assert len(changes) > 4, changes
whole = [(change.kind, change.row.key) for change in changes]
for name, use, expected in [
    ("read", lambda spare: read_all(0, spare), whole),
    ("settled read", lambda spare: read_all(1e-9, spare), whole),
    ("settler", lambda spare: settle_all(changes, spare), changes),
]:
    worked = number = failed = 0
    while worked < 10:  # until the number is past the last allocation
        spare = Sparing(number)
        found = use(spare)
        assert found == expected, (name, number, found)
        worked += spare.failed == 0
        failed += spare.failed
        number += 1
        assert number < 250, name
    assert failed > 10, (name, failed)
print("done")
"""


def test_read_repeated_after_a_failed_allocation_loses_nothing(netns: Network) -> None:
    netns.veth()
    netns.ip("address add 10.0.0.1/24 dev v0")
    python(READS, marker="done", timeout=50)

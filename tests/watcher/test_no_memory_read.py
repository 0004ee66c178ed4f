# SPDX-License-Identifier: MIT
"""A read that finds no memory raises MemoryError and takes nothing: the next one has it all."""

from __future__ import annotations

import pytest

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

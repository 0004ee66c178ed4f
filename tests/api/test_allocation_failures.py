# SPDX-License-Identifier: MIT
"""Each allocation of a call fails once: the call raises MemoryError, or succeeds."""

from __future__ import annotations

import pytest

from tests.support.processes import python

pytest.importorskip("_testcapi", reason="this Python cannot make an allocation fail")

SCRIPT = """
import _testcapi, sys
import netioapi as n
from tests.support.pickles import LAYOUT

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
    "from bytes": lambda: type(row)._from_bytes(data, True, LAYOUT),
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

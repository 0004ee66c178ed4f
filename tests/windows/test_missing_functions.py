# SPDX-License-Identifier: MIT
"""An older Windows: each function in turn is missing, in a process of its own. A call of it raises
an error that names the Windows version needed, supported() is False before the call, and everything
else works."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.support.paths import ROOT
from tests.windows.support import script

TOWER = (ROOT / "csrc/contract/tower.h").read_text(encoding="utf-8")
# {name: the first Windows that has it}, from the table of functions in tower.h.
SINCE: dict[str, str] = dict(
    re.findall(r"^    X\((\w+),.*?\"([^\"]+)\"\)", TOWER, re.MULTILINE | re.DOTALL)
)
CANCEL = "CancelMibChangeNotify2"
WATCHER_NEEDS = {
    "NotifyIpInterfaceChange": "interface",
    "NotifyUnicastIpAddressChange": "address",
    "NotifyRouteChange2": "route",
    "GetIpInterfaceTable": "interface",
    "GetUnicastIpAddressTable": "address",
    "GetIpForwardTable2": "route",
}

HEAD = """
import re
from tests.windows import dll
name, since, *others = sys.argv[1:]
dll.hide(name)

import netioapi
from tests.support.collector import Collector
from tests.windows.calls import CALLS, put_what_calls_need
from tests.windows.support import *

put_what_calls_need()

def missing(call, *arguments, **named):
    try:
        call(*arguments, **named)
    except netioapi.NetioError as error:
        return error
    raise AssertionError(f"{call} did without it")
"""

# How a program notices it.
SUPPORTED = """
snake = re.sub(r"(?<=.)([A-Z])", r"_\\1", name).lower()
assert not netioapi.supported(name) and not netioapi.supported(snake)
assert all(map(netioapi.supported, others)), [o for o in others if not netioapi.supported(o)]
for function, call in CALLS.items():
    if function == name:
        error = missing(call)
        assert (error.code, error.function) == (127, name), error
        assert str(error) == (
            f"{name}: this system lacks the function, which needs {since}; "
            f'supported("{name}") answers that before the call (error 127)'
        ), error
    else:
        call()
"""

# Without a function that reads one row, callbacks get keys.
CALLBACKS = """
for kind in (ROUTE, ADDRESS, INTERFACE):
    if name not in (kind.function, kind.table):
        seen = Collector()
        with kind.notify(seen) as registration:
            kind.put(kind.make(1400))
            ((row, _),) = seen.wait_count(1)
            assert kind.is_key_row(row) == (kind.entry == name), row
            assert registration.errors == 0
assert live() == 0
"""

# And a Watcher finds every change in the tables.
WATCHER = """
def truth():
    return {(kind.kind, row.key): row for kind in ROW_KINDS for row in kind.get_table()}

numbers = {"route": ROUTE.kind, "address": ADDRESS.kind, "interface": INTERFACE.kind}
with netioapi.Watcher(snapshot=True) as watcher:
    state = {}
    def take_until_exact():
        while state != truth():
            batch = watcher.read(timeout=60)
            assert batch is not None, state
            for change in batch:
                key = numbers[change.kind], change.row.key
                if change.type == DELETE:
                    del state[key]
                else:
                    state[key] = change.row
    take_until_exact()
    for kind in ROW_KINDS:
        kind.put(kind.make(1300))
        take_until_exact()
    ROUTE.delete(route_row(1))
    take_until_exact()
assert live() == 0
"""

# Names of interfaces: unknown, or not found.
NAMES = """
row = netioapi.IpForwardRow("198.51.100.0/24", "0.0.0.0", interface_index=INDEX)
needed = {"ConvertInterfaceLuidToAlias", "ConvertInterfaceIndexToLuid"}
assert row.interface_name == (None if name in needed else "Ethernet 7"), row.interface_name
by_name = {"ConvertInterfaceAliasToLuid", "ConvertInterfaceLuidToIndex"}
if name in by_name:
    error = missing(netioapi.Watcher, interfaces=["Ethernet 7"])
    assert (error.code, error.function) == (127, name), error
else:
    netioapi.Watcher(interfaces=["Ethernet 7"]).close()
if name == "ConvertInterfaceIndexToLuid":
    assert "no interface" in str(missing(netioapi.Watcher, interfaces=[INDEX]))
else:
    netioapi.Watcher(interfaces=[INDEX]).close()
"""


def run(name: str, *parts: str) -> None:
    others = [one for one in SINCE if one != name]
    source = HEAD + "".join(parts) + "\nprint('through')\n"
    done = script(source, name, SINCE[name], *others, marker="through")
    assert done.stderr == ""


def test_table_of_functions_is_complete() -> None:
    assert len(SINCE) == 22
    assert SINCE[CANCEL] == "Windows Vista"
    assert SINCE["NotifyNetworkConnectivityHintChange"] == "Windows 10, version 2004"


@pytest.mark.slow  # for each of all functions; of those that a Watcher needs the others are quick
@pytest.mark.parametrize("name", [name for name in SINCE if name != CANCEL])
def test_missing_function_raises_and_the_rest_works(name: str, netns: Any) -> None:
    parts = [SUPPORTED, CALLBACKS]
    if name not in WATCHER_NEEDS:
        parts += [WATCHER, NAMES]
    run(name, *parts)


@pytest.mark.parametrize("name", WATCHER_NEEDS)
def test_watcher_without_a_needed_function_names_it(name: str, netns: Any) -> None:
    run(name, "error = missing(netioapi.Watcher)\nassert name in str(error), error\n")


@pytest.mark.parametrize("name", WATCHER_NEEDS)
def test_watcher_without_a_needed_function_leaves_nothing(name: str, netns: Any) -> None:
    """The other kinds still work."""
    kinds = sorted({*WATCHER_NEEDS.values()} - {WATCHER_NEEDS[name]})
    run(
        name,
        f"""
error = missing(netioapi.Watcher)
assert error.code == 127, error
assert live() == 0
with netioapi.Watcher(*{kinds}, snapshot=True) as watcher:
    assert {{c.kind for c in watcher.read(timeout=60)}} == set({kinds})
assert live() == 0
""",
    )


def test_nothing_registers_without_the_cancel_function(netns: Any) -> None:
    """A registration that could never end is refused, since its context could never be freed."""
    run(
        CANCEL,
        """
assert not netioapi.supported(name)
for function, (notify, _) in NOTIFY.items():
    error = missing(notify, print)
    assert (error.code, error.function) == (127, name), error
    assert since in str(error), error
error = missing(netioapi.Watcher)
assert error.code == 127 and name in str(error), error
assert live() == 0
for function, call in CALLS.items():
    if not function.startswith("Notify"):
        call()
""",
    )

# SPDX-License-Identifier: MIT
"""The garbage collector's part in the life of the extension module. Code that still runs after the
collector has cleared the module finds every type and exception; and the module ends with its last
reference."""

from __future__ import annotations

from tests.support.network import Network
from tests.support.processes import python

CLEARED = """
import ctypes
import netioapi
from netioapi import _native

# As the collector does it: by the function m_clear of the module's definition.
api = ctypes.pythonapi
api.PyModule_GetDef.restype = ctypes.c_void_p
api.PyModule_GetDef.argtypes = [ctypes.py_object]
members = 9 * ctypes.sizeof(ctypes.c_void_p)  # before m_clear, after the head of the object
address = api.PyModule_GetDef(_native) + object.__basicsize__ + members
clear = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.py_object)(
    ctypes.c_void_p.from_address(address).value)

table = netioapi.get_ip_interface_table()
row = table[0]
change = _native.Change
watcher = netioapi.Watcher("route", "interface", "address", snapshot=True)
batch = watcher.read(20)
registration = netioapi.notify_route_change2(lambda *_: None)
assert clear(_native) == 0

def raises(kind, function, *arguments):
    try:
        function(*arguments)
    except kind:
        return
    raise AssertionError(f"{function} raised no {kind}")

for rows in (table, *(table[:1] for table in (
        netioapi.get_ip_forward_table2(), netioapi.get_unicast_ip_address_table()))):
    for one in rows:
        make, arguments = one.__reduce__()
        assert make(*arguments) == one
        assert one.key and one._asdict() and repr(one) and hash(one) == hash(make(*arguments))
        raises(TypeError, make, *arguments, 5)
        raises(ValueError, make, b"", True)
assert netioapi.get_ip_interface_entry(row) == row == table[table.index(row)]
assert [change.row for change in batch]
assert batch[:1] and batch.routes is not None and repr(batch[0])
watcher.read(0)
watcher.close()
netioapi.cancel_mib_change_notify2(registration)
netioapi.notify_ip_interface_change(lambda *_: None, initial_notification=True).cancel()
netioapi.notify_stable_unicast_ip_address_table(lambda table: None)
raises(netioapi.NetioError, netioapi.get_best_route2, "203.0.113.1")
raises(netioapi.InvalidParameterError, netioapi.get_ip_forward_table2, 99)
raises(netioapi.InvalidParameterError, netioapi.cancel_mib_change_notify2, None)
netioapi.Watcher("route").close()
print("done")
"""

COLLECTED = """
import atexit, gc, sys, weakref
import netioapi

names = ("NetioError", "IpForwardRow", "Table", "Registration", "Watch", "Change", "Batch")
left = {name: weakref.ref(getattr(netioapi._native, name)) for name in names}
left["the module"] = weakref.ref(netioapi._native)
netioapi.notify_route_change2(lambda *_: None).cancel()
[repr(row) for row in netioapi.get_ip_interface_table()]
atexit._run_exitfuncs()
atexit._clear()
for name in [name for name in sys.modules if name.partition(".")[0] == "netioapi"]:
    del sys.modules[name]
del netioapi
gc.collect()
assert not [name for name, reference in left.items() if reference() is not None]
print("done")
"""


def test_every_type_and_exception_outlives_the_clearing_of_the_module(netns: Network) -> None:
    python(CLEARED, marker="done")


def test_module_and_types_are_collected_together(netns: Network) -> None:
    python(COLLECTED, marker="done")

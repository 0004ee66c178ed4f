# SPDX-License-Identifier: MIT
"""Helpers of this folder: a table of the three kinds of rows, the handles and threads of this
process, and programs with a deadline."""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from ipaddress import ip_interface, ip_network
from typing import Any

import netioapi
from tests.support.cli import Running
from tests.support.paths import ROOT
from tests.support.processes import python
from tests.support.waiting import eventually
from tests.windows import dll, rows
from tests.windows.dll import Figure, Kind, Setting, checked
from tests.windows.structures import AF_INET, Address, Interface, Route

INDEX = 7  # of a link that a test adds by itself, without the driver
ADD, DELETE = netioapi.NotificationType.ADD, netioapi.NotificationType.DELETE
INITIAL, PARAMETER = netioapi.NotificationType.INITIAL, netioapi.NotificationType.PARAMETER


@dataclasses.dataclass(frozen=True)
class RowKind:
    """A kind of row: how tests change it, and how netioapi reports it."""

    kind: Kind
    notify: Callable[..., netioapi.Registration]
    function: str  # registers callbacks
    entry: str  # reads one row
    table: str
    get_entry: Callable[[Any], Any]
    get_table: Callable[..., Any]
    keys: tuple[str, ...]
    number: str  # a member beside the key, which differs between versions of the row
    make: Callable[[int], Any]
    member: str  # the same member of the struct
    put_with: str
    delete_with: str

    def put(self, row: Any) -> None:
        arguments = (row, None) if self.kind == Kind.INTERFACE else (row,)
        checked(self.put_with, *arguments)

    def delete(self, row: Any) -> None:
        if self.kind == Kind.INTERFACE:
            checked(self.delete_with, row.Family, row.InterfaceIndex)
        else:
            checked(self.delete_with, row)

    def is_key_row(self, row: Any) -> bool:
        """True where only the key members are known."""
        named = {*self.keys, "interface_name", "family", "key"}
        return all(getattr(row, name) is not None for name in self.keys) and all(
            value is None for name, value in row._asdict().items() if name not in named
        )


def luid_of(index: int) -> int:
    """The LUID that the stand-in makes: a callback of Windows always has index and LUID."""
    return 6 << 48 | (0x8000 + index) << 24


def route_row(metric: int, prefix: str = "198.51.100.0/24", index: int = INDEX) -> Route:
    row = rows.route(index, ip_network(prefix), None, metric, 3)
    row.InterfaceLuid = luid_of(index)
    return row


def address_row(scope: int, of: str = "192.0.2.1/24", index: int = INDEX) -> Address:
    row = rows.address(index, ip_interface(of))
    row.ScopeId, row.CreationTimeStamp, row.InterfaceLuid = scope, 1, luid_of(index)
    return row


def interface_row(mtu: int, family: int = AF_INET, index: int = INDEX) -> Interface:
    row = rows.interface(family, index, mtu, True)
    row.InterfaceLuid = luid_of(index)
    return row


INTERFACE = RowKind(
    Kind.INTERFACE,
    netioapi.notify_ip_interface_change,
    "NotifyIpInterfaceChange",
    "GetIpInterfaceEntry",
    "GetIpInterfaceTable",
    netioapi.get_ip_interface_entry,
    netioapi.get_ip_interface_table,
    ("interface_index", "interface_luid", "family"),
    "nl_mtu",
    interface_row,
    "NlMtu",
    "standin_put_interface",
    "standin_delete_interface",
)
ADDRESS = RowKind(
    Kind.ADDRESS,
    netioapi.notify_unicast_ip_address_change,
    "NotifyUnicastIpAddressChange",
    "GetUnicastIpAddressEntry",
    "GetUnicastIpAddressTable",
    netioapi.get_unicast_ip_address_entry,
    netioapi.get_unicast_ip_address_table,
    ("address", "interface_index", "interface_luid"),
    "scope_id",
    address_row,
    "ScopeId",
    "standin_put_address",
    "standin_delete_address",
)
ROUTE = RowKind(
    Kind.ROUTE,
    netioapi.notify_route_change2,
    "NotifyRouteChange2",
    "GetIpForwardEntry2",
    "GetIpForwardTable2",
    netioapi.get_ip_forward_entry2,
    netioapi.get_ip_forward_table2,
    ("destination_prefix", "next_hop", "interface_index", "interface_luid"),
    "metric",
    route_row,
    "Metric",
    "standin_put_route",
    "standin_delete_route",
)
ROW_KINDS = (INTERFACE, ADDRESS, ROUTE)

# Every function that registers, with its kind; the stable table has another signature.
NOTIFY: dict[str, tuple[Callable[..., netioapi.Registration], Kind]] = {
    **{one.function: (one.notify, one.kind) for one in ROW_KINDS},
    "NotifyTeredoPortChange": (netioapi.notify_teredo_port_change, Kind.TEREDO),
    "NotifyNetworkConnectivityHintChange": (
        netioapi.notify_network_connectivity_hint_change,
        Kind.HINT,
    ),
}


@contextlib.contextmanager
def setting(what: Setting, value: int = 1) -> Iterator[None]:
    before = dll.configure(what, value)
    try:
        yield
    finally:
        dll.configure(what, before)


@contextlib.contextmanager
def failing(function: str, code: int, times: int = -1) -> Iterator[None]:
    dll.fail(function, code, times)
    try:
        yield
    finally:
        dll.fail(function, code, 0)


def live() -> int:
    return dll.stat(Figure.LIVE)


def kernel32() -> Any:
    assert sys.platform == "win32"
    return ctypes.WinDLL("kernel32.dll", use_last_error=True)


def handles() -> int:
    """The number of open handles of this process."""
    count = ctypes.c_uint32()
    kernel = kernel32()
    kernel.GetCurrentProcess.restype = ctypes.c_void_p
    kernel.GetProcessHandleCount.argtypes = [ctypes.c_void_p, ctypes.POINTER(ctypes.c_uint32)]
    assert kernel.GetProcessHandleCount(kernel.GetCurrentProcess(), ctypes.byref(count))
    return count.value


class _ThreadEntry(ctypes.Structure):
    """THREADENTRY32."""

    _fields_ = tuple(
        (name, ctypes.c_uint32)
        for name in ("size", "usage", "thread", "process", "priority", "delta", "flags")
    )
    size: int
    thread: int
    process: int


def threads() -> set[int]:
    """The ids of this process's threads."""
    kernel, entry = kernel32(), _ThreadEntry(size=ctypes.sizeof(_ThreadEntry))
    kernel.CreateToolhelp32Snapshot.restype = ctypes.c_void_p
    for name in ("Thread32First", "Thread32Next"):
        getattr(kernel, name).argtypes = [ctypes.c_void_p, ctypes.POINTER(_ThreadEntry)]
    kernel.CloseHandle.argtypes = [ctypes.c_void_p]
    snapshot = kernel.CreateToolhelp32Snapshot(4, 0)  # TH32CS_SNAPTHREAD
    found = set()
    more = kernel.Thread32First(snapshot, ctypes.byref(entry))
    while more:
        if entry.process == os.getpid():
            found.add(entry.thread)
        more = kernel.Thread32Next(snapshot, ctypes.byref(entry))
    kernel.CloseHandle(snapshot)
    return found


@contextlib.contextmanager
def no_handle_left() -> Iterator[None]:
    """Checks that no handle is left at the end of the block. A handle that a loop or library keeps
    must be open before."""
    before = handles()
    yield
    eventually(lambda: handles() <= before, what=f"{before} handles")


# The embeddable Python ignores PYTHONPATH.
_HEAD = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"


def program(source: str, *arguments: str) -> Running:
    """A program that keeps running, read line by line; killed at the end of `with`."""
    return Running(command=[sys.executable, "-X", "faulthandler", "-c", _HEAD + source, *arguments])


def script(source: str, *arguments: str, **named: Any) -> subprocess.CompletedProcess[str]:
    """A program that ends, as tests.support.processes.python; it can import the tests' modules."""
    return python(_HEAD + source, *arguments, **named)

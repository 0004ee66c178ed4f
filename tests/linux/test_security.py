# SPDX-License-Identifier: MIT
"""The statements of SECURITY.md: no privilege is needed, no descriptor reaches an executed program,
and the binary has stack protection."""

from __future__ import annotations

from pathlib import Path

from netioapi import _native
from tests.linux.namespace import Namespace
from tests.support.processes import python

WITHOUT_CAPABILITIES = """
import ctypes, netioapi

libc = ctypes.CDLL(None, use_errno=True)
header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this thread
nothing = (ctypes.c_uint32 * 6)()
assert libc.capset(header, nothing) == 0, ctypes.get_errno()
with open("/proc/thread-self/status") as status:
    said = dict(line.split(":", 1) for line in status)
assert int(said["CapEff"], 16) == int(said["CapPrm"], 16) == 0

netioapi.get_ip_forward_table2(), netioapi.get_unicast_ip_address_table()
row = netioapi.get_ip_interface_table()[0]
assert netioapi.get_ip_interface_entry(row) == row
netioapi.get_teredo_port(), netioapi.get_network_connectivity_hint()
netioapi.get_best_route2("192.0.2.9")
netioapi.notify_stable_unicast_ip_address_table(lambda table: None)
for name in ("ip_interface_change", "unicast_ip_address_change", "route_change2",
             "teredo_port_change", "network_connectivity_hint_change"):
    getattr(netioapi, "notify_" + name)(lambda *_: None).cancel()
with netioapi.Watcher(snapshot=True, receive_buffer=1 << 30) as watcher:
    assert watcher.read(10)
    assert 0 < watcher.stats()["receive_buffer"] < 1 << 30  # what an unprivileged process may have
print("done")
"""

EXECUTES = """
import os, netioapi
before = set(os.listdir("/proc/self/fd"))
registration = netioapi.notify_route_change2(lambda *_: None)
watcher = netioapi.Watcher()
links = [f"/proc/self/fd/{fd}" for fd in set(os.listdir("/proc/self/fd")) - before]
ours = [link for link in links if os.path.islink(link)]
print("ours", len(ours), flush=True)
os.execv("/bin/ls", ["ls", "-l", "/proc/self/fd"])
"""


def test_public_api_works_without_capabilities(netns: Namespace) -> None:
    netns.veth()
    netns.ip("address add 192.0.2.1/24 dev v0")
    python(WITHOUT_CAPABILITIES, marker="done")


def test_executed_program_inherits_no_socket(netns: Namespace) -> None:
    first, *inherited = python(EXECUTES).stdout.splitlines()
    assert int(first.removeprefix("ours ")) >= 3  # at least two sockets and an event
    assert not [line for line in inherited if "socket:" in line or "eventfd" in line]


def test_binary_is_built_with_stack_protection() -> None:
    assert b"__stack_chk_fail" in Path(_native.__file__).read_bytes()

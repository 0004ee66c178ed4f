# SPDX-License-Identifier: MIT
"""The statements of SECURITY.md: no privilege is needed, no descriptor reaches an executed program,
and the binary has stack protection."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from netioapi import _native
from tests.linux.namespace import Namespace
from tests.support.paths import ROOT
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

# A sandbox that refuses bind() with this errno: a seccomp filter.
WITHOUT_BIND = """
import ctypes, os, socket, struct, sys
import netioapi

number = {"x86_64": 49, "aarch64": 200}[os.uname().machine]
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, MODE_FILTER = 38, 22, 2
ERRNO, ALLOW = 0x50000, 0x7FFF0000
steps = [(0x20, 0, 0, 0),  # load the number of the system call
         (0x15, 0, 1, number), (0x06, 0, 0, ERRNO | int(sys.argv[1])), (0x06, 0, 0, ALLOW)]
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
program = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
assert libc.prctl(PR_SET_SECCOMP, MODE_FILTER, program, 0, 0) == 0, ctypes.get_errno()
with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as tried:
    try:
        tried.bind((0, 0))
        sys.exit("bind() is not refused")
    except OSError as error:
        assert error.errno == int(sys.argv[1])

def changed(row, type):
    if str(getattr(row, "destination_prefix", "")) == "198.51.100.0/24":
        os.write(1, b"called\\n")  # at once, since the other thread writes, too

with netioapi.notify_route_change2(changed), netioapi.Watcher(snapshot=True) as watcher:
    print("ready", flush=True)
    while not any(str(route.destination_prefix) == "198.51.100.0/24"
                  for route in watcher.read(60).routes):
        pass
    os.write(1, b"read\\n")
    sys.stdin.readline()
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


@pytest.mark.skipif(
    os.uname().machine not in ("x86_64", "aarch64"), reason="the number of bind() is not known"
)
@pytest.mark.parametrize("error", [errno.EPERM, errno.ENOSYS])
def test_notifications_come_where_bind_is_refused(netns: Namespace, error: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WITHOUT_BIND, str(error)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        netns.ip("route add 198.51.100.0/24 dev lo")
        assert {process.stdout.readline(), process.stdout.readline()} == {"called\n", "read\n"}
        process.communicate("\n", timeout=60)
        assert process.returncode == 0


def test_executed_program_inherits_no_socket(netns: Namespace) -> None:
    first, *inherited = python(EXECUTES).stdout.splitlines()
    assert int(first.removeprefix("ours ")) >= 3  # at least two sockets and an event
    assert not [line for line in inherited if "socket:" in line or "eventfd" in line]


def test_binary_is_built_with_stack_protection() -> None:
    assert b"__stack_chk_fail" in Path(_native.__file__).read_bytes()

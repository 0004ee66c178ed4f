# SPDX-License-Identifier: MIT
"""Changes of a real Windows, by netsh: everything that test_real.py does to its machine.

Nothing lasts (store=active), and no packet can be sent: the prefixes are reserved for
documentation, the address is on the loopback interface, and so are the routes where Windows accepts
them there.
"""

from __future__ import annotations

import ctypes
import dataclasses
import socket
import subprocess
import sys
from ipaddress import IPv4Address, ip_network
from typing import Any

import pytest

import netioapi
from tests.support.platforms import on_wine
from tests.windows.dll import is_standin

ADDRESS = IPv4Address("192.0.2.1")
LOOPBACK = 24  # IF_TYPE_SOFTWARE_LOOPBACK, in the upper 16 bits of a LUID


def why_not() -> str:
    """The reason why these tests cannot run here; "" where they can."""
    if sys.platform != "win32":
        return "this is no Windows"
    if on_wine():
        return "this is Wine"
    if is_standin():
        return "the loaded iphlpapi.dll is the stand-in"
    if not ctypes.windll.shell32.IsUserAnAdmin():
        return "changing routes needs administrator rights"
    return ""


def netsh(*words: str) -> tuple[int, str]:
    """Runs netsh; its exit code, and its output in any language."""
    done = subprocess.run(
        ["netsh", "interface", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout.decode("utf-8", "replace").strip()


def loopback(family: int) -> list[int]:
    """The index of the loopback interface, if it has this family."""
    return [
        row.interface_index
        for row in netioapi.get_ip_interface_table(family)
        if row.interface_luid >> 48 == LOOPBACK
    ]


def interfaces_for_routes(family: int) -> list[int]:
    """The loopback interface first, where no packet can be sent."""
    others = [
        row.interface_index for row in netioapi.get_ip_interface_table(family) if row.connected
    ]
    return list(dict.fromkeys(loopback(family) + others))


@dataclasses.dataclass
class RealRoute:
    """An on-link route that a test makes."""

    family: int
    prefix: str
    index: int = 0
    metric: int = 5000

    @property
    def words(self) -> list[str]:
        via = "0.0.0.0" if self.family == socket.AF_INET else "::"
        return [f"prefix={self.prefix}", f"interface={self.index}", f"nexthop={via}"]

    def netsh(self, verb: str, *more: str) -> tuple[int, str]:
        which = "ipv4" if self.family == socket.AF_INET else "ipv6"
        return netsh(which, verb, "route", *self.words, *more, "store=active")

    def add(self) -> None:
        """Adds it on the first interface that accepts it."""
        tried = []
        for index in [self.index] if self.index else interfaces_for_routes(self.family):
            self.index = index
            code, said = self.netsh("add", f"metric={self.metric}")
            if code == 0:
                return
            tried.append((index, code, said))
        self.index = 0
        pytest.fail(f"netsh adds a route to {self.prefix} on no interface: {tried}")

    def set_metric(self, metric: int) -> None:
        code, said = self.netsh("set", f"metric={metric}")
        assert code == 0, said
        self.metric = metric

    def delete(self) -> None:
        code, said = self.netsh("delete")
        assert code == 0, said

    def is_mine(self, row: Any) -> bool:
        return row is not None and row.destination_prefix == ip_network(self.prefix)


class RealAddress:
    """192.0.2.1 on the loopback interface."""

    def __init__(self) -> None:
        found = loopback(socket.AF_INET)
        assert found, "there is no loopback interface with IPv4"
        self.index = found[0]

    def add(self) -> None:
        code, said = netsh(
            "ipv4",
            "add",
            "address",
            f"name={self.index}",
            f"address={ADDRESS}",
            "mask=255.255.255.255",
            "store=active",
        )
        assert code == 0, said

    def delete(self, *, check: bool = True) -> None:
        code, said = netsh(
            "ipv4", "delete", "address", f"name={self.index}", f"address={ADDRESS}", "store=active"
        )
        assert code == 0 or not check, said

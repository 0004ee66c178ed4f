# SPDX-License-Identifier: MIT
"""A network adapter for one test on a real Windows: Microsoft's loopback adapter for tests
("KM-TEST"), whose driver is a part of Windows. No packet leaves it."""

from __future__ import annotations

import ctypes
import os
import sys
import uuid
from pathlib import Path
from typing import Any

import netioapi
from tests.support.waiting import eventually
from tests.windows.real import netsh, why_not

NET = uuid.UUID("4d36e972-e325-11ce-bfc1-08002be10318")  # GUID_DEVCLASS_NET
HARDWARE = "*msloop"
GENERATE_ID, HARDWARE_ID, FORCE = 1, 1, 1  # DICD_, SPDRP_, INSTALLFLAG_
REGISTER, REMOVE = 0x19, 5  # DIF_REGISTERDEVICE, DIF_REMOVE
INVALID = ctypes.c_void_p(-1).value


class Unavailable(Exception):
    """This Windows does not make the adapter."""


class Device(ctypes.Structure):
    """SP_DEVINFO_DATA."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("guid", ctypes.c_ubyte * 16),
        ("instance", ctypes.c_uint32),
        ("reserved", ctypes.c_size_t),
    )


def why_no_adapter() -> str:
    """The reason why no adapter can be made here; "" where one can."""
    if os.environ.get("NETIOAPI_REAL_ROOT") != "1":
        return "it installs a network adapter: nox -s real, or NETIOAPI_REAL_ROOT=1"
    return why_not()


def luids() -> set[int]:
    return {row.interface_luid for row in netioapi.get_ip_interface_table()}


class LoopbackAdapter:
    """Exists in the `with`."""

    def __init__(self) -> None:
        assert sys.platform == "win32"
        self._setup = ctypes.WinDLL("setupapi.dll", use_last_error=True)
        self._installer = ctypes.WinDLL("newdev.dll", use_last_error=True)
        self._device = Device(ctypes.sizeof(Device))
        self._list: Any = None
        self._registered = False
        self.luid = 0

    def __enter__(self) -> LoopbackAdapter:
        before = luids()
        try:
            self._make()
            self.luid = eventually(lambda: luids() - before, what="no new interface").pop()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def _call(self, name: str, *arguments: object, library: Any = None) -> None:
        if not getattr(library or self._setup, name)(*arguments):
            assert sys.platform == "win32"
            raise Unavailable(f"{name}: error {ctypes.get_last_error():#x}")

    def _make(self) -> None:
        guid = ctypes.create_string_buffer(NET.bytes_le, 16)
        create = self._setup.SetupDiCreateDeviceInfoList
        create.restype = ctypes.c_void_p
        made = create(guid, None)
        if made == INVALID:
            raise Unavailable("SetupDiCreateDeviceInfoList")
        self._list = ctypes.c_void_p(made)
        device = ctypes.byref(self._device)
        self._call(
            "SetupDiCreateDeviceInfoW", self._list, "NET", guid, None, None, GENERATE_ID, device
        )
        name = f"{HARDWARE}\0\0".encode("utf-16-le")
        self._call(
            "SetupDiSetDeviceRegistryPropertyW", self._list, device, HARDWARE_ID, name, len(name)
        )
        self._call("SetupDiCallClassInstaller", REGISTER, self._list, device)
        self._registered = True
        driver = str(Path(os.environ["SystemRoot"], "INF", "netloop.inf"))
        reboot = ctypes.byref(ctypes.c_int())
        update = "UpdateDriverForPlugAndPlayDevicesW"
        self._call(update, None, HARDWARE, driver, FORCE, reboot, library=self._installer)

    def remove(self) -> None:
        if self._registered:
            self._registered = False
            self._call("SetupDiCallClassInstaller", REMOVE, self._list, ctypes.byref(self._device))
        if self._list is not None:
            self._setup.SetupDiDestroyDeviceInfoList(self._list)
            self._list = None

    def row(self) -> Any:
        return next(r for r in netioapi.get_ip_interface_table() if r.interface_luid == self.luid)

    def add_address(self, address: str, mask: str) -> None:
        name = f"name={self.row().interface_index}"
        code, said = netsh(
            "ipv4", "add", "address", name, f"address={address}", f"mask={mask}", "store=active"
        )
        assert code == 0, said

    def switch(self, name: str, on: bool) -> None:
        """Enables or disables it. It has no row while it is disabled, so its alias is given."""
        state = "enabled" if on else "disabled"
        code, said = netsh("set", "interface", f"name={name}", f"admin={state}")
        assert code == 0, said

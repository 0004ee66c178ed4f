# SPDX-License-Identifier: MIT
"""What `ip -json` would print of the stand-in's tables. They are read through the functions of
Windows, so that a test compares with what every other program sees."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from tests.windows.dll import require_standin
from tests.windows.rows import prefix_of
from tests.windows.structures import AF_INET, AF_UNSPEC, Address, Interface, Route, Sockaddr

if TYPE_CHECKING:
    from tests.windows.state import Link

NOT_FOUND = 1168
ROWS_OFFSET = 8
PROTOCOL_NAMES = {2: "kernel", 3: "static", 4: "redirect", 8: "rip", 9: "isis", 13: "ospf",
                  14: "bgp", 16: "eigrp"}  # fmt: skip
T = TypeVar("T", bound=ctypes.Structure)


def table(function: str, type: type[T], family: int = AF_UNSPEC) -> list[T]:
    """The rows of one of the Get*Table functions."""
    library, pointer = require_standin(), ctypes.c_void_p()
    code = getattr(library, function)(family, ctypes.byref(pointer))
    if code == NOT_FOUND:
        return []
    assert code == 0, f"{function}: error {code}"
    assert pointer.value is not None
    count = ctypes.c_uint32.from_address(pointer.value).value
    found = (type * count).from_address(pointer.value + ROWS_OFFSET)
    copies = [type.from_buffer_copy(one) for one in found]
    library.FreeMibTable(pointer)
    return copies


def interfaces() -> list[Interface]:
    return table("GetIpInterfaceTable", Interface)


def link(of: Link) -> dict[str, Any]:
    flags = ["LOOPBACK"] if of.index == 1 else ["BROADCAST", "MULTICAST"]
    flags += ["UP"] if of.up else []
    flags += ["LOWER_UP"] if of.connected else []
    return {
        "ifindex": of.index,
        "ifname": of.name,
        "flags": flags,
        "mtu": of.mtu,
        "operstate": "UP" if of.connected else "DOWN",
        "link_type": "loopback" if of.index == 1 else "ether",
    }


def _is_wanted(address: Sockaddr, version: int) -> bool:
    return version in (0, 4 if address.Family == AF_INET else 6)


def addresses(links: Iterable[Link], version: int) -> list[dict[str, Any]]:
    rows = [
        row
        for row in table("GetUnicastIpAddressTable", Address)
        if _is_wanted(row.Address, version)
    ]
    found = []
    for of in links:
        infos = [
            {
                "family": "inet" if row.Address.Family == AF_INET else "inet6",
                "local": str(row.Address.address),
                "prefixlen": row.OnLinkPrefixLength,
                "scope": "link" if row.Address.address.is_link_local else "global",
            }
            for row in rows
            if row.InterfaceIndex == of.index
        ]
        if infos or not version:
            found.append({**link(of), "addr_info": infos})
    return found


def _route(row: Route, name: str) -> dict[str, Any]:
    prefix, via = prefix_of(row), row.NextHop.address
    whole = prefix.prefixlen == prefix.max_prefixlen
    found: dict[str, Any] = {
        "type": "unicast",
        "dst": "default"
        if prefix.prefixlen == 0
        else str(prefix.network_address if whole else prefix),
        "dev": name,
        "protocol": PROTOCOL_NAMES.get(row.Protocol, str(row.Protocol)),
        "flags": [],
    }
    if not via.is_unspecified:
        found["gateway"] = str(via)
    if row.Metric:
        found["metric"] = row.Metric
    return found


def routes(links: Iterable[Link], version: int) -> list[dict[str, Any]]:
    names = {one.index: one.name for one in links}
    return [
        _route(row, names[row.InterfaceIndex])
        for row in table("GetIpForwardTable2", Route)
        if row.InterfaceIndex in names and _is_wanted(row.DestinationPrefix.Prefix, version or 4)
    ]

# SPDX-License-Identifier: MIT
"""Rows with a block of rare items (csrc/base/extra.h), made of bytes as a pickle has them."""

from __future__ import annotations

import re
import socket
import struct
from ipaddress import IPv4Network, IPv6Network
from typing import Any

from netioapi import IpForwardRow, IpInterfaceRow, Table
from tests.support import header
from tests.support.paths import repo_text
from tests.support.pickles import LAYOUT

STRUCTS: dict[str, tuple[type[Any], str]] = {
    "route": (IpForwardRow, "MIB_IPFORWARD_ROW2"),
    "interface": (IpInterfaceRow, "MIB_IPINTERFACE_ROW"),
}
FAMILY_AT = {"route": ("DestinationPrefix", "NextHop"), "interface": ("Family",)}


def _tags() -> dict[str, int]:
    """{name: tag} of the items, as the header numbers them."""
    listed = repo_text("csrc/base/extra.h").partition("enum {")[2].partition("};")[0]
    numbers: dict[str, int] = {}
    last = 0
    for name, value in re.findall(
        r"NIO_EXTRA_(\w+)(?: = (\w+))?", re.sub(r"/\*.*?\*/", "", listed, flags=re.DOTALL)
    ):
        if not name.startswith("LAST_OF") and name not in numbers:
            last = int(value) if value else last + 1
            numbers[name] = last
    return numbers


TAGS = _tags()


def item(tag: str | int, data: bytes) -> bytes:
    number = TAGS[tag] if isinstance(tag, str) else tag
    return struct.pack("=HH", number, len(data)) + data + bytes(-len(data) % 4)


def prefix(network: IPv4Network | IPv6Network) -> bytes:
    return network.network_address.packed.ljust(16, b"\0") + bytes([network.prefixlen])


def route_items(number: int = 0) -> bytes:
    """All items of a route; different ones for each number."""
    return (
        item("SOURCE_PREFIX", prefix(IPv6Network((0x20010DB8 << 96, 48))))
        + item("ENCAPSULATION", f"mpls {100 + number}/200".encode())
        + item("ROUTE_MTU", struct.pack("=I", 1400 + number))
    )


def interface_items() -> bytes:
    return (
        item("LINK_KIND", b"veth")
        + item("HARDWARE", bytes.fromhex("02005e1000ff"))
        + item("ALTERNATIVES", b"uplink\0\xff0\0" + b"x" * 127 + b"\0")
    )


def data(kind: str, *, family: int = socket.AF_INET6, number: int = 0) -> bytearray:
    """The bytes of a row, with its number as the interface's index."""
    name = STRUCTS[kind][1]
    offsets = header.offsets(name)
    raw = bytearray(header.size(name))
    for member in FAMILY_AT[kind]:
        struct.pack_into("=H", raw, offsets[member], family)
    struct.pack_into("=I", raw, offsets["InterfaceIndex"], number)
    return raw


def row(kind: str, items: bytes, *, details: bool = True, family: int = socket.AF_INET6) -> Any:
    made = STRUCTS[kind][0]
    return made._from_bytes(bytes(data(kind, family=family)), details, LAYOUT, items)


def table(kind: str, blocks: tuple[bytes, ...], numbers: list[int]) -> Table[Any]:
    """A table whose row at index i has the block with the number at index i; 0: none."""
    raw = b"".join(bytes(data(kind, number=i)) for i in range(len(numbers)))
    packed = struct.pack(f"={len(numbers)}I", *numbers)
    return Table._from_bytes(kind, raw, LAYOUT, blocks, packed)

# SPDX-License-Identifier: MIT
"""Random rows for the tests of columns, and the values that their columns must have, taken from the
row objects field by field."""

from __future__ import annotations

import random
import socket
import struct
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from itertools import cycle, islice
from typing import Any

from netioapi import IpForwardRow, IpInterfaceRow, Table, UnicastIpAddressRow, _native
from tests.support import blocks, header
from tests.support.pickles import LAYOUT
from tests.support.platforms import WINDOWS

KINDS: dict[str, tuple[type[Any], str]] = {
    "route": (IpForwardRow, "MIB_IPFORWARD_ROW2"),
    "address": (UnicastIpAddressRow, "MIB_UNICASTIPADDRESS_ROW"),
    "interface": (IpInterfaceRow, "MIB_IPINTERFACE_ROW"),
}
FIELDS: dict[str, list[dict[str, Any]]] = {
    kind: _native._fields()[row_type.__name__] for kind, (row_type, _) in KINDS.items()
}
# The columns that a field has besides the column of its own name.
MORE = {"destination_prefix": ["destination_prefix_length"], "next_hop": ["next_hop_family"]}
EPOCH = 116444736000000000  # 1970 in units of 100 ns since 1601
MOST = (2**63 - 1) // 100
FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}
FAMILY_AT = {
    "MIB_IPFORWARD_ROW2": ("DestinationPrefix", "NextHop"),
    "MIB_UNICASTIPADDRESS_ROW": ("Address",),
    "MIB_IPINTERFACE_ROW": ("Family",),
}
TIMES = [0, EPOCH, EPOCH - MOST, EPOCH - MOST - 1, EPOCH + MOST, EPOCH + MOST + 1, 2**64 - 1]


def column_names(kind: str) -> list[str]:
    """The column names of a schema, in order."""
    names: list[str] = []
    for field in FIELDS[kind]:
        if not field["hidden"]:
            names += [field["name"], *MORE.get(field["name"], [])]
    return names


def _row(kind: str, random_: random.Random) -> bytes:
    """The bytes of a row: some plausible, some not."""
    name = KINDS[kind][1]
    size = header.size(name)
    if random_.random() < 0.2:
        return random_.randbytes(size)
    zeros = random_.random()  # the share of the row that is 0
    words = [
        0 if random_.random() < zeros else random_.choice([1, 2**32 - 1, random_.getrandbits(32)])
        for _ in range(size // 4)
    ]
    data = bytearray(struct.pack(f"={len(words)}I", *words))
    at = header.offsets(name)
    for member in FAMILY_AT[name]:
        family = random_.choice([socket.AF_INET, socket.AF_INET6, socket.AF_INET6, 0])
        struct.pack_into("=H", data, at[member], family)
    if kind == "route":  # a possible length, and an impossible one
        data[at["DestinationPrefix"] + 28] = random_.choice([*range(0, 131, 1), 255])
    if kind == "address":
        time = random_.choice([*TIMES, EPOCH + random_.randrange(2**60)])
        struct.pack_into("=Q", data, at["CreationTimeStamp"], time % 2**64)
    if random_.random() < 0.3:  # an interface that exists
        struct.pack_into("=Q", data, at["InterfaceLuid"], 0)
        struct.pack_into("=I", data, at["InterfaceIndex"], 1)
    if "Name" in at:
        name_ = random_.choice([b"", b"eth0", "größe".encode(), b"a\xff\xc3", b"x" * 16])
        data[at["Name"] : at["Name"] + 16] = name_.ljust(16, b"\0")
    return bytes(data)


def random_table(kind: str, count: int, seed: int) -> Table[Any]:
    """A table of at most 601 different rows, repeated: out of step with the blocks that C
    copies."""
    random_ = random.Random(f"{seed} {kind} {count}")
    rows = [_row(kind, random_) for _ in range(min(count, 601))]
    numbers = [random_.choice([0, 0, 1, 2, 3]) for _ in rows]
    if WINDOWS or kind == "address" or not any(numbers) or random_.random() < 0.3:
        return Table._from_bytes(kind, b"".join(islice(cycle(rows), count)), LAYOUT)
    items = [*map(blocks.route_items, range(2)), blocks.route_items()[:24]]
    if kind == "interface":
        items = [blocks.interface_items(), blocks.interface_items()[:8], blocks.item(99, b"")]
    return Table._from_bytes(
        kind,
        b"".join(islice(cycle(rows), count)),
        LAYOUT,
        tuple(items),
        struct.pack(f"={count}I", *islice(cycle(numbers), count)),
    )


def mapped(address: IPv4Address | IPv6Address) -> bytes:
    prefix = bytes(10) + b"\xff\xff" if address.version == 4 else b""
    return prefix + address.packed


def _plain(field: dict[str, Any], value: Any) -> Any:
    if field["name"] == "source_prefix":  # a column of text, as JSON has it
        return None if value is None else str(value)
    if field["name"] == "alternative_names" and value is not None:
        value = " ".join(value)
    if isinstance(value, IPv4Address | IPv6Address):
        return mapped(value)
    if isinstance(value, IPv4Network | IPv6Network):
        return mapped(value.network_address)
    if isinstance(value, str):  # some of them are not valid text
        return value.encode("utf-8", "backslashreplace").decode()
    if field["unit"].startswith("100 nanoseconds since 1601"):
        return (value - EPOCH) * 100 if abs(value - EPOCH) <= MOST else None
    return value if value is None or isinstance(value, bool | tuple) else int(value)


def expected(table: Table[Any]) -> list[dict[str, Any]]:
    return expected_of(table.kind, table)


def expected_of(kind: str, rows_: Iterable[Any]) -> list[dict[str, Any]]:
    """{column: value} of each row, from its attributes."""
    rows = []
    for row in rows_:
        columns: dict[str, Any] = {}
        for field in FIELDS[kind]:
            name = field["name"]
            if not field["hidden"]:
                value = getattr(row, name)
                columns[name] = _plain(field, value)
                for more in MORE.get(name, []):
                    if value is None:
                        columns[more] = None
                    elif more.endswith("_length"):
                        columns[more] = value.prefixlen
                    else:
                        columns[more] = int(FAMILIES[value.version])
        rows.append(columns)
    return rows

# SPDX-License-Identifier: MIT
"""Pickled rows, tables and blocks that no system wrote, or another layout: refused, or harmless."""

from __future__ import annotations

import copy
import json
import random
import struct
import zlib
from typing import Any

import pytest

from netioapi import Table
from tests.support import blocks, header
from tests.support.blocks import interface_items, item, route_items
from tests.support.leaks import leaks
from tests.support.pickles import LAYOUT
from tests.support.platforms import linux_only

pytestmark = linux_only("rows of Windows have no blocks")
MAX, KEY_MAX = 16384, 512
ITEMS = {"route": route_items(), "interface": interface_items()}
each_kind = pytest.mark.parametrize("kind", ITEMS)


@each_kind
def test_pointer_in_pickled_bytes_is_never_used(kind: str) -> None:
    row_type, name = blocks.STRUCTS[kind]
    raw = blocks.data(kind)
    at = header.offsets(name)["Extra"]
    raw[at : at + 8] = b"\xff" * 8
    row = row_type._from_bytes(bytes(raw), True, LAYOUT)
    assert row == blocks.row(kind, b"")
    table: Table[Any] = Table._from_bytes(kind, bytes(raw) * 3, LAYOUT)
    assert list(table) == [row] * 3


MALFORMED = {
    "half a header": b"\1\0",
    "a length beyond the end": struct.pack("=HH", 2, 8) + bytes(4),
    "an item without its padding": struct.pack("=HH", 2, 1) + b"x",
    "too many bytes": item("ALTERNATIVES", bytes(MAX)),
    "too many bytes of a key": item("ENCAPSULATION", bytes(KEY_MAX)),
}


@pytest.mark.parametrize("items", MALFORMED.values(), ids=MALFORMED)
def test_malformed_items_are_refused(items: bytes) -> None:
    with pytest.raises(ValueError, match="malformed"):
        blocks.row("route", items)
    with pytest.raises(ValueError, match="malformed"):
        blocks.table("route", (route_items(), items), [1, 1])


def test_blocks_of_a_table_that_do_not_fit_its_rows_are_refused() -> None:
    raw = bytes(blocks.data("route"))
    good = (route_items(),)
    for numbers in (b"", bytes(3), bytes(8), b"\2\0\0\0", b"\xff" * 4):
        with pytest.raises(ValueError, match="block"):
            Table._from_bytes("route", raw, LAYOUT, good, numbers)
    with pytest.raises(TypeError):
        Table._from_bytes("route", raw, LAYOUT, ("text",), bytes(4))  # type: ignore[arg-type]
    address = bytes(header.size("MIB_UNICASTIPADDRESS_ROW"))
    with pytest.raises(ValueError, match="rows of this kind have no blocks"):
        Table._from_bytes("address", address, LAYOUT, good, b"\1\0\0\0")


def test_layout_number_belongs_to_these_members() -> None:
    """Where a member moved or is new, this fails, and NIO_PICKLE_LAYOUT needs another number."""
    sizes = [header.size(name) for _, name in blocks.STRUCTS.values()]
    formats = "".join(
        memoryview(Table._from_bytes(kind, b"", LAYOUT)).format
        for kind in ("route", "address", "interface")
    )
    assert (LAYOUT % 1000, sizes, zlib.crc32(formats.encode())) == (2, [160, 224], 550424236)


@pytest.mark.parametrize("layout", [-1, 0, 1, LAYOUT + 1, LAYOUT + 1000])
def test_another_layout_is_refused_by_name(layout: int) -> None:
    table = blocks.table("route", (), [0])
    for thing in (table, table[0]):
        make, arguments = thing.__reduce__()
        changed = [layout if i == 2 else argument for i, argument in enumerate(arguments)]
        with pytest.raises(
            ValueError, match=rf"layout {layout}\b.* layout {LAYOUT} only: unpickle"
        ):
            make(*changed)


def test_table_of_a_system_with_other_rows_is_refused() -> None:
    """20 rows of Windows have as many bytes as 13 of Linux."""
    windows = 104
    count = header.size("MIB_IPFORWARD_ROW2") * windows
    with pytest.raises(ValueError, match="from one system to another"):
        Table._from_bytes("route", bytes(count), LAYOUT, (), b"", windows)


def wrong_sizes() -> dict[str, bytes]:
    tags = ["SOURCE_PREFIX", "ENCAPSULATION", "ROUTE_MTU", "HARDWARE", "ALTERNATIVES"]
    sizes = [0, 1, 3, 5, 16, 18, 33]
    return {f"{tag} {size}": item(tag, b"\xfe" * size) for tag in tags for size in sizes}


@each_kind
@pytest.mark.parametrize("items", wrong_sizes().values(), ids=wrong_sizes())
def test_item_of_any_size_raises_nothing(kind: str, items: bytes) -> None:
    row = blocks.row(kind, items)
    assert row == copy.copy(row)
    assert hash(row) == hash(copy.copy(row))
    json.dumps(row._asdict(json=True))
    repr(row)


def spoil(random_: random.Random, items: bytes) -> bytes:
    """Items with some bytes changed, cut, doubled or put in."""
    changed = bytearray(items)
    for _ in range(random_.randrange(1, 4)):
        at = random_.randrange(len(changed) + 1)
        match random_.randrange(4):
            case 0:
                changed[at:] = b""
            case 1:
                changed[at:at] = random_.randbytes(random_.choice([1, 2, 4, 8]))
            case 2:
                changed += changed[:at]
            case _ if at < len(changed):
                changed[at] = random_.randrange(256)
    return bytes(changed)


def use(row: Any) -> None:
    json.dumps(row._asdict(json=True))
    repr(row)
    assert row == copy.copy(row)
    assert hash(row) == hash(copy.copy(row))
    assert isinstance(row.key, bytes)


@each_kind
def test_spoilt_items_are_refused_or_harmless(kind: str, seed: int) -> None:
    random_ = random.Random(seed)
    outcomes = {"refused": 0, "read": 0}
    for _ in range(2000):
        items = spoil(random_, ITEMS[kind])
        numbers = [random_.choice([0, 1, 2, 2**32 - 1][: random_.choice([2, 3, 4])]) for _ in "123"]
        try:
            row = blocks.row(kind, items, details=random_.random() < 0.7)
            table = blocks.table(kind, (items, ITEMS[kind]), numbers)
        except ValueError:
            outcomes["refused"] += 1
            continue
        outcomes["read"] += 1
        use(row)
        for one in table:
            use(one)
        assert table == copy.copy(table)
        table.__arrow_c_array__()
    assert min(outcomes.values()) > 0


def test_spoilt_pickles_raise_or_load(seed: int) -> None:
    """Only the arguments are spoilt: a pickle as such can call anything."""
    random_ = random.Random(seed)
    table = blocks.table("route", (route_items(1), route_items(2)), [1, 0, 2])
    for _ in range(2000):
        make, arguments = random_.choice([table, table[0], table[1]]).__reduce__()
        changed: list[Any] = list(arguments)
        i = random_.randrange(len(changed))
        if isinstance(changed[i], bytes):
            changed[i] = spoil(random_, changed[i])
        elif isinstance(changed[i], tuple):
            changed[i] = tuple(spoil(random_, one) for one in changed[i])
        else:
            changed[i] = random_.choice([None, -1, 2, 3, 2**70, "route", "address", b"", ()])
        try:
            made = make(*changed)
        except (ValueError, TypeError, OverflowError):
            continue
        for row in made if isinstance(made, Table) else [made]:
            use(row)


def refuse() -> None:
    for bad in MALFORMED.values():
        with pytest.raises(ValueError, match="malformed"):
            blocks.row("route", bad)
        with pytest.raises(ValueError, match="malformed"):
            blocks.table("route", (route_items(), bad), [1, 2])
    with pytest.raises(ValueError, match="block"):
        blocks.table("route", (route_items(),), [1, 1, 7])


def test_refusal_of_a_block_leaks_nothing() -> None:
    assert not leaks(refuse)

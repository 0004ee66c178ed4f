# SPDX-License-Identifier: MIT
"""Tables: a sequence of rows in one block, and the block through the buffer protocol."""

from __future__ import annotations

import collections.abc
import copy
import ctypes
import gc
import pickle
import random
import struct
from typing import Any

import pytest

import netioapi
from netioapi import IpForwardRow, IpInterfaceRow, Table, UnicastIpAddressRow
from tests.support import header
from tests.support.buffer_format import places
from tests.support.leaks import leaks
from tests.support.pickles import LAYOUT
from tests.support.platforms import WINDOWS, on_wine, skip_on_wine_alone

KINDS: dict[str, tuple[type[Any], str]] = {
    "route": (IpForwardRow, "MIB_IPFORWARD_ROW2"),
    "address": (UnicastIpAddressRow, "MIB_UNICASTIPADDRESS_ROW"),
    "interface": (IpInterfaceRow, "MIB_IPINTERFACE_ROW"),
}


def table_of(kind: str, count: int) -> Table[Any]:
    """Rows that differ in their interface index: 100, 101, ..."""
    name = KINDS[kind][1]
    at = header.offsets(name)["InterfaceIndex"]
    data = bytearray(header.size(name) * count)
    for number in range(count):
        struct.pack_into("=I", data, number * header.size(name) + at, 100 + number)
    return Table._from_bytes(kind, bytes(data), LAYOUT)


@pytest.mark.parametrize("kind", KINDS)
def test_table_behaves_like_a_sequence(kind: str, seed: int) -> None:
    table = table_of(kind, 10)
    rows = [table[i] for i in range(10)]
    assert isinstance(table, collections.abc.Sequence)
    assert (table.kind, table.row_type) == (kind, KINDS[kind][0])
    assert len(table) == 10
    assert bool(table)
    assert list(table) == rows
    assert list(reversed(table)) == rows[::-1]
    assert [row.interface_index for row in table] == list(range(100, 110))
    assert table[-1] == rows[9] == table[9]
    assert table[True] == rows[1]
    assert repr(table) == f"<netioapi.Table of 10 {KINDS[kind][0].__name__}>"
    random_ = random.Random(seed)
    for _ in range(500):
        choice = [None, *range(-12, 13)]
        start, stop = random_.choice(choice), random_.choice(choice)
        step = random_.choice([None, -3, -2, -1, 1, 2, 3])
        part = table[start:stop:step]
        assert type(part) is Table
        assert list(part) == rows[start:stop:step], (start, stop, step)


@pytest.mark.parametrize("kind", KINDS)
def test_empty_table_has_no_rows_and_no_bytes(kind: str) -> None:
    table = table_of(kind, 0)
    assert len(table) == 0
    assert not table
    assert list(table) == []
    assert list(table[::2]) == []
    assert table == table[:] == pickle.loads(pickle.dumps(table))
    view = memoryview(table)
    assert (view.nbytes, view.shape, view.tobytes()) == (0, (0,), b"")
    with pytest.raises(IndexError):
        table[0]


def test_table_index_out_of_range_or_of_wrong_type_raises() -> None:
    table = table_of("route", 3)
    for index in (3, -4, 2**70, -(2**70)):
        with pytest.raises(IndexError):
            table[index]
    for wrong in ("x", None, 1.0, (1, 2)):
        with pytest.raises(TypeError):
            table[wrong]  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="zero"):
        table[::0]


def test_table_finds_rows_by_equality() -> None:
    table = table_of("route", 5)
    twice: Table[Any] = Table._from_bytes("route", table.__reduce__()[1][1] * 2, LAYOUT)
    assert table[3] in table
    assert twice.index(table[3]) == 3
    assert twice.index(table[3], 4) == 8
    assert twice.index(table[3], -7, -1) == 3
    assert twice.count(table[3]) == 2
    for arguments in ((table[3], 4, 8), (table_of("route", 6)[5],), (7,), (None,)):
        with pytest.raises(ValueError, match="not in the table"):
            twice.index(*arguments)
    for stranger in (7, None, "x", table_of("address", 1)[0], IpForwardRow("10.0.0.0/8")):
        assert stranger not in table
        assert table.count(stranger) == 0
    with pytest.raises(TypeError):
        table.index()  # type: ignore[call-arg]


def test_tables_are_equal_when_their_rows_are() -> None:
    table = table_of("route", 3)
    assert table == table_of("route", 3)
    assert table != table_of("route", 4)
    assert table != table[::-1]
    assert table_of("route", 0) != table_of("address", 0)
    assert table != list(table)
    with pytest.raises(TypeError, match="unhashable"):
        hash(table)
    with pytest.raises(TypeError):
        table < table  # type: ignore[operator]  # noqa: B015


def test_table_cannot_be_created_changed_or_subclassed() -> None:
    table = table_of("route", 3)
    with pytest.raises(TypeError, match="cannot create"):
        Table()
    with pytest.raises(TypeError):
        table[0] = table[1]  # type: ignore[index]
    with pytest.raises(TypeError):
        del table[0]  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        table.kind = "x"  # type: ignore[misc]
    with pytest.raises(TypeError, match="not an acceptable base type"):
        type("Own", (Table,), {})
    match table:
        case [first, *_]:
            assert first == table[0]
        case _:
            pytest.fail("is no sequence to match")


def test_table_is_generic_in_annotations() -> None:
    assert str(Table[IpForwardRow]) == "netioapi.Table[netioapi.IpForwardRow]"


def test_rows_and_slices_outlive_the_table() -> None:
    table = table_of("route", 1000)
    row, part, view = table[7], table[3:9], memoryview(table)
    expected = view.tobytes()
    del table
    gc.collect()
    assert row.interface_index == 107
    assert [one.interface_index for one in part] == list(range(103, 109))
    assert view.tobytes() == expected


@pytest.mark.parametrize("kind", KINDS)
def test_table_survives_pickle_and_copy(kind: str) -> None:
    table = table_of(kind, 3)
    protocols = range(pickle.HIGHEST_PROTOCOL + 1)
    twins = [pickle.loads(pickle.dumps(table, protocol)) for protocol in protocols]
    for twin in [*twins, copy.copy(table), copy.deepcopy(table)]:
        assert (type(twin), twin.kind) == (Table, kind)
        assert twin == table


def test_table_from_bytes_of_another_system_raises() -> None:
    windows, linux = bytes(104), bytes(136)
    here, there = (windows, linux) if WINDOWS else (linux, windows)
    for kind, data in (("route", there), ("routes", here), ("", b"")):
        with pytest.raises(ValueError, match="from one system to another"):
            Table._from_bytes(kind, data, LAYOUT)
    with pytest.raises(TypeError):
        Table._from_bytes("route", "text", LAYOUT)  # type: ignore[arg-type]


# The buffer protocol


@pytest.mark.parametrize("kind", KINDS)
def test_buffer_format_places_members_as_the_header_does(kind: str) -> None:
    row_type, name = KINDS[kind]
    view = memoryview(table_of(kind, 3))
    assert view.readonly
    assert (view.ndim, view.shape, view.strides) == (1, (3,), (header.size(name),))
    assert view.itemsize == header.size(name)
    assert view.nbytes == 3 * header.size(name) == len(bytes(table_of(kind, 3)))
    found = places(view.format)
    assert found.pop("")[0] == view.itemsize
    for member, offset in header.offsets(name).items():
        if member != "Extra":  # a pointer
            field = "interface_name" if member == "Name" else header.snake(member)
            assert found[field][0] == offset
    assert set(found) <= set(row_type._fields)


@pytest.mark.parametrize("kind", KINDS)
def test_buffer_numbers_equal_the_attributes(kind: str, seed: int) -> None:
    size = header.size(KINDS[kind][1])
    table: Table[Any] = Table._from_bytes(kind, random.Random(seed).randbytes(size * 20), LAYOUT)
    view = memoryview(table)
    data = view.tobytes()
    compared = 0
    for name, (offset, code) in places(view.format).items():
        if code in ("?", "B", "H", "I", "i", "Q"):
            for number, row in enumerate(table):
                (raw,) = struct.unpack_from("=" + code, data, number * size + offset)
                value = getattr(row, name)
                assert value is None or value == raw
                compared += value is not None
    assert compared > 20 * 5


def test_buffer_is_read_only_and_leaks_nothing() -> None:
    table = table_of("route", 3)
    with pytest.raises((TypeError, BufferError)):
        (ctypes.c_char * 8).from_buffer(table)  # requests a writable buffer

    def look() -> None:
        with memoryview(table) as view:
            assert view.format

    assert not leaks(look)


def test_numpy_reads_columns_without_a_copy() -> None:
    if on_wine():
        pytest.skip("numpy needs functions that Wine's C library lacks")
    numpy = pytest.importorskip("numpy", reason="numpy is not installed")
    table = table_of("route", 3)
    array = numpy.asarray(table)
    assert array["interface_index"].tolist() == [100, 101, 102]
    assert array["destination_prefix"]["length"].tolist() == [0, 0, 0]
    assert array["next_hop"]["ipv6"].shape == (3, 16)
    assert numpy.shares_memory(array, numpy.asarray(table)), "no copy"


def test_using_a_table_leaks_nothing() -> None:
    skip_on_wine_alone("GetIpInterfaceTable")
    table = table_of("route", 5)

    def use() -> None:
        part = table[::2]
        assert part[0] in table
        assert table.index(part[1]) == 2
        assert pickle.loads(pickle.dumps(part)) == part
        repr(part)
        list(part)
        assert table.row_type
        assert table.kind
        netioapi.get_ip_interface_table()

    assert not leaks(use)

# SPDX-License-Identifier: MIT
"""Microsoft's structs byte by byte: the compile-time figures for both headers, ctypes' own layout,
the formats of the tables' buffers, and the bytes in them all agree."""

from __future__ import annotations

import ctypes
import random
import re
import struct
from typing import Any

import pytest

from tests.support import header
from tests.support.buffer_format import places
from tests.support.paths import repo_text
from tests.support.platforms import on_wine
from tests.windows.structures import (
    AF_INET,
    AF_INET6,
    Address,
    Hint,
    Interface,
    Prefix,
    Route,
    Sockaddr,
)
from tests.windows.support import ADDRESS, INDEX, INTERFACE, ROUTE, RowKind

STRUCTS: dict[str, type[ctypes.Structure]] = {
    "MIB_IPFORWARD_ROW2": Route,
    "MIB_UNICASTIPADDRESS_ROW": Address,
    "MIB_IPINTERFACE_ROW": Interface,
}
SMALL: dict[str, type[ctypes.Structure]] = {
    "SOCKADDR_INET": Sockaddr,
    "IP_ADDRESS_PREFIX": Prefix,
    "NL_NETWORK_CONNECTIVITY_HINT": Hint,
}
KINDS = {"MIB_IPFORWARD_ROW2": ROUTE, "MIB_UNICASTIPADDRESS_ROW": ADDRESS}
KINDS |= {"MIB_IPINTERFACE_ROW": INTERFACE}
COMMON = repo_text("csrc/contract/layout.h")
LINUX = repo_text("csrc/contract/linux/layout.h")


def figures(name: str, text: str) -> dict[str, int]:
    return {m: int(at) for m, at in re.findall(rf"NIO_AT\({name},\s+(\w+),\s+(\d+)\)", text)}


def members(of: type[ctypes.Structure]) -> dict[str, int]:
    return {field[0]: getattr(of, field[0]).offset for field in of._fields_}


@pytest.mark.parametrize("name", STRUCTS)
def test_struct_offsets_match_the_compile_time_figures(name: str) -> None:
    """The compiler checks Microsoft's header and ours against the same file of figures."""
    assert members(STRUCTS[name]) == figures(name, COMMON)
    assert ctypes.sizeof(STRUCTS[name]) == header.size(name)


@pytest.mark.parametrize("name", SMALL)
def test_small_struct_offsets_match_the_compile_time_figures(name: str) -> None:
    assert ctypes.sizeof(SMALL[name]) == header.size(name)
    found = members(SMALL[name])
    for member, at in figures(name, COMMON).items():
        assert found[{"si_family": "Family"}.get(member, member)] == at


@pytest.mark.parametrize("name", STRUCTS)
def test_linux_members_lie_in_no_member_of_microsoft(name: str) -> None:
    """The members of Linux alone lie in Microsoft's padding or behind it, and are listed in a file
    of their own."""
    own = figures(name, LINUX)
    microsofts = [getattr(STRUCTS[name], field[0]) for field in STRUCTS[name]._fields_]
    taken = {at for one in microsofts for at in range(one.offset, one.offset + one.size)}
    assert own
    assert not own.keys() & figures(name, COMMON).keys()
    assert not set(own.values()) & taken
    sizes = re.findall(rf"NIO_SIZE\({name}, (\d+)\)", LINUX)
    assert int(sizes[0]) > header.size(name)


def test_rows_of_a_table_begin_at_offset_8() -> None:
    for table in ("MIB_IPFORWARD_TABLE2", "MIB_UNICASTIPADDRESS_TABLE", "MIB_IPINTERFACE_TABLE"):
        assert figures(table, COMMON) == {"Table": 8}


@pytest.mark.parametrize("name", STRUCTS)
def test_table_buffer_format_matches_the_figures(name: str, link: int) -> None:
    view = memoryview(KINDS[name].get_table())
    found = places(view.format)
    assert found.pop("")[0] == view.itemsize == header.size(name)
    known = {header.snake(member): at for member, at in figures(name, COMMON).items()}
    assert {member: found[member][0] for member in known} == known
    assert not {header.snake(member) for member in figures(name, LINUX)} & found.keys()


def filled(name: str, seed: int) -> Any:
    """A row of random bytes, with valid key members."""
    chance = random.Random(seed)
    row = STRUCTS[name].from_buffer_copy(chance.randbytes(ctypes.sizeof(STRUCTS[name])))
    made: Any = KINDS[name].make(1)
    for member in ("InterfaceLuid", "InterfaceIndex"):
        setattr(row, member, getattr(made, member))
    for member in {"Family", "Address", "DestinationPrefix", "NextHop"} & members(type(row)).keys():
        setattr(row, member, getattr(made, member))
    return row


def in_table(kind: RowKind, key: bytes) -> tuple[Any, bytes]:
    """The row with that key, and its bytes in the table's buffer."""
    table = kind.get_table()
    view = memoryview(table)
    assert view.itemsize * len(table) == view.nbytes
    for number, row in enumerate(table):
        if row.key == key:
            return row, view.tobytes()[number * view.itemsize : (number + 1) * view.itemsize]
    raise AssertionError(f"{key!r} is not among {len(table)} rows")


@pytest.mark.parametrize("name", STRUCTS)
def test_row_bytes_of_the_system_reach_buffer_and_attributes(
    name: str, netns: Any, link: int, seed: int
) -> None:
    kind, compared = KINDS[name], 0
    for turn in range(20):
        kind.put(filled(name, seed + turn))
        given = filled(name, seed + turn)
        (key,) = [
            row.key
            for row in kind.get_table()
            if row.interface_index == INDEX and row.family == AF_INET
        ]
        row, data = in_table(kind, key)
        assert data == bytes(given)
        for member, (at, code) in places(memoryview(kind.get_table()).format).items():
            value = getattr(row, member, None)
            if code in ("B", "H", "I", "i", "Q") and value is not None:
                assert value == struct.unpack_from("=" + code, data, at)[0], member
                compared += 1
    assert compared > 20 * 5


@pytest.mark.parametrize("family", [AF_INET, AF_INET6])
def test_interface_table_of_a_family_has_that_family_alone(family: int, link: int) -> None:
    rows = [one for one in INTERFACE.get_table(family) if one.interface_index == INDEX]
    assert [one.family for one in rows] == [family]


@pytest.mark.parametrize("name", STRUCTS)
def test_numpy_offsets_match_the_figures(name: str) -> None:
    if on_wine():
        pytest.skip("numpy asks Wine's C library for what it lacks")
    numpy = pytest.importorskip("numpy", reason="numpy is not installed")
    dtype = numpy.asarray(KINDS[name].get_table()).dtype
    assert dtype.itemsize == header.size(name)
    for member, at in figures(name, COMMON).items():
        assert dtype.fields[header.snake(member)][1] == at

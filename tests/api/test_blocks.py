# SPDX-License-Identifier: MIT
"""What is rare in a row: the fields that it has in its block, equality, hash, pickles, copies and
slices; and the fields that are parts of other members."""

from __future__ import annotations

import copy
import json
import pickle
import socket
import struct
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network
from typing import Any

import pytest

from netioapi import IpForwardRow, IpInterfaceRow, UnicastIpAddressRow
from tests.support import blocks, header
from tests.support.blocks import interface_items, item, prefix, route_items
from tests.support.leaks import leaks
from tests.support.pickles import LAYOUT
from tests.support.platforms import linux_only

pytestmark = linux_only("rows of Windows have no blocks")
PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
MAX, KEY_MAX = 16384, 512
ITEMS = {"route": route_items(), "interface": interface_items()}
each_kind = pytest.mark.parametrize("kind", ITEMS)


def longest_items() -> bytes:
    """As many bytes as a block can have, among them as many as a key can have."""
    key = item("ENCAPSULATION", b"e" * (KEY_MAX - 4))
    return key + item("ALTERNATIVES", b"a" * (MAX - KEY_MAX - 4))


def twins(thing: Any) -> list[Any]:
    pickled = [pickle.loads(pickle.dumps(thing, protocol)) for protocol in PROTOCOLS]
    return [*pickled, copy.copy(thing), copy.deepcopy(thing)]


# Fields


def test_route_reads_its_items() -> None:
    row = blocks.row("route", route_items())
    assert row.source_prefix == IPv6Network("2001:db8::/48")
    assert row.encapsulation == "mpls 100/200"
    assert row.route_mtu == 1400
    plain = row._asdict(json=True)
    assert plain["source_prefix"] == "2001:db8::/48"
    assert json.loads(json.dumps(plain)) == plain
    ipv4 = item("SOURCE_PREFIX", prefix(IPv4Network("10.0.0.0/8")))
    assert blocks.row("route", ipv4, family=socket.AF_INET).source_prefix == IPv4Network(
        "10.0.0.0/8"
    )


def test_interface_reads_its_items() -> None:
    row = blocks.row("interface", interface_items())
    assert row.link_kind == "veth"
    assert row.hardware_address == "02:00:5e:10:00:ff"
    assert row.alternative_names == ("uplink", "\udcff0", "x" * 127)
    plain = row._asdict(json=True)
    assert plain["alternative_names"] == ["uplink", "\udcff0", "x" * 127]
    assert json.loads(json.dumps(plain))["alternative_names"] == plain["alternative_names"]


@each_kind
def test_row_without_a_block_has_none_of_its_items(kind: str) -> None:
    row, whole = blocks.row(kind, b""), blocks.row(kind, ITEMS[kind])
    names = [n for n in row._fields if getattr(row, n) != getattr(whole, n)]
    assert len(names) == 3
    assert all(getattr(row, name) is None for name in names)
    key = blocks.row(kind, ITEMS[kind], details=False)
    assert all(getattr(key, name) is None for name in names)


@pytest.mark.parametrize(
    ("bit", "name"), [(1, "dead"), (4, "onlink"), (8, "offload"), (16, "linkdown")]
)
def test_bit_of_the_flags_is_a_field(bit: int, name: str) -> None:
    at = header.offsets("MIB_IPFORWARD_ROW2")["Flags"]
    for flags in (0, bit, 0xFF, 0xFF ^ bit):
        raw = blocks.data("route")
        raw[at] = flags
        row = IpForwardRow._from_bytes(bytes(raw), True, LAYOUT)
        assert row.flags == flags
        assert getattr(row, name) is bool(flags & bit)


@pytest.mark.parametrize(
    ("scope", "name"),
    [(0, "UNIVERSE"), (200, "SITE"), (253, "LINK"), (254, "HOST"), (255, "NOWHERE"), (7, 7)],
)
@pytest.mark.parametrize(
    ("row_type", "struct_name"),
    [(IpForwardRow, "MIB_IPFORWARD_ROW2"), (UnicastIpAddressRow, "MIB_UNICASTIPADDRESS_ROW")],
)
def test_scope_reads_as_a_name_or_a_number(
    row_type: type[Any], struct_name: str, scope: int, name: str | int
) -> None:
    raw = bytearray(header.size(struct_name))
    raw[header.offsets(struct_name)["Scope"]] = scope
    row = row_type._from_bytes(bytes(raw), True, LAYOUT)
    assert row.scope == scope
    assert row._asdict(json=True)["scope"] == name


@pytest.mark.parametrize(("number", "name"), [(0, "MEDIUM"), (1, "HIGH"), (3, "LOW")])
def test_preference_is_none_in_ipv4(number: int, name: str) -> None:
    at = header.offsets("MIB_IPFORWARD_ROW2")["Preference"]
    for family, shown in ((socket.AF_INET6, name), (socket.AF_INET, None)):
        raw = blocks.data("route", family=family)
        raw[at] = number
        row = IpForwardRow._from_bytes(bytes(raw), True, LAYOUT)
        assert row._asdict(json=True)["preference"] == shown


@pytest.mark.parametrize("member", ["Label", "Broadcast"])
def test_label_and_broadcast_are_none_where_they_are_empty(member: str) -> None:
    name = "MIB_UNICASTIPADDRESS_ROW"
    offsets = header.offsets(name)
    raw = bytearray(header.size(name))
    struct.pack_into("=H", raw, offsets["Address"], socket.AF_INET)
    empty = UnicastIpAddressRow._from_bytes(bytes(raw), True, LAYOUT)
    assert getattr(empty, member.lower()) is None
    raw[offsets[member] : offsets[member] + 4] = b"v0:1"
    full = UnicastIpAddressRow._from_bytes(bytes(raw), True, LAYOUT)
    assert str(getattr(full, member.lower())) == ("v0:1" if member == "Label" else "118.48.58.49")
    assert full != empty


# The name of the interface


def test_only_a_row_that_a_program_made_looks_a_name_up() -> None:
    """Interface 1 is lo in each network namespace, and no other row may take that name."""
    made = IpForwardRow("10.0.0.0/8", interface_index=1)
    for row in (made, *twins(made)):
        assert row.interface_name == "lo"
    data, _, *rest = made.__reduce__()[1]
    for details in (False, True):
        from_system = IpForwardRow._from_bytes(data, details, *rest)
        for row in (from_system, *twins(from_system)):
            assert row.interface_name is None
    assert IpForwardRow._from_bytes(data, False, *rest) == made


def test_interface_name_is_in_no_key() -> None:
    at = header.offsets("MIB_IPINTERFACE_ROW")["Name"]
    raw = blocks.data("interface")
    before = bytes(raw)
    raw[at : at + 2] = b"v0"
    for details, equal in ((True, False), (False, True)):
        a = IpInterfaceRow._from_bytes(before, details, LAYOUT)
        b = IpInterfaceRow._from_bytes(bytes(raw), details, LAYOUT)
        assert a.key == b.key
        assert (a == b) is equal, "a rename is a change of the interface's own row"
        assert (hash(a) == hash(b)) is equal


# Equality and hash


@each_kind
def test_each_item_is_compared(kind: str) -> None:
    whole = blocks.row(kind, ITEMS[kind])
    assert whole == blocks.row(kind, ITEMS[kind]), "another block with the same items"
    assert hash(whole) == hash(blocks.row(kind, ITEMS[kind]))
    assert len({whole, blocks.row(kind, ITEMS[kind]), blocks.row(kind, b"")}) == 2
    changed = bytearray(ITEMS[kind])
    at = 0
    while at < len(changed):
        size = int.from_bytes(changed[at + 2 : at + 4], "little")
        other = bytearray(changed)
        other[at + 4] ^= 1
        assert blocks.row(kind, bytes(other)) != whole
        assert hash(blocks.row(kind, bytes(other))) != hash(whole)
        at += 4 + size + -size % 4


def test_block_of_the_largest_size_is_compared_whole() -> None:
    items = longest_items()
    assert len(items) == MAX
    other = items[:-1] + b"b"
    for kind, equal in (("interface", False), ("route", True)):  # a route has no such field
        a, b = blocks.row(kind, items), blocks.row(kind, other)
        assert a == blocks.row(kind, items)
        assert (a == b) is equal
        assert (hash(a) == hash(b)) is equal
        assert all(twin == a for twin in twins(a))
    key = blocks.row("route", items, details=False)
    assert key == blocks.row("route", other, details=False)
    assert key != blocks.row("route", b"", details=False)
    assert len(key.key) > KEY_MAX


def test_source_prefix_and_encapsulation_are_in_the_key_and_the_mtu_is_not() -> None:
    key = blocks.row("route", b"").key
    source = item("SOURCE_PREFIX", prefix(IPv6Network("2001:db8::/48")))
    assert blocks.row("route", source).key != key
    assert blocks.row("route", item("ENCAPSULATION", b"mpls 1")).key != key
    assert blocks.row("route", item("ROUTE_MTU", struct.pack("=I", 1))).key == key


# Tables


def test_table_with_blocks_is_equal_to_its_twins_and_to_no_other() -> None:
    table = blocks.table("route", (route_items(1), route_items(2)), [1, 0, 2, 1])
    assert [row.route_mtu for row in table] == [1401, None, 1402, 1401]
    assert all(twin == table for twin in twins(table))
    assert table != blocks.table("route", (route_items(1), route_items(2)), [1, 0, 2, 2])
    assert table != blocks.table("route", (route_items(1),), [1, 0, 0, 1])
    assert table[2] in table
    assert table.index(table[2]) == 2


def test_table_pickles_each_block_once() -> None:
    small = blocks.table("interface", (interface_items(),), [1] * 10)
    large = blocks.table("interface", (interface_items(),), [1] * 1000)
    per_row = header.size("MIB_IPINTERFACE_ROW") + 4
    grown = len(pickle.dumps(large)) - len(pickle.dumps(small))
    assert grown <= 990 * per_row + 100
    assert large.__reduce__()[1][3] == (interface_items(),)


@pytest.mark.parametrize("step", [1, 2, -1])
def test_slice_keeps_the_blocks_when_the_table_is_gone(step: int) -> None:
    table = blocks.table("route", tuple(map(route_items, range(4))), [1, 2, 3, 4])
    part, row = table[::step], table[2]
    expected = [1400, 1401, 1402, 1403][::step]
    del table
    assert [one.route_mtu for one in part] == expected
    assert row.encapsulation == "mpls 102/200"
    view = memoryview(part)
    del part
    assert len(view) == len(expected)


def test_pickle_does_not_show_the_address_of_a_block() -> None:
    at = header.offsets("MIB_IPFORWARD_ROW2")["Extra"]
    data = blocks.row("route", route_items()).__reduce__()[1][0]
    assert data[at : at + 8] == bytes(8)
    table = blocks.table("route", (route_items(),), [1])
    assert table.__reduce__()[1][1][at : at + 8] == bytes(8)


# Memory


USES: dict[str, Callable[[], object]] = {
    "row": lambda: twins(blocks.row("interface", interface_items())),
    "fields": lambda: blocks.row("route", route_items())._asdict(),
    "hash": lambda: hash(blocks.row("route", route_items())),
    "table": lambda: twins(blocks.table("route", (route_items(1), route_items(2)), [1, 0, 2])),
    "slices": lambda: [blocks.table("route", (route_items(),), [1, 1])[::n] for n in (1, 2, -1)],
    "columns": lambda: blocks.table("interface", (interface_items(),), [1]).__arrow_c_array__(),
    "an unused block": lambda: blocks.table("route", (route_items(), route_items(1)), [0, 0]),
}


@pytest.mark.parametrize("use_block", USES.values(), ids=USES)
def test_use_of_a_block_leaks_nothing(use_block: Callable[[], object]) -> None:
    assert not leaks(use_block)

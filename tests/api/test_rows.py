# SPDX-License-Identifier: MIT
"""Rows: what the attributes read, equality, hash, repr, pickle."""

from __future__ import annotations

import copy
import gc
import json
import pickle
import random
import socket
import struct
import sys
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

import pytest

import netioapi
from netioapi import (
    IpForwardRow,
    IpInterfaceRow,
    UnicastIpAddressRow,
    _native,
    enums,
)
from tests.support import header
from tests.support.leaks import leaks
from tests.support.pickles import LAYOUT
from tests.support.platforms import WINDOWS, linux_only

TABLES: dict[str, list[dict[str, Any]]] = _native._fields()
STRUCTS: dict[type[Any], str] = {
    IpForwardRow: "MIB_IPFORWARD_ROW2",
    UnicastIpAddressRow: "MIB_UNICASTIPADDRESS_ROW",
    IpInterfaceRow: "MIB_IPINTERFACE_ROW",
}
ROW_TYPES = list(STRUCTS)
Row = IpForwardRow | UnicastIpAddressRow | IpInterfaceRow


def make(
    row_type: type[Any], *, family: int = socket.AF_INET6, details: bool = True, **members: Any
) -> Any:
    """A row of raw bytes: {member of the header: struct code and number, or bytes}."""
    data = bytearray(header.size(STRUCTS[row_type]))
    offsets = header.offsets(STRUCTS[row_type])
    addresses = ["DestinationPrefix", "NextHop", "Address", "Family"]
    for member in filter(offsets.__contains__, addresses):
        struct.pack_into("=H", data, offsets[member], family)
    for member, value in members.items():
        if member not in offsets:
            assert WINDOWS, member
            continue  # a member of Linux alone
        raw = value if isinstance(value, bytes) else struct.pack("=" + value[0], *value[1:])
        data[offsets[member] : offsets[member] + len(raw)] = raw
    return row_type._from_bytes(bytes(data), details, LAYOUT)


def sockaddr(text: str) -> bytes:
    address = ip_address(text)
    if address.version == 4:
        return struct.pack("=HH4s", socket.AF_INET, 0, address.packed)
    return struct.pack("=HHI16sI", socket.AF_INET6, 0, 0, address.packed, 0)


def prefix(text: str) -> bytes:
    network = ip_network(text)
    return sockaddr(str(network.network_address)).ljust(28, b"\0") + bytes([network.prefixlen])


def route(**members: Any) -> IpForwardRow:
    given = {"DestinationPrefix": prefix("10.1.0.0/16"), "NextHop": sockaddr("10.0.0.1"), **members}
    row = make(IpForwardRow, **given)
    assert isinstance(row, IpForwardRow)
    return row


def compared_fields(row: Row) -> dict[str, Any]:
    """The fields that == compares."""
    names = [f["name"] for f in TABLES[type(row).__name__] if not f["volatile"]]
    return {name: getattr(row, name) for name in names if name not in ("key", "interface_name")}


# Attributes


def as_on_this_system(on_linux: dict[str, Any]) -> dict[str, Any]:
    """The values of a route on Linux, reduced to what this system provides."""
    if not WINDOWS:
        return on_linux
    systems = {field["name"]: field["systems"] for field in TABLES["IpForwardRow"]}
    said = {name: value for name, value in on_linux.items() if "windows" in systems[name]}
    # There the name is that of the LUID's interface, which does not exist.
    of_windows_alone = {"site_prefix_length": 7, "age": 9, "interface_name": None}
    return dict.fromkeys(on_linux) | said | of_windows_alone


def test_route_attributes_read_the_structs_bytes() -> None:
    row = route(
        InterfaceLuid=("Q", 6 << 48 | 7 << 24),
        InterfaceIndex=("I", 7),
        Metric=("I", 4000000000),
        Protocol=("I", 3),
        Origin=("I", 2),
        ValidLifetime=("I", 60),
        PreferredLifetime=("I", 0xFFFFFFFF),
        SitePrefixLength=b"\7",
        Loopback=b"\1",
        AutoconfigureAddress=b"\0",
        Publish=b"\xff",
        Immortal=b"\1",
        Age=("I", 9),
        Scope=b"\xfd",
        Instances=("H", 3),
        Table=("II16sHBBBBB", 77, 5, ip_address("10.0.0.9").packed, 2, 6, 16, 4, 186, 1),
        Name=b"v0",
    )
    assert row._asdict() == as_on_this_system(
        {
            "destination_prefix": IPv4Network("10.1.0.0/16"),
            "next_hop": IPv4Address("10.0.0.1"),
            "interface_name": "v0",
            "interface_index": 7,
            "interface_luid": 6 << 48 | 7 << 24,
            "family": socket.AF_INET,
            "metric": 4000000000,
            "protocol": enums.RouteProtocol.NET_MGMT,
            "origin": enums.RouteOrigin.DHCP,
            "valid_lifetime": 60,
            "preferred_lifetime": netioapi.INFINITE,
            "site_prefix_length": None,
            "loopback": True,
            "autoconfigure_address": False,
            "publish": True,
            "immortal": True,
            "age": None,
            "table": 77,
            "type": enums.RouteType.BLACKHOLE,
            "tos": 16,
            "preferred_source": IPv4Address("10.0.0.9"),
            "nexthop_id": 5,
            "weight": 2,
            "flags": 4,
            "onlink": True,
            "dead": False,
            "linkdown": False,
            "offload": False,
            "scope": enums.RouteScope.LINK,
            "preference": None,
            "instances": 3,
            "source_prefix": None,
            "encapsulation": None,
            "route_mtu": None,
            "kernel_protocol": 186,
        }
    )
    assert isinstance(row.protocol, enums.RouteProtocol)
    assert WINDOWS or isinstance(row.type, enums.RouteType)


def test_zero_nexthop_source_master_or_peer_reads_none() -> None:
    assert route().nexthop_id is None
    assert route().preferred_source is None
    assert make(UnicastIpAddressRow).peer is None
    assert make(IpInterfaceRow).master is None
    assert make(IpInterfaceRow, Flags=("II", 0, 5)).master == (None if WINDOWS else 5)


def test_ipv6_route_reads_ipv6_values() -> None:
    row = route(DestinationPrefix=prefix("2001:db8::/32"), NextHop=sockaddr("fe80::1"))
    assert row.destination_prefix == IPv6Network("2001:db8::/32")
    assert row.next_hop == IPv6Address("fe80::1")
    assert row.family == socket.AF_INET6
    mixed = route(NextHop=sockaddr("fe80::1"))
    assert (mixed.family, mixed.next_hop) == (socket.AF_INET, IPv6Address("fe80::1"))


def test_unknown_enum_number_reads_as_int() -> None:
    row = route(Protocol=("I", 4711), Table=("II16sHB", 0, 0, b"", 0, 200))
    assert (row.protocol, type(row.protocol)) == (4711, int)
    if not WINDOWS:
        assert (row.type, type(row.type)) == (200, int)
    interface = make(IpInterfaceRow, RouterDiscoveryBehavior=("i", -1))
    assert interface.router_discovery_behavior is enums.RouterDiscoveryBehavior.UNCHANGED


def test_field_that_this_system_lacks_reads_none() -> None:
    full = make(IpInterfaceRow, family=socket.AF_INET, MaxReassemblySize=("I", 9))
    assert full.max_reassembly_size == (9 if WINDOWS else None)
    assert make(IpInterfaceRow, MaxReassemblySize=("I", 9)).max_reassembly_size == 9
    others = [
        (row_type, field["name"])
        for row_type in ROW_TYPES
        for field in TABLES[row_type.__name__]
        if field["systems"] == ["linux" if WINDOWS else "windows"]
    ]
    assert others
    for row_type, name in others:
        assert getattr(make(row_type), name) is None


@linux_only("a name is not in the row, but looked up by LUID")
def test_interface_name_is_read_from_the_row() -> None:
    assert make(IpInterfaceRow).interface_name is None
    name = b"v\xff0\0rest of old"
    data = bytearray(header.size("MIB_IPINTERFACE_ROW"))
    data[180:196] = name.ljust(16, b"\0")
    assert IpInterfaceRow._from_bytes(bytes(data), True, LAYOUT).interface_name == "v\udcff0"
    data[180:196] = b"x" * 16
    assert IpInterfaceRow._from_bytes(bytes(data), True, LAYOUT).interface_name == "x" * 16


def test_zone_indices_read_as_a_tuple() -> None:
    row = make(IpInterfaceRow, ZoneIndices=("16I", *range(16)))
    assert row.zone_indices == tuple(range(16))


@pytest.mark.parametrize("row_type", ROW_TYPES)
def test_row_of_random_bytes_never_raises(row_type: type[Any], seed: int) -> None:
    """No bytes that a system could return make an attribute raise."""
    random_ = random.Random(seed)
    size = header.size(STRUCTS[row_type])
    for _ in range(300):
        row = row_type._from_bytes(random_.randbytes(size), random_.random() < 0.5, LAYOUT)
        json.dumps(row._asdict(json=True))
        repr(row)
        assert row == copy.copy(row)
        assert hash(row) == hash(copy.copy(row))
        assert isinstance(row.key, bytes)


# Equality


@pytest.mark.parametrize("row_type", ROW_TYPES)
@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_row_equality_compares_every_field_that_is_not_volatile(
    row_type: type[Any], family: int
) -> None:
    """Flips a bit of each byte in turn: == sees it exactly when a compared attribute does."""
    host = prefix("10.0.0.7/32" if family == socket.AF_INET else "fd00::7/128")
    members: dict[str, Any] = {"DestinationPrefix": host} if row_type is IpForwardRow else {}
    row = make(row_type, family=family, **members)
    data: bytes = row.__reduce__()[1][0]
    assert len(data) == header.size(STRUCTS[row_type])
    different = 0
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1
        other = row_type._from_bytes(bytes(changed), True, LAYOUT)
        shows = compared_fields(other) != compared_fields(row)
        if row_type is IpInterfaceRow:  # a rename changes the interface, and nothing else
            shows |= other.interface_name != row.interface_name
        assert (other != row) == shows, f"byte {place}"
        assert (hash(other) != hash(row)) == shows, f"byte {place}"
        different += shows
    assert 0 < different < len(data)


def test_volatile_fields_are_not_compared() -> None:
    volatile = {name: [f["name"] for f in TABLES[name] if f["volatile"]] for name in TABLES}
    assert volatile == {
        "IpForwardRow": ["interface_name", "valid_lifetime", "preferred_lifetime", "age"],
        "UnicastIpAddressRow": ["interface_name", "valid_lifetime", "preferred_lifetime"],
        "IpInterfaceRow": ["reachable_time"],
    }
    assert route(ValidLifetime=("I", 1)) == route(ValidLifetime=("I", 2))
    assert route(Metric=("I", 1)) != route(Metric=("I", 2))


def test_row_and_other_type_are_never_equal() -> None:
    row = route()
    assert row != 1
    assert row != make(UnicastIpAddressRow)
    assert row.__eq__(1) is NotImplemented
    assert row in [row]
    with pytest.raises(TypeError):
        row < row  # type: ignore[operator]  # noqa: B015


def test_rows_without_details_compare_by_key() -> None:
    def partial(origin: int, **members: Any) -> Row:
        data: bytes = route(Origin=("I", origin), **members).__reduce__()[1][0]
        return IpForwardRow._from_bytes(data, False, LAYOUT)

    assert partial(0) == partial(3), "the origin is not known"
    assert hash(partial(0)) == hash(partial(3))
    assert partial(0) != partial(0, NextHop=sockaddr("10.0.0.2")), "another route"
    assert partial(0) != route(), "less is known"
    for member in ("Table", "Metric"):  # part of a route's key on Linux, and not on Windows
        assert (partial(0) == partial(0, **{member: ("I", 77)})) == WINDOWS


# Rows without details


@pytest.mark.parametrize("row_type", ROW_TYPES)
def test_row_without_details_has_key_fields_alone(row_type: type[Any]) -> None:
    data = make(row_type).__reduce__()[1][0]
    row = row_type._from_bytes(bytes(b | 1 for b in data), False, LAYOUT)
    for field in TABLES[row_type.__name__]:
        if not field["key"]:
            assert getattr(row, field["name"]) is None
    assert row.interface_index != 0
    assert isinstance(row.key, bytes)
    assert json.loads(json.dumps(row._asdict(json=True)))["interface_index"] == row.interface_index


# Rows as values


@pytest.mark.parametrize("row_type", ROW_TYPES)
def test_row_survives_pickle_and_copy(row_type: type[Any]) -> None:
    for details in (False, True):
        row = make(row_type, details=details)
        protocols = range(pickle.HIGHEST_PROTOCOL + 1)
        twins = [pickle.loads(pickle.dumps(row, protocol)) for protocol in protocols]
        for twin in [*twins, copy.copy(row), copy.deepcopy(row)]:
            assert type(twin) is row_type
            assert twin == row
            assert twin._asdict() == row._asdict()


@pytest.mark.parametrize("row_type", ROW_TYPES)
def test_row_from_bytes_of_another_system_raises(row_type: type[Any]) -> None:
    windows = {IpForwardRow: 104, UnicastIpAddressRow: 80, IpInterfaceRow: 168}[row_type]
    linux = {IpForwardRow: 136, UnicastIpAddressRow: 104, IpInterfaceRow: 200}[row_type]
    other = linux if WINDOWS else windows
    for size in (0, 1, other, header.size(STRUCTS[row_type]) + 1):
        with pytest.raises(ValueError, match="from one system to another"):
            row_type._from_bytes(bytes(size), True, LAYOUT)
    with pytest.raises(TypeError):
        row_type._from_bytes("text", True, LAYOUT)


@pytest.mark.parametrize("row_type", ROW_TYPES)
def test_row_is_immutable_and_final(row_type: type[Any]) -> None:
    row = make(row_type)
    for field in TABLES[row_type.__name__]:
        with pytest.raises(AttributeError):
            setattr(row, field["name"], 1)
        with pytest.raises(AttributeError):
            delattr(row, field["name"])
    with pytest.raises(AttributeError):
        row.anything = 1
    with pytest.raises(TypeError, match="not an acceptable base type"):
        type("Own", (row_type,), {})
    assert not gc.is_tracked(row)


def test_row_asdict_is_json_when_asked() -> None:
    row = route(Protocol=("I", 3), Table=("II16sHB", 254, 0, b"", 1, 1))
    assert tuple(row._asdict()) == row._fields
    plain = row._asdict(json=True)
    assert tuple(plain) == row._fields
    assert json.loads(json.dumps(plain)) == plain
    assert plain["destination_prefix"] == "10.1.0.0/16"
    assert (plain["next_hop"], plain["protocol"]) == ("10.0.0.1", "NET_MGMT")
    assert plain["type"] == (None if WINDOWS else "UNICAST")
    with pytest.raises(TypeError):
        row._asdict(True)  # type: ignore[call-arg]


def test_row_repr_shows_the_main_fields() -> None:
    row = route(InterfaceIndex=("I", 7), Metric=("I", 20), Protocol=("I", 14))
    assert repr(row) == (
        "IpForwardRow(destination_prefix='10.1.0.0/16', next_hop='10.0.0.1', interface_index=7, "
        f"metric=20, protocol=BGP{'' if WINDOWS else ', table=0, type=UNSPEC'})"
    )
    assert repr(IpInterfaceRow(socket.AF_INET, interface_index=99999)) == (
        f"IpInterfaceRow(family={int(socket.AF_INET)}, interface_index=99999)"
    )


@pytest.mark.parametrize("row_type", ROW_TYPES)
def test_using_a_row_leaks_nothing(row_type: type[Any]) -> None:
    data: bytes = make(row_type).__reduce__()[1][0]

    def use() -> None:
        row = row_type._from_bytes(data, True, LAYOUT)
        row._asdict()
        row._asdict(json=True)
        repr(row)
        hash(row)
        assert row == pickle.loads(pickle.dumps(row))
        assert row.key

    references = sys.getrefcount(row_type)
    assert not leaks(use)
    assert abs(sys.getrefcount(row_type) - references) < 50

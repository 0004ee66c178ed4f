# SPDX-License-Identifier: MIT
"""Columns through Arrow's PyCapsule interface, read with ctypes alone: the schema, and every value
compared with the row objects. The rows are random here, and real in test_arrow_batch.py;
test_arrow_consumers.py has the other consumers, test_arrow_release.py the memory."""

from __future__ import annotations

import socket
import sys
import threading
from typing import Any

import pytest

import netioapi
from tests.support.arrow_reader import (
    ArrowArray,
    ArrowArrayStream,
    ArrowSchema,
    call,
    described,
    last_error,
    moved,
    read,
    release,
    schema_of,
    taken,
    values,
    within,
)
from tests.support.arrow_rows import (
    FIELDS,
    KINDS,
    MORE,
    column_names,
    expected,
    random_table,
)

ADDRESS = "w:16"
FORMATS: dict[str, dict[str, str]] = {
    "route": {
        "destination_prefix": ADDRESS,
        "destination_prefix_length": "C",
        "next_hop": ADDRESS,
        "next_hop_family": "S",
        "interface_name": "u",
        "interface_index": "I",
        "interface_luid": "L",
        "family": "S",
        "metric": "I",
        "protocol": "i",
        "origin": "i",
        "valid_lifetime": "I",
        "preferred_lifetime": "I",
        "site_prefix_length": "C",
        "loopback": "b",
        "autoconfigure_address": "b",
        "publish": "b",
        "immortal": "b",
        "age": "I",
        "table": "I",
        "type": "C",
        "tos": "C",
        "preferred_source": ADDRESS,
        "nexthop_id": "I",
        "weight": "S",
        "flags": "C",
        "onlink": "b",
        "dead": "b",
        "linkdown": "b",
        "offload": "b",
        "scope": "C",
        "preference": "C",
        "instances": "S",
        "source_prefix": "u",
        "encapsulation": "u",
        "route_mtu": "I",
        "kernel_protocol": "C",
    },
    "address": {
        "address": ADDRESS,
        "on_link_prefix_length": "C",
        "interface_name": "u",
        "interface_index": "I",
        "interface_luid": "L",
        "family": "S",
        "dad_state": "i",
        "prefix_origin": "i",
        "suffix_origin": "i",
        "valid_lifetime": "I",
        "preferred_lifetime": "I",
        "skip_as_source": "b",
        "scope_id": "I",
        "creation_time_stamp": "tsn:UTC",
        "flags": "I",
        "peer": ADDRESS,
        "label": "u",
        "scope": "C",
        "broadcast": ADDRESS,
    },
}
# The other fields of an interface are 4-byte numbers.
BOOLS = "connected forwarding_enabled advertising_enabled advertise_default_route weak_host_send "
BOOLS += "weak_host_receive use_automatic_metric use_neighbor_unreachability_detection "
BOOLS += "managed_address_configuration_supported other_stateful_configuration_supported "
BOOLS += "supports_neighbor_discovery supports_router_discovery supports_wake_up_patterns "
BOOLS += "disable_default_routes"
OTHERS = {
    "master_name": "u",
    "hardware_address": "u",
    "link_kind": "u",
    "alternative_names": "u",
    "interface_name": "u",
    "family": "S",
    "interface_luid": "L",
    "interface_identifier": "L",
    "router_discovery_behavior": "i",
    "link_local_address_behavior": "i",
    "zone_indices": "+w:16",
    "transmit_offload": "C",
    "receive_offload": "C",
    "hardware_type": "S",
    "oper_state": "C",
}
FORMATS["interface"] = {
    name: OTHERS.get(name, "b" if name in BOOLS.split() else "I")
    for name in column_names("interface")
}
# Around a byte of bits, and around the blocks of rows that columns are made of; the last size lets
# other threads take the GIL in between.
SIZES = [0, 1, 7, 8, 9, 64, 511, 512, 513, 1024, 4096]
each_kind = pytest.mark.parametrize("kind", KINDS)


def field_of(kind: str, column: str) -> dict[str, Any]:
    """The field that a column belongs to."""
    (found,) = (
        field
        for field in FIELDS[kind]
        if column == field["name"] or column in MORE.get(field["name"], [])
    )
    return found


@each_kind
def test_schema_is_the_same_on_every_system(kind: str) -> None:
    schema = schema_of(random_table(kind, 0, 0))
    assert (schema.format, schema.name, schema.nullable) == ("+s", "", False)
    assert schema.metadata == {"netioapi.kind": kind}
    assert {column.name: column.format for column in schema.children} == FORMATS[kind]
    assert [column.name for column in schema.children] == column_names(kind)
    assert all(column.nullable for column in schema.children)
    for column in schema.children:
        if column.format != "+w:16":
            assert column.children == ()
        else:
            (item,) = column.children
            assert (item.name, item.format, item.nullable, item.metadata) == (
                "item",
                "I",
                False,
                {},
            )


@each_kind
def test_column_metadata_matches_the_field(kind: str) -> None:
    families = {int(socket.AF_INET): "AF_INET", int(socket.AF_INET6): "AF_INET6"}
    for column in schema_of(random_table(kind, 1, 0)).children:
        field = field_of(kind, column.name)
        assert column.metadata.pop("netioapi.source") == field["source"]
        unit = column.metadata.pop("netioapi.unit")
        if column.name.endswith("_prefix_length"):
            assert unit == "bits"
        elif column.format.startswith("ts"):
            assert unit == "nanoseconds since 1970-01-01 UTC"
        else:
            assert unit == field["unit"]
        if "netioapi.enum" in column.metadata:
            enum = netioapi.enums.ENUMS.get(field["enum"])
            names = {member.value: member.name for member in enum} if enum else families
            assert column.members == names
            del column.metadata["netioapi.enum"]
        else:
            assert field["enum"] is None
            assert "family" not in column.name
        assert column.metadata == {}


@each_kind
def test_column_values_match_the_rows(kind: str, seed: int) -> None:
    table = random_table(kind, 500, seed)
    _, rows = read(table)
    wanted = expected(table)
    assert len(rows) == len(wanted) == 500
    for number, (row, other) in enumerate(zip(rows, wanted, strict=True)):
        assert row == other, f"row {number}: {table[number]!r}"
    both = {name for name in rows[0] if len({type(row[name]) for row in rows}) == 2}
    wanted_both = {"route": {"destination_prefix", "next_hop_family"}, "address": {"address"}}
    assert both >= wanted_both.get(kind, set()), "some were null, and some were not"


@each_kind
@pytest.mark.parametrize("count", SIZES)
def test_columns_of_any_number_of_rows_match_the_rows(kind: str, count: int, seed: int) -> None:
    table = random_table(kind, count, seed)
    of_schema, of_array = table.__arrow_c_array__()
    schema, array = described(within(of_schema, ArrowSchema)), within(of_array, ArrowArray)
    assert array.length == count
    assert array.null_count == 0
    assert values(schema, array) == expected(table)


@each_kind
def test_column_that_this_system_lacks_is_null(kind: str, seed: int) -> None:
    """Also where no row has a value: the column exists in any case."""
    system = "windows" if sys.platform == "win32" else "linux"
    _, rows = read(random_table(kind, 100, seed))
    for name in column_names(kind):
        field = field_of(kind, name)
        if not any(said.startswith(system) for said in field["systems"]):
            assert {row[name] for row in rows} == {None}, name
        elif not field["optional"] and field["systems"] == ["linux", "windows"]:
            assert any(row[name] is not None for row in rows), name


def test_addresses_of_two_families_never_share_bytes() -> None:
    """An IPv4 address filled up with zeros would be an IPv6 address."""
    table = random_table("route", 2000, 1)
    _, rows = read(table)
    families: dict[bytes, set[int]] = {}
    for row in rows:
        for name, family in (("destination_prefix", "family"), ("next_hop", "next_hop_family")):
            if row[name] is not None:
                families.setdefault(row[name], set()).add(row[family])
    assert {len(found) for found in families.values()} == {1}
    assert sum(found == {socket.AF_INET} for found in families.values()) > 10
    assert any(row["next_hop_family"] not in (None, row["family"]) for row in rows)


@each_kind
def test_stream_is_one_batch(kind: str, seed: int) -> None:
    for count in (0, 3, 600):
        table = random_table(kind, count, seed)
        stream = taken(table.__arrow_c_stream__(), ArrowArrayStream)
        for _ in range(2):  # each call makes a schema
            schema = ArrowSchema()
            assert call(stream, "get_schema", schema) == 0
            column = described(schema)
            assert column == schema_of(table)
            release(schema)
        batch, end = ArrowArray(), ArrowArray()
        assert call(stream, "get_next", batch) == 0
        assert values(column, batch) == expected(table)
        for _ in range(2):
            assert call(stream, "get_next", end) == 0
            assert end.release is None, "the end"
        assert last_error(stream) is None
        release(stream)
        assert values(column, batch) == expected(table), "it outlives its stream"
        release(batch)


def test_requested_schema_with_other_types_is_accepted_and_ignored(seed: int) -> None:
    table = random_table("route", 5, seed)
    plain = read(table)
    wider = table.__arrow_c_schema__()
    within(wider, ArrowSchema).children[
        column_names("route").index("metric")
    ].contents.format = b"l"
    for requested in (None, table.__arrow_c_schema__(), wider):
        for array in (
            table.__arrow_c_array__(requested),
            table.__arrow_c_array__(requested_schema=requested),
        ):
            schema = described(within(array[0], ArrowSchema))
            assert (schema, values(schema, within(array[1], ArrowArray))) == plain
        stream = within(table.__arrow_c_stream__(requested_schema=requested), ArrowArrayStream)
        said = ArrowSchema()
        assert call(stream, "get_schema", said) == 0
        assert described(said) == plain[0]
        release(said)
        if requested is not None:
            assert within(requested, ArrowSchema).release, "only looked at"


def renamed(kind: str, name: bytes | None) -> object:
    """The schema of a kind with another name for its last column."""
    requested = random_table(kind, 0, 0).__arrow_c_schema__()
    within(requested, ArrowSchema).children[len(column_names(kind)) - 1].contents.name = name
    return requested


def not_a_struct(kind: str) -> object:
    requested = random_table(kind, 0, 0).__arrow_c_schema__()
    within(requested, ArrowSchema).format = b"l"
    return requested


@each_kind
def test_requested_schema_with_other_columns_raises(kind: str) -> None:
    """The specification demands an exception."""
    table = random_table(kind, 3, 0)
    requests = [random_table(other, 0, 0).__arrow_c_schema__() for other in KINDS if other != kind]
    requests += [renamed(kind, b"x"), renamed(kind, None), not_a_struct(kind)]
    released = table.__arrow_c_schema__()
    release(within(released, ArrowSchema))
    for method in (table.__arrow_c_array__, table.__arrow_c_stream__):
        for requested in requests:
            with pytest.raises(ValueError, match=rf"must have the \d+ columns of kind '{kind}'"):
                method(requested)
        with pytest.raises(ValueError, match="was already released or moved"):
            method(requested_schema=released)


def test_export_with_wrong_arguments_raises_type_error() -> None:
    table: Any = random_table("route", 1, 0)
    for method in (table.__arrow_c_array__, table.__arrow_c_stream__):
        for wrong in (7, "+s", object(), table, table.__arrow_c_array__()[1]):
            with pytest.raises(TypeError, match="requested_schema must be None or a capsule"):
                method(wrong)
        for arguments, named in (((None, None), {}), ((), {"schema": None})):
            with pytest.raises(TypeError):
                method(*arguments, **named)
    with pytest.raises(TypeError):
        table.__arrow_c_schema__(None)


@each_kind
def test_child_outlives_its_released_parent(kind: str, seed: int) -> None:
    table = random_table(kind, 100, seed)
    of_schema, of_array = table.__arrow_c_array__()
    schema, array = taken(of_schema, ArrowSchema), taken(of_array, ArrowArray)
    wanted = expected(table)
    for number, name in enumerate(column_names(kind)):
        if number % 3 == 1:
            continue
        one = moved(schema.children[number].contents), moved(array.children[number].contents)
        if number % 3 == 2:
            release(schema)
            release(array)
            of_schema, of_array = table.__arrow_c_array__()
            schema, array = taken(of_schema, ArrowSchema), taken(of_array, ArrowArray)
        column = described(one[0])
        assert column.name == name
        assert values(column, one[1]) == [row[name] for row in wanted]
        release(one[0])
        release(one[1])
    release(schema)
    release(array)


def test_columns_outlive_the_table(seed: int) -> None:
    table = random_table("route", 1000, seed)
    wanted = expected(table)
    of_schema, of_array = table[::-1][::-1].__arrow_c_array__()
    table = random_table("route", 1000, seed + 1)
    schema = described(within(of_schema, ArrowSchema))
    assert values(schema, within(of_array, ArrowArray)) == wanted


def test_concurrent_exports_of_one_table_match_the_rows(seed: int) -> None:
    table = random_table("route", 4096, seed)  # so many that other threads get the GIL
    start, results = threading.Barrier(4), []

    def export() -> None:
        start.wait(60)
        results.append([table.__arrow_c_array__() for _ in range(5)])

    threads = [threading.Thread(target=export) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    wanted = expected(table)
    assert len(results) == 4
    for of_schema, of_array in (result[-1] for result in results):
        schema = described(within(of_schema, ArrowSchema))
        assert values(schema, within(of_array, ArrowArray)) == wanted

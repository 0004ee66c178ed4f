# SPDX-License-Identifier: MIT
"""The field tables, the header, the docstrings and the stub agree."""

from __future__ import annotations

import ast
import importlib.util
from types import ModuleType
from typing import Any

import pytest

import netioapi
from netioapi import _native
from tests.support import header
from tests.support.paths import ROOT

TABLES: dict[str, list[dict[str, Any]]] = _native._fields()
STRUCTS = {
    "IpForwardRow": "MIB_IPFORWARD_ROW2",
    "UnicastIpAddressRow": "MIB_UNICASTIPADDRESS_ROW",
    "IpInterfaceRow": "MIB_IPINTERFACE_ROW",
}
FIELDS = [(name, field) for name in STRUCTS for field in TABLES[name]]
# Fields without a struct member of their own, by design.
DERIVED = {"interface_name", "family", "key"}
# Bits of the member Flags, and items of the block that the member Extra points to.
PARTS = {
    "IpForwardRow": "onlink dead linkdown offload source_prefix encapsulation route_mtu",
    "UnicastIpAddressRow": "",
    "IpInterfaceRow": "hardware_address link_kind alternative_names",
}
# The fields that the design promises; there may be more.
PROMISED = {
    "IpForwardRow": "destination_prefix next_hop interface_index interface_luid metric protocol "
    "origin table type tos preferred_source nexthop_id weight flags interface_name route_mtu "
    "encapsulation preference scope source_prefix instances onlink dead linkdown offload",
    "UnicastIpAddressRow": "address on_link_prefix_length dad_state flags peer interface_name "
    "label scope broadcast",
    "IpInterfaceRow": "family nl_mtu connected flags master interface_name hardware_address "
    "link_kind alternative_names master_name",
}
UNITS = {
    "no unit",
    "seconds",
    "milliseconds",
    "bytes",
    "bits",
    "messages",
    "100 nanoseconds since 1601-01-01 UTC",
}


def each(field: tuple[str, dict[str, Any]]) -> str:
    return f"{field[0]}.{field[1]['name']}"


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("stub_rows", ROOT / "tools" / "stub_rows.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("row_and_field", FIELDS, ids=each)
def test_field_docstring_states_unit_source_and_systems(
    row_and_field: tuple[str, dict[str, Any]],
) -> None:
    row, field = row_and_field
    doc = getattr(getattr(netioapi, row), field["name"]).__doc__
    assert doc == field["doc"]
    assert field["unit"] in UNITS
    assert f"\nUnit: {field['unit']}.\n" in doc
    assert f"\nSource: {field['source']}." in doc
    assert doc.split("\n")[0].strip()
    assert field["systems"] in (
        ["linux", "windows"],
        ["linux-ipv6", "windows"],
        ["linux-ipv6"],
        ["linux"],
        ["windows"],
    )
    member = f"{STRUCTS[row]}."
    if "windows" in field["systems"]:
        assert member in field["source"], "the header's member"
    else:
        assert member not in field["source"], "Linux only: not in the header"
        assert "Linux only" in doc
    if field["systems"] == ["windows"]:
        assert "None on Linux" in doc


@pytest.mark.parametrize("name", STRUCTS)
def test_fields_match_the_members_of_the_header(name: str) -> None:
    """Fails for a forgotten or misspelled member."""
    members = {header.snake(member) for member in header.members(STRUCTS[name])}
    members -= {"pad", "microsoft_end", "extra", "name"}  # `name` is read as interface_name
    members |= set(PARTS[name].split())
    fields = [field["name"] for field in TABLES[name]]
    assert len(fields) == len(set(fields))
    assert set(fields) - DERIVED == members - DERIVED
    assert set(fields) >= DERIVED | set(PROMISED[name].split())


@pytest.mark.parametrize("name", STRUCTS)
def test_field_source_names_its_header_member(name: str) -> None:
    members = {header.snake(member): member for member in header.members(STRUCTS[name])}
    for field in TABLES[name]:
        if field["name"] not in DERIVED and "windows" in field["systems"]:
            assert field["source"].startswith(f"{STRUCTS[name]}.{members[field['name']]}")


@pytest.mark.parametrize("name", STRUCTS)
def test_row_type_lists_its_fields(name: str) -> None:
    row_type = getattr(netioapi, name)
    assert row_type._fields == tuple(f["name"] for f in TABLES[name] if not f["hidden"])
    assert "key" not in row_type._fields
    assert "Source:" in row_type.__doc__
    assert "Raises:" in row_type.__doc__


def test_key_fields_match_the_key_of_the_header() -> None:
    keys = {name: {f["name"] for f in TABLES[name] if f["key"]} - DERIVED for name in STRUCTS}
    interface = {"interface_index", "interface_luid"}
    assert keys == {
        "IpForwardRow": interface | {"destination_prefix", "next_hop"},
        "UnicastIpAddressRow": interface | {"address"},
        "IpInterfaceRow": interface,  # and the family, which every row has
    }


def test_stub_matches_the_field_tables() -> None:
    tool = generator()
    stub = tool.STUB.read_text(encoding="utf-8")
    assert stub.count(tool.BEGIN) == stub.count(tool.END) == 1
    assert tool.with_section(stub) == stub, "run: python tools/stub_rows.py --write"


@pytest.mark.parametrize("row_and_field", FIELDS, ids=each)
def test_stub_declares_each_field_with_its_type(row_and_field: tuple[str, dict[str, Any]]) -> None:
    row, field = row_and_field
    tree = ast.parse((ROOT / "python/netioapi/_native.pyi").read_text(encoding="utf-8"))
    (found,) = (n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == row)
    (method,) = (
        n for n in found.body if isinstance(n, ast.FunctionDef) and n.name == field["name"]
    )
    assert [ast.unparse(decorator) for decorator in method.decorator_list] == ["property"]
    assert method.returns
    words = [word.strip() for word in ast.unparse(method.returns).split("|")]
    expected = [field["enum"], "int"] if field["enum"] else field["type"].split(" | ")
    assert words[: len(expected)] == expected
    rest = words[len(expected) :]
    may_lack = field["optional"] or len(field["systems"]) == 1 or "linux-ipv6" in field["systems"]
    if may_lack or field["name"] == "interface_name":
        assert rest == ["None"]
    else:
        assert rest == ([] if field["key"] else ["_MaybeNone"])


@pytest.mark.parametrize("name", sorted({f["enum"] for _, f in FIELDS if f["enum"]}))
def test_enum_of_every_field_is_registered(name: str) -> None:
    assert name in netioapi.enums.ENUMS

# SPDX-License-Identifier: MIT
"""Pickles that 0.1.0 wrote load in this version: the fixture holds them at every protocol, each one
compressed by zlib and then base64, with the values that 0.1.0 showed for its objects."""

from __future__ import annotations

import base64
import json
import pickle
import sys
import zlib
from typing import Any

import pytest

import netioapi
from netioapi import Table
from tests.support.paths import repo_text
from tests.support.platforms import WINDOWS

GROUPS: dict[str, dict[str, Any]] = json.loads(repo_text("tests/api/pickles_0_1_0.json"))
ROWS = ("route", "address", "interface", "table")
PROTOCOLS = range(6)


def of_row(row: Any) -> list[Any]:
    """Type and fields, but the name, which is looked up on the machine that loads the row."""
    values = json.loads(json.dumps(row._asdict(json=True)))
    del values["interface_name"]
    return [type(row).__name__, values]


def of_object(group: str, value: Any) -> Any:
    """The value that the fixture must hold for an object of this group."""
    if isinstance(value, Table):
        return [value.kind, [of_row(row) for row in value]]
    return of_row(value) if group in ROWS else repr(value)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("group", GROUPS)
def test_pickle_of_0_1_0_loads_with_the_same_values(group: str, protocol: int) -> None:
    if group in ROWS and (WINDOWS or sys.byteorder != "little"):
        pytest.skip("a row's pickle holds the bytes of its own system")
    expected = GROUPS[group]["expected"]
    loaded = pickle.loads(zlib.decompress(base64.b64decode(GROUPS[group]["pickles"][protocol])))
    if group == "names":
        assert loaded == [getattr(netioapi, name) for name in expected]
        return
    assert [of_object(group, value) for value in loaded] == expected
    if group != "errors":  # exceptions are equal to themselves alone
        assert pickle.loads(pickle.dumps(loaded, protocol)) == loaded


def test_fixture_holds_every_public_name_and_row_type() -> None:
    assert set(GROUPS["names"]["expected"]) <= set(netioapi.__all__)
    types = {row[0] for group in ROWS[:3] for row in GROUPS[group]["expected"]}
    assert types == {"IpForwardRow", "UnicastIpAddressRow", "IpInterfaceRow"}
    assert all(len(group["pickles"]) == len(PROTOCOLS) for group in GROUPS.values())

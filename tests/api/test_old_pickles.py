# SPDX-License-Identifier: MIT
"""Pickles that 0.1.0 wrote: rows and Tables, which had another layout, are refused by name; all
other objects load. The fixture holds them at every protocol, each one compressed by zlib and then
base64, with the values that 0.1.0 showed for its objects."""

from __future__ import annotations

import base64
import json
import pickle
import zlib
from typing import Any

import pytest

import netioapi
from tests.support.paths import repo_text
from tests.support.pickles import LAYOUT

GROUPS: dict[str, dict[str, Any]] = json.loads(repo_text("tests/api/pickles_0_1_0.json"))
ROWS = ("route", "address", "interface", "table")
PROTOCOLS = range(6)


def pickled(group: str, protocol: int) -> bytes:
    return zlib.decompress(base64.b64decode(GROUPS[group]["pickles"][protocol]))


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("group", ROWS)
def test_pickled_rows_of_0_1_0_are_refused_by_the_number_of_their_layout(
    group: str, protocol: int
) -> None:
    with pytest.raises(ValueError, match=rf"layout 1 \(netioapi 0\.1\.0\).* layout {LAYOUT} only"):
        pickle.loads(pickled(group, protocol))


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("group", sorted(set(GROUPS) - set(ROWS)))
def test_pickle_of_0_1_0_loads_with_the_same_values(group: str, protocol: int) -> None:
    expected = GROUPS[group]["expected"]
    loaded = pickle.loads(pickled(group, protocol))
    if group == "names":
        assert loaded == [getattr(netioapi, name) for name in expected]
        return
    assert [repr(value) for value in loaded] == expected
    if group != "errors":  # exceptions are equal to themselves alone
        assert pickle.loads(pickle.dumps(loaded, protocol)) == loaded


def test_fixture_holds_every_public_name_and_row_type() -> None:
    assert set(GROUPS["names"]["expected"]) <= set(netioapi.__all__)
    types = {row[0] for group in ROWS[:3] for row in GROUPS[group]["expected"]}
    assert types == {"IpForwardRow", "UnicastIpAddressRow", "IpInterfaceRow"}
    assert all(len(group["pickles"]) == len(PROTOCOLS) for group in GROUPS.values())

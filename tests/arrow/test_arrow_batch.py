# SPDX-License-Identifier: MIT
"""Columns of the system's tables and of a Watcher's batches, compared with the row objects."""

from __future__ import annotations

from typing import Any

import netioapi
from netioapi import Table
from tests.support.arrow_reader import read, schema_of
from tests.support.arrow_rows import KINDS, expected, expected_of, random_table
from tests.support.network import Network


def test_columns_of_this_network_match_the_rows(netns: Network) -> None:
    """Real rows, with the names of their interfaces."""
    netns.veth("v0", "p0")
    netns.ip("address add 192.0.2.1/24 dev v0")
    netns.ip("route add 203.0.113.0/24 dev v0")
    tables: list[Table[Any]] = [
        netioapi.get_ip_forward_table2(),
        netioapi.get_unicast_ip_address_table(),
        netioapi.get_ip_interface_table(),
    ]
    for table in tables:
        assert len(table)
        schema, rows = read(table)
        assert schema.metadata == {"netioapi.kind": table.kind}
        assert rows == expected(table)
    _, routes = read(tables[0])
    (route,) = (one for one in routes if one["destination_prefix"][12:] == bytes([203, 0, 113, 0]))
    assert route["destination_prefix"] == bytes(10) + b"\xff\xff" + bytes([203, 0, 113, 0])
    assert (route["destination_prefix_length"], route["interface_name"]) == (24, "v0")
    assert route["next_hop"] == bytes(10) + b"\xff\xff" + bytes(4)


def test_columns_of_a_batch_match_the_rows_of_its_changes(netns: Network) -> None:
    """One row for each change, deletions included: the change says what happened to its row."""
    netns.veth("v0", "p0")
    seen: dict[str, set[str]] = {kind: set() for kind in KINDS}
    initial: dict[str, set[bool]] = {kind: set() for kind in KINDS}
    netns.ip("address add 192.0.2.1/24 dev v0")
    netns.ip("route add 203.0.113.0/24 dev v0")
    with netioapi.Watcher("route", "address", "interface", snapshot=True) as watcher:
        gone = False
        while not all(
            "DELETE" in names and len(initial[kind]) == 2 for kind, names in seen.items()
        ):
            batch = watcher.read(timeout=20)
            assert batch, seen
            tables: list[Table[Any]] = [batch.routes, batch.addresses, batch.interfaces]
            for table in tables:
                changes = [change for change in batch if change.kind == table.kind]
                schema, rows = read(table)
                assert schema == schema_of(random_table(table.kind, 0, 0))
                assert rows == expected_of(table.kind, (change.row for change in changes))
                assert rows == expected(table)
                seen[table.kind] |= {change.type.name for change in changes}
                initial[table.kind] |= {change.initial for change in changes}
            if batch.synced and not gone:
                gone = True
                netns.ip("route delete 203.0.113.0/24 dev v0")
                netns.ip("address delete 192.0.2.1/24 dev v0")
                netns.ip("link delete v0")
    assert sum(len(table) for table in tables) == len(batch)

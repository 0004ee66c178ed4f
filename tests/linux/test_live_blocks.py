# SPDX-License-Identifier: MIT
"""What is rare in rows of the kernel stays readable in every copy of a row: after its Watcher, its
Table and its route are gone, and no copy leaks its block."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import pytest

import netioapi
from netioapi import (
    Batch,
    Change,
    IpForwardRow,
    IpInterfaceRow,
    NotificationType,
    Watcher,
    get_best_route2,
    get_ip_forward_entry2,
    get_ip_forward_table2,
    get_ip_interface_entry,
    get_ip_interface_table,
)
from tests.linux.namespace import Namespace
from tests.support.changes import read_until, route_to
from tests.support.leaks import leaks
from tests.support.waiting import eventually

COUNT = 10
ENCAP = "encap ip id {} dst 10.7.7.7 via 10.0.0.2 dev v0 mtu {}"
SHOWN = [
    (f"10.9.{i}.0/24", f"ip id {i} dst 10.7.7.7 src 0.0.0.0 tos 0 ttl 0", 1300 + i)
    for i in range(COUNT)
]


@pytest.fixture
def net(netns: Namespace) -> Namespace:
    netns.veth("v0", "p0")
    netns.ip("address add 10.0.0.1/24 dev v0")
    netns.ip("link property add dev v0 altname uplink altname " + "x" * 127)
    return netns


def commands(verb: str) -> str:
    return "\n".join(
        f"route {verb} 10.9.{i}.0/24 {ENCAP.format(i, 1300 + i)}" for i in range(COUNT)
    )


def shown(rows: object) -> list[tuple[str, str | None, int | None]]:
    assert hasattr(rows, "__iter__")
    found = [(str(r.destination_prefix), r.encapsulation, r.route_mtu) for r in rows]
    return [one for one in found if one[0].startswith("10.9.")]


def test_changes_and_tables_outlive_their_watcher_and_their_routes(net: Namespace) -> None:
    with Watcher("route") as watcher:
        net.batch(commands("add"))
        changes = read_until(watcher, route_to(SHOWN[-1][0]))
    batch = Batch(changes, False, True)
    net.batch(commands("del"))
    routes = batch.routes
    rows = [change.row for change in changes]
    sliced, backwards = routes[2:5], routes[::-1]
    pickled = pickle.dumps(routes)
    copies = [copy.copy(row) for row in rows]
    del changes, batch, routes, watcher
    assert shown(rows) == shown(copies) == shown(pickle.loads(pickled)) == SHOWN
    assert shown(sliced) == SHOWN[2:5]
    assert shown(backwards) == SHOWN[::-1]


def test_rows_of_callbacks_outlive_their_registration(net: Namespace) -> None:
    seen: list[IpForwardRow] = []

    def callback(row: IpForwardRow | None, kind: NotificationType) -> None:
        if row is not None and kind is NotificationType.ADD:
            seen.append(row)

    with netioapi.notify_route_change2(callback):
        net.batch(commands("add"))
        eventually(lambda: shown(seen) == SHOWN, what="all routes were reported")
    net.batch(commands("del"))
    assert shown(seen) == SHOWN


def test_changes_behind_a_slow_reader_have_the_last_block(net: Namespace) -> None:
    """The queue holds few changes: those of one route merge, and each replaces the row's block."""
    with Watcher("route", queue=4) as watcher:
        net.batch(commands("add"))
        for mtu in range(1400, 1450):
            net.batch(
                "\n".join(
                    f"route replace {p} {ENCAP.format(i, mtu)}" for i, (p, *_) in enumerate(SHOWN)
                )
            )
        net.ip("route add blackhole 10.8.0.0/24")
        changes = read_until(watcher, route_to("10.8.0.0/24"))
        assert watcher.stats()["coalesced"] > 0
    state = {change.row.key: change.row for change in changes}
    assert sorted(shown(state.values())) == [(p, e, 1449) for p, e, _ in SHOWN]


def test_merged_changes_of_settle_have_the_block_of_the_later_one(net: Namespace) -> None:
    with Watcher("route") as watcher:
        net.ip(f"route add {SHOWN[0][0]} {ENCAP.format(0, 1300)}")
        net.ip(f"route replace {SHOWN[0][0]} {ENCAP.format(0, 1400)}")
        two: list[Change] = []
        while len(two) < 2:
            two += [c for c in read_until(watcher, lambda _: True) if shown([c.row])]
    merged = two[0]._merge(two[1])
    assert merged is not None
    del two
    assert merged.row.route_mtu == 1400
    assert merged.row.encapsulation == SHOWN[0][1]


def test_entries_are_found_by_a_row_with_a_block(net: Namespace) -> None:
    net.batch(commands("add"))
    table = get_ip_forward_table2()
    assert sorted(shown(table)) == SHOWN
    for row in table:
        entry = get_ip_forward_entry2(row)
        assert entry.key == row.key
        assert shown([entry]) == shown([row])
    best, _ = get_best_route2("10.9.3.1")
    assert best.encapsulation == SHOWN[3][1]


def test_interface_rows_have_the_blocks_of_both_families(net: Namespace) -> None:
    table = get_ip_interface_table()
    (name,) = {row.interface_index for row in table if row.interface_name == "v0"}
    rows = [row for row in table if row.interface_index == name]
    assert len(rows) == 2
    for row in [*rows, *map(get_ip_interface_entry, rows)]:
        assert row.link_kind == "veth"
        assert row.hardware_address is not None
        assert len(row.hardware_address) == 17
        assert row.alternative_names == ("uplink", "x" * 127)
    net.ip("link set v0 name v9 down", check=False)
    assert rows[0].interface_name == "v0"


def test_a_reading_of_blocks_leaks_nothing(net: Namespace) -> None:
    net.batch(commands("add"))
    row = next(r for r in get_ip_forward_table2() if r.encapsulation)
    interface: IpInterfaceRow = get_ip_interface_table()[0]

    def watch() -> None:
        with Watcher("route", "interface", snapshot=True) as watcher:
            changes = read_until(watcher, route_to(SHOWN[-1][0]))
            Batch(changes, False, True).routes[::2]

    uses: dict[str, Callable[[], object]] = {
        "table": lambda: get_ip_forward_table2()[1:],
        "interfaces": lambda: pickle.loads(pickle.dumps(get_ip_interface_table())),
        "entry": lambda: get_ip_forward_entry2(row),
        "interface": lambda: get_ip_interface_entry(interface),
        "best route": lambda: get_best_route2("10.9.3.1"),
        "watch": watch,
    }
    assert {name: found for name, use in uses.items() if (found := leaks(use))} == {}

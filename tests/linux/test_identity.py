# SPDX-License-Identifier: MIT
"""What is one route and what are two: each change of an attribute as the kernel makes it, and the
changes that a Watcher reports for it (docs/identity.md). The kernel's own table is the oracle."""

from __future__ import annotations

import socket
from collections import Counter
from typing import Any

import pytest

from netioapi import Change, IpForwardRow, Watcher, get_ip_forward_entry2, get_ip_forward_table2
from tests.linux.namespace import Namespace
from tests.support.changes import read_until, route_to
from tests.support.waiting import eventually

X, Y = "10.9.0.0/24", "2001:db8:9::/48"
V4, V4B = "via 10.0.0.2", "via 10.0.0.3"
V6, V6B = "via 2001:db8:1::2", "via 2001:db8:2::2"
IP7 = "encap ip id 7 dst 10.7.7.7"
SEG6 = "encap seg6 mode encap segs"
FROM = "route {} default from 2001:db8:{}::/48 via 2001:db8:1::{}"


@pytest.fixture
def net(netns: Namespace) -> Namespace:
    netns.sysctl("ipv6.conf.default.accept_dad", 0)
    for link in (0, 1):
        netns.veth(f"v{link}", f"p{link}")
        netns.ip(f"address add 10.{link}.0.1/24 dev v{link}")
        netns.ip(f"address add 2001:db8:{link + 1}::1/64 dev v{link} nodad")
    return netns


class Follower:
    """Applies a Watcher's changes of one prefix strictly, and gives what each command caused."""

    def __init__(self, net: Namespace, watcher: Watcher) -> None:
        self.net, self.watcher = net, watcher
        self.state: dict[bytes, IpForwardRow] = {}
        self.number = 0

        self.late: list[Change] = []

    def run(self, command: str) -> list[Change]:
        """The changes that a command causes, up to those of a route that is added after it."""
        self.net.ip(command)
        self.number += 1
        last = f"10.8.{self.number}.0/24"
        self.net.ip(f"route add blackhole {last}")
        changes: list[Change] = []
        while not any(map(route_to(last), changes)):
            changes += read_until(self.watcher, lambda _: True)
        self.apply(changes)
        # What a table that is read again shows comes behind the route.
        eventually(self.is_exact, what=command)
        changes += self.late
        self.late = []
        return [c for c in changes if not str(c.row.destination_prefix).startswith("10.8.")]

    def apply(self, changes: list[Change]) -> None:
        for change in changes:
            row = change.row
            assert isinstance(row, IpForwardRow)
            assert (change.type.name == "ADD") == (row.key not in self.state), change
            if change.type.name == "DELETE":
                del self.state[row.key]
            else:
                self.state[row.key] = row

    def is_exact(self) -> bool:
        batch = self.watcher.read(timeout=0)
        if batch is not None:
            self.apply(list(batch))
            self.late = [*self.late, *batch]
        return self.state == {row.key: row for row in get_ip_forward_table2()}


def words(changes: list[Change], *fields: str) -> list[tuple[Any, ...]]:
    return [(c.type.name, *(getattr(c.row, name) for name in fields)) for c in changes]


@pytest.fixture
def follower(net: Namespace) -> Any:
    with Watcher("route", snapshot=True) as watcher:
        follower = Follower(net, watcher)
        eventually(follower.is_exact, what="the snapshot")
        follower.late = []
        yield follower


KEYS = [
    ("protocol", f"{X} {V4} proto static", f"{X} {V4} proto bgp"),
    ("type", f"{X} {V4}", f"blackhole {X}"),
    ("next hop", f"{X} {V4}", f"{X} {V4B}"),
    ("interface", f"{X} dev v0", f"{X} dev v1"),
    (
        "encapsulation",
        f"{X} encap ip id 7 dst 10.7.7.7 {V4}",
        f"{X} encap ip id 8 dst 10.7.7.7 {V4}",
    ),
    ("encapsulation that was none", f"{X} {V4}", f"{X} encap ip id 7 dst 10.7.7.7 {V4}"),
    ("protocol, IPv6", f"{Y} {V6} proto static", f"{Y} {V6} proto bgp"),
    ("segments, IPv6", f"{Y} {SEG6} fc00::1 dev v0", f"{Y} {SEG6} fc00::1,fc00::2 dev v0"),
    ("type, IPv6", f"{Y} {V6}", f"unreachable {Y}"),
]


@pytest.mark.parametrize(("before", "after"), [k[1:] for k in KEYS], ids=[k[0] for k in KEYS])
def test_replacement_of_a_part_of_the_key_is_a_delete_then_an_add(
    follower: Follower, before: str, after: str
) -> None:
    six = "-6 " if Y in before else ""
    (added,) = follower.run(f"{six}route add {before}")
    deleted, new = follower.run(f"{six}route replace {after}")
    assert (added.type.name, deleted.type.name, new.type.name) == ("ADD", "DELETE", "ADD")
    assert deleted.row == added.row
    assert deleted.row.key != new.row.key
    assert not new.synthesized, "the kernel announced it"


PARAMETERS = [
    ("mtu", f"{X} {V4}", f"{X} {V4} mtu 1400"),
    ("mtu that goes", f"{X} {V4} mtu 1400", f"{X} {V4}"),
    ("advmss", f"{X} {V4}", f"{X} {V4} advmss 900"),
    ("realm", f"{X} {V4} realm 1", f"{X} {V4} realm 2"),
    ("window", f"{X} {V4} window 1000", f"{X} {V4} window 2000"),
    ("congestion control", f"{X} {V4} congctl reno", f"{X} {V4} congctl cubic"),
    ("preferred source", f"{X} {V4}", f"{X} {V4} src 10.0.0.1"),
    ("scope", f"{X} dev v0 scope link", f"{X} dev v0 scope global"),
    ("onlink", f"{X} {V4} dev v0", f"{X} {V4} dev v0 onlink"),
    ("preference", f"{Y} {V6} pref medium", f"{Y} {V6} pref high"),
    ("hop limit, IPv6", f"{Y} {V6} hoplimit 10", f"{Y} {V6} hoplimit 20"),
    ("expiry, IPv6", f"{Y} {V6}", f"{Y} {V6} expires 1000"),
    (
        "weight",
        f"{X} nexthop {V4} weight 1 nexthop {V4B} weight 1",
        f"{X} nexthop {V4} weight 1 nexthop {V4B} weight 7",
    ),
]


@pytest.mark.parametrize(
    ("before", "after"), [k[1:] for k in PARAMETERS], ids=[k[0] for k in PARAMETERS]
)
def test_change_of_any_other_attribute_is_a_parameter_change(
    follower: Follower, before: str, after: str
) -> None:
    six = "-6 " if Y in before else ""
    added = follower.run(f"{six}route add {before}")
    (changed,) = follower.run(f"{six}route replace {after}")
    assert changed.type.name == "PARAMETER"
    assert changed.row.key in {c.row.key for c in added}


def test_same_replacement_again_is_no_change(follower: Follower) -> None:
    route = f"{X} encap ip id 7 dst 10.7.7.7 {V4} mtu 1400 advmss 900 realm 3 proto bgp"
    assert len(follower.run(f"route add {route}")) == 1
    assert follower.run(f"route replace {route}") == []


def test_routes_that_differ_by_protocol_are_two_and_a_filter_sees_the_second(
    net: Namespace, follower: Follower
) -> None:
    with Watcher("route", protocols=[14]) as bgp:
        follower.run(f"route add {X} {V4} proto static")
        follower.run(f"route append {X} {V4} proto bgp")
        changes = read_until(bgp, route_to(X))
        follower.run(f"route del {X} {V4} proto bgp")
        changes += read_until(bgp, lambda c: c.type.name == "DELETE")
    assert words(changes, "kernel_protocol") == [("ADD", 186), ("DELETE", 186)]
    assert Counter(r.kernel_protocol for r in follower.state.values())[4] == 1


def test_legs_of_different_encapsulation_are_two_rows(net: Namespace, follower: Follower) -> None:
    legs = " ".join(f"nexthop encap ip id {n} dst 10.7.7.7 {V4}" for n in (1, 2))
    changes = follower.run(f"route add {X} {legs}")
    assert [c.row.encapsulation.split(" dst")[0] for c in changes] == ["ip id 1", "ip id 2"]
    assert len({c.row.key for c in changes}) == 2
    for change in changes:
        assert get_ip_forward_entry2(change.row) == change.row
    (shown,) = net.json(f"route show {X}")
    assert [leg["encap"] for leg in shown["nexthops"]] == ["ip", "ip"]


def test_source_specific_routes_are_rows_of_their_own(net: Namespace, follower: Follower) -> None:
    (one,) = follower.run("-6 " + FROM.format("add", "a", 2))
    (two,) = follower.run("-6 " + FROM.format("add", "b", 2))
    (plain,) = follower.run("-6 route add default via 2001:db8:1::2")
    assert [str(c.row.source_prefix) for c in (one, two, plain)] == [
        "2001:db8:a::/48",
        "2001:db8:b::/48",
        "None",
    ]
    assert len({c.row.key for c in (one, two, plain)}) == 3
    changes = follower.run("-6 " + FROM.format("replace", "b", 3))
    assert words(changes, "source_prefix") == [
        ("DELETE", two.row.source_prefix),
        ("ADD", two.row.source_prefix),
    ]
    (gone,) = follower.run("-6 " + FROM.format("del", "a", 2))
    assert (gone.type.name, gone.row) == ("DELETE", one.row)
    shown = [r.get("from") for r in net.json("-6 route show default")]
    assert sorted(map(str, shown)) == ["2001:db8:b::/48", "None"]


def test_source_specific_routes_of_a_link_that_goes_down_are_deleted(
    net: Namespace, follower: Follower
) -> None:
    for n in range(10):
        follower.run("-6 " + FROM.format("add", f"{n:x}", 2))
    changes = follower.run("link set v0 down")
    gone = [c for c in changes if c.row.source_prefix is not None]
    assert len(gone) == 10
    assert not any(c.synthesized for c in gone)


def test_instances_count_the_routes_that_only_their_attributes_tell_apart(
    net: Namespace, follower: Follower
) -> None:
    counted = [
        words(follower.run(f"route {what} {X} {V4} mtu {mtu}"), "instances")
        for what, mtu in [("add", 1000), ("append", 1100), ("append", 1200), ("del", 1100)]
    ]
    assert counted == [
        [("ADD", 1)],
        [("PARAMETER", 2)],
        [("PARAMETER", 3)],
        [("PARAMETER", 2)],
    ]
    assert len(net.json(f"route show {X}")) == 2
    (shown,) = [r for r in get_ip_forward_table2() if str(r.destination_prefix) == X]
    assert shown.instances == 2
    (first,) = follower.run(f"route del {X} {V4} mtu 1000")
    assert (first.type.name, first.row.instances, first.row.route_mtu) == ("PARAMETER", 1, 1200)
    (last,) = follower.run(f"route del {X}")
    assert last.type.name == "DELETE"


def test_more_than_255_instances_are_counted(net: Namespace, follower: Follower) -> None:
    follower.run(f"route add {X} {V4} mtu 1000")
    net.batch("\n".join(f"route append {X} {V4} mtu {1000 + n}" for n in range(1, 300)))
    follower.run(f"route append {X} {V4} mtu 1300")
    (row,) = [r for r in get_ip_forward_table2(socket.AF_INET) if str(r.destination_prefix) == X]
    assert row.instances == 301
    assert follower.state[row.key].instances == 301

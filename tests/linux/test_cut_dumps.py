# SPDX-License-Identifier: MIT
"""The kernel ends a dump, without an error, at a route of so many legs that it fits into no part. A
Watcher keeps what it knows of the route and of those behind it, and follows their changes."""

from __future__ import annotations

import os
import socket
import struct
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

import netioapi
from netioapi import NotificationType, Watcher
from tests.linux.namespace import Namespace
from tests.support.changes import read_snapshot
from tests.support.waiting import eventually

NEWROUTE, CREATE_AND_ACK = 24, 0x405
DST, GATEWAY, MULTIPATH = 1, 5, 9  # RTA_*
FAMILIES = {
    socket.AF_INET: ("10.0.0.0", "198.18.{}.0/24", "198.18.4.128/25", 2100),
    socket.AF_INET6: ("fd00::", "2001:db8:{}::/48", "2001:db8:4:1::/64", 1300),
}


def attribute(type: int, payload: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(payload), type) + payload


def add_route(net: Namespace, family: int, prefix: str, legs: int) -> None:
    """`ip` takes no line that is long enough."""
    to, stem = ip_network(prefix), FAMILIES[family][0]
    hops = b""
    for number in range(legs):
        gateway = attribute(GATEWAY, (ip_address(stem) + 2 + number).packed)
        hops += struct.pack("=HBBi", 8 + len(gateway), 0, 0, socket.if_nametoindex("v0")) + gateway
    body = struct.pack("=BBBBBBBBI", family, to.prefixlen, 0, 0, 254, 4, 0, 1, 0)
    body += attribute(DST, to.network_address.packed) + attribute(MULTIPATH, hops)
    head = struct.pack("=IHHII", 16 + len(body), NEWROUTE, CREATE_AND_ACK, 1, 0)
    with net, socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.send(head + body)
        error = -struct.unpack_from("=i", kernel.recv(1 << 17), 16)[0]
    assert error == 0, os.strerror(error)


class Follower:
    def __init__(self, watcher: Watcher) -> None:
        self.watcher = watcher
        self.state: dict[bytes, Any] = {}
        self.deleted: set[str] = set()
        for change in read_snapshot(watcher):
            self.state[change.row.key] = change.row

    def prefixes(self) -> set[str]:
        for change in self.watcher.read(timeout=0) or ():
            if change.type == NotificationType.DELETE:
                self.deleted.add(str(change.row.destination_prefix))
                self.state.pop(change.row.key, None)
            else:
                self.state[change.row.key] = change.row
        return {str(row.destination_prefix) for row in self.state.values()}


def read_again(net: Namespace, watcher: Watcher, family: int) -> None:
    """Lets the Watcher read all routes of the family: an address has gone."""
    address = "192.0.2.1/24" if family == socket.AF_INET else "2001:db8:ffff::1/64"
    net.ip(f"address add {address} dev v1")
    before = watcher.stats()["resyncs"]
    net.ip(f"address delete {address} dev v1")
    eventually(lambda: watcher.stats()["resyncs"] > before, what="a reading of the table")


@pytest.mark.parametrize("family", FAMILIES, ids=["IPv4", "IPv6"])
def test_routes_behind_one_that_fits_into_no_message_are_kept(
    netns: Namespace, family: int
) -> None:
    _, others, large, legs = FAMILIES[family]
    netns.sysctl("ipv6.conf.default.accept_dad", 0)
    netns.ip("link set lo up")
    netns.veth("v0", "p0")
    netns.veth("v1", "p1")
    netns.ip("address add 10.0.0.1/16 dev v0")
    netns.ip("address add fd00::1/64 dev v0")
    for number in range(1, 9):
        netns.ip(f"route add {others.format(number)} dev v0")
    netns.ip(f"route add {others.format(9)} dev v0 table 510")  # a table behind main
    with Watcher("route", family=family, snapshot=True) as watcher:
        follower = Follower(watcher)
        add_route(netns, family, large, legs)
        eventually(lambda: large in follower.prefixes(), what="the large route")
        before = follower.prefixes()
        read_again(netns, watcher, family)
        table = netioapi.get_ip_forward_table2(family)
        shown = {str(row.destination_prefix) for row in table}
        assert large not in shown, "this kernel does not cut the dump here"
        assert others.format(8) not in shown
        assert follower.prefixes() == before
        assert not follower.deleted & before
        assert watcher.stats()["unreadable"] > legs
        # What is behind goes on to be followed.
        netns.ip(f"route delete {others.format(7)}")
        netns.ip(f"route add {others.format(77)} dev v0")
        wanted = before - {others.format(7)} | {others.format(77)}
        eventually(lambda: follower.prefixes() == wanted, what="changes behind the large route")
        read_again(netns, watcher, family)
        assert follower.prefixes() == wanted
        # Once it has gone all is readable again, and exact.
        netns.ip(f"route delete {large}")
        eventually(lambda: follower.prefixes() == wanted - {large}, what="its end")
        eventually(lambda: watcher.stats()["unreadable"] == 0, what="a whole table")
        table = netioapi.get_ip_forward_table2(family)
        assert {str(row.destination_prefix) for row in table} == wanted - {large}


def test_large_route_of_a_link_that_goes_down_is_not_kept(netns: Namespace) -> None:
    """IPv4 removes it without a message."""
    _, _, large, legs = FAMILIES[socket.AF_INET]
    netns.veth("v0", "p0")
    netns.ip("address add 10.0.0.1/16 dev v0")
    with Watcher("route", family=socket.AF_INET, snapshot=True) as watcher:
        follower = Follower(watcher)
        add_route(netns, socket.AF_INET, large, legs)
        eventually(lambda: large in follower.prefixes(), what="the large route")
        netns.ip("link set v0 down")
        eventually(lambda: follower.prefixes() == set(), what="its end")
        assert watcher.stats()["unreadable"] == 0

# SPDX-License-Identifier: MIT
"""get_best_route2 where the kernel's answer lacks the route, or names another table: routes of so
many legs that the answer does not fit, and this machine's own IPv4 addresses."""

from __future__ import annotations

import errno
import os
import socket
import struct
from ipaddress import ip_address, ip_network

import pytest

import netioapi
from tests.linux.namespace import Namespace

NEWROUTE, CREATE_AND_ACK = 24, 0x405
DST, GATEWAY, MULTIPATH = 1, 5, 9  # RTA_*
STEM = {socket.AF_INET: "10.0.0.0", socket.AF_INET6: "fd00::"}
PREFIX = {socket.AF_INET: "198.18.0.0/16", socket.AF_INET6: "2001:db8:9::/48"}


@pytest.fixture
def net(netns: Namespace) -> Namespace:
    netns.sysctl("ipv6.conf.default.accept_dad", 0)
    netns.ip("link set lo up")
    netns.veth()
    netns.ip("address add 10.0.0.1/16 dev v0")
    netns.ip("address add fd00::1/64 dev v0")
    return netns


def attribute(type: int, payload: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(payload), type) + payload


def add_route(net: Namespace, family: int, legs: int) -> None:
    """`ip` takes no line that is long enough."""
    index = socket.if_nametoindex("v0")
    to = ip_network(PREFIX[family])
    hops = b""
    for number in range(legs):
        gateway = attribute(GATEWAY, (ip_address(STEM[family]) + 2 + number).packed)
        hops += struct.pack("=HBBi", 8 + len(gateway), 0, 0, index) + gateway
    body = struct.pack("=BBBBBBBBI", family, to.prefixlen, 0, 0, 254, 4, 0, 1, 0)
    body += attribute(DST, to.network_address.packed) + attribute(MULTIPATH, hops)
    head = struct.pack("=IHHII", 16 + len(body), NEWROUTE, CREATE_AND_ACK, 1, 0)
    with net, socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.send(head + body)
        error = -struct.unpack_from("=i", kernel.recv(65536), 16)[0]
    assert error == 0, os.strerror(error)


def answer_fits(destination: str) -> bool:
    """Is the kernel's own answer about the entry of the table one message?"""
    family = socket.AF_INET if ip_address(destination).version == 4 else socket.AF_INET6
    to = attribute(DST, ip_address(destination).packed)
    bits = len(to) * 8 - 32
    body = struct.pack("=BBBBBBBBI", family, bits, 0, 0, 0, 0, 0, 0, 0x2000) + to
    head = struct.pack("=IHHII", 16 + len(body), 26, 1, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.send(head + body)
        reply = kernel.recv(1 << 20)
    if struct.unpack_from("=H", reply, 4)[0] != 2:  # NLMSG_ERROR
        return True
    assert struct.unpack_from("=i", reply, 16)[0] == -errno.EMSGSIZE
    return False


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("legs", [20, 600])
def test_best_route_through_many_legs_is_the_route_of_the_table(
    net: Namespace, family: int, legs: int
) -> None:
    destination = str(ip_network(PREFIX[family])[77])
    net.ip(f"route add {ip_network(PREFIX[family]).supernet(4)} dev v0")  # a shorter prefix
    add_route(net, family, legs)
    assert answer_fits(destination) == (legs == 20)
    for number in range(20):  # another destination may have another leg
        destination = str(ip_network(PREFIX[family])[77 + number])
        (taken,) = net.json(f"route get {destination}")
        row, source = netioapi.get_best_route2(destination)
        assert str(row.destination_prefix) == PREFIX[family]
        assert (row.table, row.interface_name) == (254, "v0")
        if family == socket.AF_INET:  # IPv6 mixes its hash with a secret of each socket
            assert str(row.next_hop) == taken["gateway"]
        assert str(source) == taken["prefsrc"]
        assert netioapi.get_ip_forward_entry2(row).key == row.key


OWN = [
    ("10.0.0.1", "10.0.0.1/32", "LOCAL", "v0"),
    ("10.0.255.255", "10.0.255.255/32", "BROADCAST", "v0"),
    ("127.0.0.1", "127.0.0.1/32", "LOCAL", "lo"),
    ("127.9.9.9", "127.0.0.0/8", "LOCAL", "lo"),
    ("fd00::1", "fd00::1/128", "LOCAL", "v0"),
    ("::1", "::1/128", "LOCAL", "lo"),
]


@pytest.mark.parametrize("rule", ["", "rule add pref 10 to 192.0.2.0/24 lookup 77"])
@pytest.mark.parametrize(("destination", "prefix", "type_", "link"), OWN)
def test_route_to_an_own_address_is_that_of_table_local(
    net: Namespace, rule: str, destination: str, prefix: str, type_: str, link: str
) -> None:
    """Without rules of its own IPv4 keeps both tables in one, and names main."""
    if rule:
        net.ip(rule)
    row, _ = netioapi.get_best_route2(destination)
    assert (str(row.destination_prefix), row.table) == (prefix, 255)
    assert (row.type.name, row.interface_name) == (type_, link)
    assert netioapi.get_ip_forward_entry2(row).key == row.key


def test_local_route_of_table_main_stays_one_of_main(net: Namespace) -> None:
    net.ip("route add local 198.18.0.0/16 dev lo table main")
    row, _ = netioapi.get_best_route2("198.18.7.7")
    assert (str(row.destination_prefix), row.table, row.type.name) == (
        "198.18.0.0/16",
        254,
        "LOCAL",
    )
    assert netioapi.get_ip_forward_entry2(row).key == row.key


def test_source_specific_default_route_is_found_with_its_source(net: Namespace) -> None:
    net.ip("-6 route add default from fd00::/64 via fd00::99 dev v0")
    row, source = netioapi.get_best_route2("2001:db8::1", source="fd00::1")
    assert (str(row.destination_prefix), str(row.source_prefix)) == ("::/0", "fd00::/64")
    assert (str(row.next_hop), str(source)) == ("fd00::99", "fd00::1")
    assert netioapi.get_ip_forward_entry2(row).key == row.key
    hint = netioapi.get_network_connectivity_hint()
    assert hint.connectivity_level == netioapi.ConnectivityLevel.INTERNET_ACCESS

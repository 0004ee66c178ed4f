# SPDX-License-Identifier: MIT
"""Dumps of large tables with which changes race: what the running kernel leaves out, and that a
Watcher made meanwhile neither misses nor deletes a route that did not change.

The first tests hold, without the library, what csrc/rtnetlink/mirror/route_dump.h rests on: the
rows of one part are in the order of the tree, and a dump lacks rows only between two parts.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

import pytest

from netioapi import NotificationType, Watcher
from tests.linux.namespace import Namespace
from tests.linux.route_flap import Flap, add_routes, prefixes

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE, NLMSG_DONE = 24, 25, 26, 3
REQUEST_DUMP = 0x301
STRICT = 12  # NETLINK_GET_STRICT_CHK
ROUTES, FLAPPING = 50_000, 3000
STATIC = {socket.AF_INET: "20.0.0.0/32", socket.AF_INET6: "2001:db8::/64"}
# Before the routes that stay, in the order of the table.
MOVING = {socket.AF_INET: "10.0.0.0/32", socket.AF_INET6: "2001:db7::/64"}

Row = tuple[int, bytes, int, int]  # table, address, prefix length, metric


def messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 16 <= len(data):
        length, kind = struct.unpack_from("=IH", data, at)
        yield kind, data[at + 16 : at + length]
        at += (length + 3) & ~3


def row_of(body: bytes) -> Row:
    found, at = {}, 12
    while at + 4 <= len(body):
        length, kind = struct.unpack_from("=HH", body, at)
        found[kind & 0x3FFF] = body[at + 4 : at + length]
        at += (length + 3) & ~3
    size = 4 if body[0] == socket.AF_INET else 16
    metric = int.from_bytes(found.get(6, b""), "little")
    table = int.from_bytes(found[15], "little")
    return table, found.get(1, bytes(size)), body[1], metric


def dump(family: int) -> list[list[Row]]:
    """The rows of each part of a dump."""
    parts = []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.bind((0, 0))
        kernel.setsockopt(270, STRICT, 1)
        head = struct.pack("=BBBBBBBBI", family, *[0] * 8)
        kernel.send(struct.pack("=IHHII", 28, RTM_GETROUTE, REQUEST_DUMP, 1, 0) + head)
        while True:
            part = list(messages(kernel.recv(65536)))
            if part[0][0] == NLMSG_DONE:
                return parts
            parts.append([row_of(body) for kind, body in part if kind == RTM_NEWROUTE])


def place(family: int, row: Row) -> tuple[bytes | int, ...]:
    """The order of a dump: IPv4 by address, IPv6 by the last address of the prefix."""
    _, address, length, metric = row
    if family == socket.AF_INET:
        return address, -length, metric
    last = int.from_bytes(address, "big") | ((1 << (128 - length)) - 1)
    return last.to_bytes(16, "big"), -length


@pytest.fixture
def index(netns: Namespace) -> int:
    return netns.veth()


@pytest.mark.parametrize("family", STATIC, ids=lambda family: family.name)
def test_raced_dump_of_the_kernel_lacks_rows_only_between_its_parts(
    family: int, index: int
) -> None:
    add_routes(STATIC[family], ROUTES, index)
    length = int(STATIC[family].split("/")[1])
    static = {place(family, (254, p, length, 0)) for p in prefixes(STATIC[family], ROUTES)}
    with Flap(MOVING[family], FLAPPING, index, pause=0.02):
        for _ in range(20):
            seen, spans = set(), []
            for part in dump(family):
                rows = [place(family, row) for row in part if row[0] == 254]
                assert rows == sorted(rows)
                seen.update(rows)
                spans += [(rows[0], rows[-1])] if rows else []
            missing = static - seen
            assert not [p for p in missing for first, last in spans if first < p < last]


@pytest.mark.parametrize("family", STATIC, ids=lambda family: family.name)
@pytest.mark.parametrize("moving", ["before", "behind"])
def test_watcher_made_while_routes_flap_reports_the_others_exactly(
    family: int, moving: str, index: int
) -> None:
    """Those that stay are added, and never deleted; SYNCED comes although the flap goes on."""
    static, flapping = STATIC[family], MOVING[family]
    if moving == "behind":
        static, flapping = flapping, static
    add_routes(static, ROUTES, index)
    stay = set(prefixes(static, ROUTES))
    for _ in range(4):
        state: set[bytes] = set()
        with Flap(flapping, FLAPPING, index, pause=0.05):
            with Watcher("route", family=family, snapshot=True, queue=4_000_000) as watcher:
                synced = False
                while not synced:
                    batch = watcher.read(timeout=60)
                    assert batch is not None, watcher.stats()
                    for change in batch:
                        address = change.row.destination_prefix.network_address.packed
                        if address in stay:
                            assert change.type != NotificationType.DELETE
                            state.add(address)
                    synced = batch.synced
                assert state == stay


def test_link_that_goes_down_beside_a_flap_deletes_its_routes_alone(
    netns: Namespace, index: int
) -> None:
    other = netns.veth("v1", "p1")
    add_routes(STATIC[socket.AF_INET6], ROUTES, index)
    add_routes("2001:db9::/64", 500, other)
    stay = set(prefixes(STATIC[socket.AF_INET6], ROUTES))
    gone = set(prefixes("2001:db9::/64", 500))
    with Watcher("route", family=socket.AF_INET6, snapshot=True) as watcher:
        while (batch := watcher.read(timeout=60)) is not None and not batch.synced:
            pass
        with Flap(MOVING[socket.AF_INET6], FLAPPING, index, pause=0.05):
            netns.ip("link set v1 down")
            while gone:
                batch = watcher.read(timeout=60)
                assert batch is not None, (len(gone), watcher.stats())
                for change in batch:
                    address = change.row.destination_prefix.network_address.packed
                    if change.type == NotificationType.DELETE:
                        assert address not in stay
                        # The kernel announces each deletion of an IPv6 route.
                        assert not change.synthesized, change
                        gone.discard(address)

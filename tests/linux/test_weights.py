# SPDX-License-Identifier: MIT
"""Weights of nexthop groups above 256: the kernel cuts them off in the legs of a route, and has
them in the group. `ip` sets no such weight, so the groups are made by messages."""

from __future__ import annotations

import socket
import struct
from collections import Counter
from typing import Any

import pytest

import netioapi
from netioapi import Watcher
from tests.linux.namespace import Namespace
from tests.support.waiting import eventually

NEWNEXTHOP, ACK, CREATE_OR_REPLACE = 104, 4, 0x501
ID, GROUP = 1, 2  # NHA_*
PREFIX = {socket.AF_INET: "198.18.0.0/16", socket.AF_INET6: "2001:db8:9::/48"}
EINVAL = 22


def attribute(type: int, payload: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(payload), type) + payload


def set_group(netns: Namespace, number: int, weights: dict[int, int]) -> None:
    """`weights`: of each member, by its id. Skips where the kernel knows no such weights."""
    members = b"".join(
        struct.pack("=IBBH", member, weight - 1 & 0xFF, weight - 1 >> 8, 0)
        for member, weight in weights.items()
    )
    body = bytes(8) + attribute(ID, struct.pack("=I", number)) + attribute(GROUP, members)
    head = struct.pack("=IHHII", 16 + len(body), NEWNEXTHOP, ACK | CREATE_OR_REPLACE, 1, 0)
    with netns, socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.send(head + body)
        error = -struct.unpack_from("=i", kernel.recv(4096), 16)[0]
    if error == EINVAL and max(weights.values()) > 256:
        pytest.skip("Linux before 6.12: weights have 8 bits")
    assert error == 0, error


def weights(rows: Any, prefix: str) -> Counter[int]:
    return Counter(row.weight for row in rows if str(row.destination_prefix) == prefix)


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("compatible", [1, 0], ids=["legs named", "object named"])
def test_weights_above_256_are_told_as_the_group_has_them(
    netns: Namespace, family: int, compatible: int
) -> None:
    netns.veth()
    netns.ip("address add 10.0.0.1/24 dev v0")
    netns.ip("address add fd00::1/64 dev v0 nodad")
    netns.sysctl("ipv4.nexthop_compat_mode", compatible)
    for number in (1, 2, 3):
        gateway = f"10.0.0.{number + 1}" if family == socket.AF_INET else f"fd00::{number + 1}"
        netns.ip(f"nexthop add id {number} via {gateway} dev v0")
    prefix = PREFIX[family]
    set_group(netns, 10, {1: 300, 2: 1, 3: 65535})
    state: dict[bytes, Any] = {}

    def told() -> Counter[int]:
        for change in watcher.read(timeout=0) or ():
            if change.type == netioapi.NotificationType.DELETE:
                state.pop(change.row.key, None)
            else:
                state[change.row.key] = change.row
        return weights(state.values(), prefix)

    with Watcher("route", family=family, snapshot=True) as watcher:
        netns.ip(f"route add {prefix} nhid 10")
        for wanted in ({1: 300, 2: 1, 3: 65535}, {1: 2, 2: 257, 3: 256}, {1: 44, 2: 512, 3: 256}):
            set_group(netns, 10, wanted)
            counted = Counter(wanted.values())
            eventually(lambda counted=counted: told() == counted, what=f"{counted}: {state}")
            assert weights(netioapi.get_ip_forward_table2(family), prefix) == counted
        with Watcher("route", family=family, snapshot=True) as later:
            batch = later.read(timeout=60)
            assert batch is not None
            assert weights((change.row for change in batch), prefix) == counted

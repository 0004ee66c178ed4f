# SPDX-License-Identifier: MIT
"""Netlink messages of another process of the same root, sent straight to our sockets or to the
groups that they have joined. All are ignored and counted, and change nothing."""

from __future__ import annotations

import random
import socket
import struct
from pathlib import Path

import pytest

from tests.linux.namespace import Namespace
from tests.support.processes import python
from tests.support.waiting import eventually

from .model.follow import CallbackFollower, Follower, WatcherFollower, quiet, settle

NEWLINK, DELLINK, NEWADDR, DELADDR, NEWROUTE, DELROUTE = 16, 17, 20, 21, 24, 25
NLMSG_ERROR, NLMSG_DONE = 2, 3
RTA_DST, RTA_OIF, RTA_TABLE, RTA_MULTIPATH = 1, 4, 15, 9
ROUTE_GROUPS = 0x1 | 0x10 | 0x40 | 0x100 | 0x400  # links, addresses, routes

# Sends the messages of `port group wait hex` lines, and prints how many the kernel accepted. A
# socket without groups reads answers to its own requests alone, and its buffer may be full:
# messages to it do not wait.
SEND = """
import socket, sys
sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
sent = 0
for line in open(sys.argv[1]):
    port, group, wait, data = line.split()
    flags = 0 if int(wait) else socket.MSG_DONTWAIT
    try:
        sock.sendto(bytes.fromhex(data), flags, (int(port), int(group)))
        sent += int(wait)
    except OSError as error:
        if int(wait):
            print(error, file=sys.stderr)
print("sent", sent)
"""


def message(type_: int, body: bytes, *, length: int | None = None, seq: int = 0) -> bytes:
    size = 16 + len(body) if length is None else length
    return struct.pack("=IHHII", size & 0xFFFFFFFF, type_, 0x400, seq, 0) + body


def attribute(type_: int, data: bytes, length: int | None = None) -> bytes:
    size = 4 + len(data) if length is None else length
    return struct.pack("=HH", size & 0xFFFF, type_) + data + bytes(-len(data) % 4)


def route(type_: int, dst: str, index: int, *, seq: int = 0) -> bytes:
    head = struct.pack("=BBBBBBBBI", socket.AF_INET, 24, 0, 0, 254, 3, 0, 1, 0)
    body = attribute(RTA_DST, socket.inet_aton(dst)) + attribute(RTA_OIF, struct.pack("=I", index))
    return message(type_, head + attribute(RTA_TABLE, struct.pack("=I", 254)) + body, seq=seq)


def well_formed(index: int) -> list[bytes]:
    """Messages that the kernel could have sent, but did not."""
    link = struct.pack("=BBHiII", 0, 0, 1, index, 0, 0xFFFFFFFF)
    address = struct.pack("=BBBBI", socket.AF_INET, 24, 0x80, 0, index)
    local = attribute(2, socket.inet_aton("10.0.0.1"))
    return [
        route(NEWROUTE, "198.51.100.0", index),
        route(DELROUTE, "172.16.0.0", index),
        message(DELLINK, link),
        message(NEWLINK, link + attribute(3, b"evil\0")),
        message(DELADDR, address + local),
        message(NEWADDR, address + attribute(2, socket.inet_aton("198.51.100.1"))),
        message(NLMSG_ERROR, struct.pack("=i", -105) + bytes(16)),
        # Answers to any request: the attacker need not guess its number.
        *(route(NEWROUTE, "198.51.100.0", index, seq=seq) for seq in range(100)),
        *(message(NLMSG_DONE, bytes(4), seq=seq) for seq in range(100)),
    ]


def garbage(index: int, dice: random.Random) -> list[bytes]:
    good = route(NEWROUTE, "198.51.100.0", index)
    found = [
        b"\0",
        good[:15],
        good[:-1],
        message(NEWROUTE, b"", length=0),
        message(NEWROUTE, b"", length=15),
        message(NEWROUTE, bytes(12), length=0xFFFFFFFF),
        message(NEWROUTE, good[16:28] + attribute(RTA_DST, b"\1\2\3\4", length=0)),
        message(NEWROUTE, good[16:28] + attribute(RTA_DST, b"\1\2\3\4", length=0xFFFF)),
        message(NEWROUTE, good[16:28] + attribute(RTA_DST, b"\1")),
        message(NEWROUTE, good[16:28] + attribute(RTA_MULTIPATH, b"\xff\xff" + bytes(30))),
        good * 1000,
        bytes(100_000),
    ]
    for _ in range(2000):
        data = bytearray(dice.choice([good, *well_formed(index)]))
        for _ in range(dice.randint(1, 6)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        data[6] &= (
            0xFE  # Clear NLM_F_REQUEST: the kernel would answer a request that is sent to a group.
        )
        found.append(bytes(data[: dice.randint(1, len(data))]))
    return found


def ports() -> dict[int, int]:
    """Port -> groups of the rtnetlink sockets of this namespace."""
    rows = [line.split() for line in Path("/proc/thread-self/net/netlink").read_text().split("\n")]
    return {int(r[2]): int(r[3], 16) for r in rows[1:] if r and r[1] == "0" and r[2] != "0"}


def attack(file: Path, index: int, seed: int, kind: str, way: str) -> int:
    """Sends it all; the number of messages that went to a socket that reads them."""
    targets = [(port, 0, bool(groups)) for port, groups in ports().items()]
    assert any(wait for _, _, wait in targets), "no socket of ours is seen"
    if way == "to the groups":
        targets = [(0, ROUTE_GROUPS, True)]
    data = well_formed(index) if kind == "well-formed" else garbage(index, random.Random(seed))
    orders = [f"{p} {g} {wait:d} {one.hex()}\n" for p, g, wait in targets for one in data]
    file.write_text("".join(orders))
    counted = sum(wait for _, _, wait in targets) * len(data)
    done = python(SEND, str(file), timeout=60)
    assert done.stdout.strip() == f"sent {counted}", done.stderr
    return counted


@pytest.mark.timeout(120)
@pytest.mark.parametrize("way", ["to the port", "to the groups"])
@pytest.mark.parametrize("kind", ["well-formed", "garbage"])
def test_messages_of_another_process_are_ignored_and_counted(
    netns: Namespace, tmp_path: Path, seed: int, kind: str, way: str
) -> None:
    netns.sysctl("ipv6.conf.default.accept_dad", 0)
    index = netns.veth()
    netns.ip("address add 10.0.0.1/24 dev v0")
    netns.ip("route add 172.16.0.0/24 dev v0")
    with WatcherFollower() as watcher, CallbackFollower() as callbacks:
        followers: list[Follower] = [watcher, callbacks]
        quiet(followers)
        for follower in followers:
            follower.counts.clear()
        before = watcher.watcher.stats()["ignored"]
        sent = attack(tmp_path / "orders", index, seed, kind, way)

        # The socket with groups has read and counted each message.
        eventually(
            lambda: watcher.watcher.stats()["ignored"] >= before + sent, what="ignored messages"
        )
        quiet(followers)
        for follower in followers:
            assert not follower.counts, follower.log[-5:]

        # And a new subscriber still gets the kernel's messages and answers.
        netns.ip("route add 192.0.2.0/24 dev v0")
        netns.ip("link set p0 down")
        netns.ip("route add 192.0.3.0/24 dev v0")
        settle(followers)
        with WatcherFollower() as fresh:
            truth = settle([*followers, fresh])
            assert "192.0.2.0/24" in {str(key[3]) for key in truth.routes}

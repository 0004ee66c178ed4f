# SPDX-License-Identifier: MIT
"""Captures messages of this kernel: python -m tests.fuzz.capture FOLDER [STEPS [SEED]]

In namespaces of its own, the moves of the model change a network, and links of every kind that the
kernel knows come and go. FOLDER gets `captured` (datagrams, one of each shape), `decode` (all of
them, in both byte orders), `mirror` (several changes each) and `reply` (the answers to a whole
dump). It needs what the tests on Linux need; tools/fuzz --capture makes the corpus from it.
"""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import sys
from pathlib import Path

from tests.linux.model.oracle import Truth, look
from tests.linux.model.walk import Walk, prepare
from tests.linux.namespace import Namespace, enter_user_namespace

from . import byteorder, corpus

GROUPS = (1, 5, 7, 9, 11, 12, 24, 25, 32)  # RTNLGRP_*: the groups of the tower, and more
SOL_NETLINK, ADD_MEMBERSHIP, STRICT = 270, 1, 12
GETLINK, GETADDR, GETROUTE, GETNEIGHTBL, GETNETCONF, GETNEXTHOP = 18, 22, 26, 66, 82, 106
NLMSG_DONE, NLMSG_ERROR = 3, 2
DUMP, REQUEST = 0x300, 1
# In the order of reconcile.c, the barrier first: type, family, size of the family's header.
READING = [(GETLINK, 0, 16), (GETNEIGHTBL, 0, 4), (GETADDR, 0, 8), (GETNEXTHOP, 0, 8)]
READING += [(GETROUTE, 2, 12), (GETROUTE, 10, 12)]
STRETCH = 6  # moves between two looks
WINDOW = 9  # datagrams in an input for the mirror
APPLY, ROW, BEGIN, SWEEP, TAKE, NEW, FEW, UNDONE = 0, 1, 2, 3, 4, 8, 16, 32  # mirror.c

EXTRA = """
link add k0 type dummy|link add k1 type bridge|link add link v0 name k2 type vlan id 7
link add link v0 name k3 type macvlan|link add k4 type vxlan id 9 dstport 4789 local 10.0.0.1
link add k5 type gre local 10.0.0.1 remote 10.0.0.9|link add k6 type sit local 10.0.0.1
link add k7 type ip6gre local fd00:0::1 remote fd00:0::9|link add k8 type bond
link add k9 type vrf table 77|link add ka type ipip local 10.0.0.1 remote 10.0.0.8
link add kb type ifb|link add link v0 name kc type ipvlan
link add kd type geneve id 3 remote 10.0.0.9|link set k0 up|link set k0 address 02:00:00:00:00:07
link set k0 alias word|link set k0 mtu 9000|link set k0 addrgenmode none|link set k0 master k9
link set k0 nomaster|link set k8 up|link property add dev k0 altname another-name-of-it
link set k0 name k0000000000000e|address add 2001:0:a0a:a0a::1/64 dev v0 nodad
address add 169.254.1.1/16 dev v0 scope link
route add 172.30.0.0/16 via 10.0.0.9 mtu 1400 advmss 1300 rtt 100ms window 5000 initcwnd 20
route add 172.31.0.0/16 via inet6 fd00:0::9 dev v0
route add 172.29.0.0/16 dev v0 table 100000 tos 0x10
route add 172.28.0.0/16 nexthop via 10.0.0.9 weight 256 nexthop via inet6 fd00:0::9 dev v0
route add 172.27.0.0/16 encap ip id 7 dst 10.0.0.9 dev v0|-6 route add fd77::/64 dev v0 expires 60
-6 route add fd78::/64 via fd00:0::9 pref high mtu 1300
-6 route add fd79::/64 from fd09::/64 dev v0
-6 route add fd80::/64 nexthop via fd00:0::9 weight 3 nexthop via fd00:1::9
route add blackhole 172.26.0.0/16|route add multicast 224.1.0.0/16 dev v0
route add default via 10.0.0.9|-6 route add default via fd00:0::9
nexthop add id 7001 via 10.0.0.9 dev v0|nexthop add id 7002 blackhole
nexthop add id 7003 via fd00:0::9 dev v0|nexthop add id 7004 dev v1
nexthop add id 7005 group 7001,9/7004|nexthop add id 7006 group 7001/7004 type resilient buckets 8
route add 172.25.0.0/16 nhid 7005|-6 route add fd81::/64 nhid 7003
sysctl ipv4.nexthop_compat_mode 0|route add 172.24.0.0/16 nhid 7005
sysctl ipv4.nexthop_compat_mode 1|sysctl ipv4.conf.v0.forwarding 1
sysctl ipv6.conf.v0.forwarding 1|sysctl ipv4.conf.all.ignore_routes_with_linkdown 1
sysctl ipv6.conf.v1.disable_ipv6 1|nexthop delete id 7001|route flush table all proto boot
link set v0 down|link set v0 up
"""


class Listener:
    """Receives every message of the kernel about this namespace, and answers to requests."""

    def __init__(self) -> None:
        self.changes, self.asker = self._open(), self._open()
        for group in GROUPS:
            with contextlib.suppress(OSError):
                self.changes.setsockopt(SOL_NETLINK, ADD_MEMBERSHIP, group)
        self.changes.setblocking(False)
        self.asker.setsockopt(SOL_NETLINK, STRICT, 1)

    def _open(self) -> socket.socket:
        opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        opened.bind((0, 0))  # port 0 is the kernel's own
        opened.settimeout(5)
        return opened

    def received(self) -> list[bytes]:
        found = []
        with contextlib.suppress(BlockingIOError):
            while True:
                found.append(anonymous(self.changes.recv(1 << 16)))
        return found

    def settle(self) -> Truth:  # as a follower does, for the walk
        return look()

    def answer(self, type_: int, family: int, size: int, flags: int = DUMP) -> list[bytes]:
        body = bytes([family]) + bytes(size - 1)
        if not flags:
            body = struct.pack("=BBHiII", 0, 0, 0, 1, 0, 0)  # lo
        head = struct.pack("=IHHII", 16 + len(body), type_, REQUEST | flags, 1, 0)
        self.asker.send(head + body)
        found: list[bytes] = []
        while True:
            datagram = self.asker.recv(1 << 16)
            found.append(anonymous(datagram))
            first, last = types_in(datagram)
            if not flags or first == NLMSG_ERROR or last == NLMSG_DONE:
                return found

    def reading(self) -> list[list[bytes]]:
        return [self.answer(GETLINK, 0, 16, 0), *(self.answer(*one) for one in READING)]


def spans(datagram: bytes) -> list[tuple[int, int]]:
    found, at = [], 0
    while at + 16 <= len(datagram):
        length = struct.unpack_from("=I", datagram, at)[0]
        found.append((at, length))
        at += (length + 3) & ~3
    return found


def lean(datagram: bytes) -> bytes:
    """Links without attributes that the decoder skips: most of their bytes, where fuzzing would be
    useless."""
    made = b""
    for at, length in spans(datagram):
        head, inner = datagram[at : at + 16], datagram[at + 16 : at + length]
        if struct.unpack_from("=H", head, 4)[0] in (16, 17):
            kept, rest = inner[:16], inner[16:]
            while len(rest) >= 4:
                step, kind = struct.unpack_from("=HH", rest)
                padded = (step + 3) & ~3
                if kind & 0x3FFF in (3, 4, 10, 16, 26):
                    kept += rest[:step] + bytes(padded - step)
                rest = rest[padded:]
            inner = kept
        made += struct.pack("=I", 16 + len(inner)) + head[4:] + inner + bytes(-len(inner) % 4)
    return made


def types_in(datagram: bytes) -> tuple[int, int]:
    types = [struct.unpack_from("=H", datagram, at + 4)[0] for at, _ in spans(datagram)]
    return types[0], types[-1]


def anonymous(datagram: bytes) -> bytes:
    """The requesting port and sequence number belong to this run alone."""
    data = bytearray(datagram)
    for at, _ in spans(datagram):
        data[at + 8 : at + 16] = bytes(8)
    return bytes(data)


def shape(datagram: bytes) -> tuple[object, ...]:
    """Distinguishes datagrams that take different paths through the decoder."""
    found: list[object] = []
    for at, length in spans(datagram)[:2]:
        type_, flags = struct.unpack_from("=HH", datagram, at + 4)
        size = struct.calcsize("=" + byteorder.KINDS.get(type_, ("I", {}))[0])
        found += [type_, flags, datagram[at + 16]]
        inner = at + 16 + ((size + 3) & ~3)
        while inner + 4 <= at + length:
            step, kind = struct.unpack_from("=HH", datagram, inner)
            found.append((kind, step if type_ > 17 else 0))
            inner += max(4, (step + 3) & ~3)
    return tuple(found)


def piece(how: int, datagram: bytes) -> bytes:
    datagram = lean(datagram)
    return struct.pack("<HBB", len(datagram), how, 0) + datagram


def some(answer: list[bytes], chance: random.Random, most: int = 3) -> list[bytes]:
    """An answer with few of its rows, in one datagram or two: a fuzzer works best on small
    inputs."""
    rows = [one[at : at + ((size + 3) & ~3)] for one in answer for at, size in spans(one)]
    ends = [one for one in rows[-1:] if types_in(one)[0] in (NLMSG_DONE, NLMSG_ERROR)]
    rows = rows[: len(rows) - len(ends)]
    rows = sorted(chance.sample(rows, min(most, len(rows))), key=rows.index)
    middle = chance.randrange(len(rows) + 1)
    parts = [b"".join(rows[:middle]), b"".join(rows[middle:] + ends)]
    return [part for part in parts if part]


def of_mirror(reading: list[list[bytes]], changes: list[bytes], chance: random.Random) -> bytes:
    """A dump of the tables, then changes; the amounts that are taken are random."""
    made = b""
    for answer in reading:
        for number, datagram in enumerate(some(answer, chance)):
            made += piece(SWEEP if number else BEGIN, datagram)
    for datagram in changes:
        made += piece(APPLY | chance.choice([0, 0, 0, TAKE, TAKE | FEW, NEW, UNDONE]), datagram)
    return made


def capture(folder: Path, steps: int, seed: int) -> None:
    with Namespace() as here:
        here.ip("link set lo up")
        other = Namespace()
        prepare(here)
        listener, chance = Listener(), random.Random(seed)
        walk = Walk(here, other, seed)
        everything: dict[tuple[object, ...], bytes] = {}
        mirror, reply = [], []
        commands = [one for line in EXTRA.split("\n") for one in line.split("|") if one]
        for stretch in range(-(-steps // STRETCH)):
            reading = listener.reading()
            if stretch == 0:
                walk.look([listener])
                for command in commands:
                    walk.world.act([command])
            else:
                walk.walk(STRETCH, [listener])
            changes = listener.received()
            for datagram in [*(one for answer in reading for one in answer), *changes]:
                everything.setdefault(shape(datagram), datagram)
            for at in range(0, len(changes), WINDOW):
                before = reading if at % 2 else []
                mirror.append(of_mirror(before, changes[at : at + WINDOW], chance))
            for what in range(8):
                pieces = (piece(0, one) for answer in reading for one in some(answer, chance))
                reply.append(bytes([what]) + b"".join(pieces))
            print(
                f"step {stretch * STRETCH}: {len(everything)} shapes", file=sys.stderr, flush=True
            )
        captured = list(everything.values())
        corpus.into_folder(folder / "captured", captured)
        corpus.into_folder(folder / "decode", captured)
        corpus.into_folder(folder / "mirror", mirror)
        corpus.into_folder(folder / "reply", reply)


def main(arguments: list[str]) -> int:
    if not 1 <= len(arguments) <= 3:
        print(__doc__, file=sys.stderr)
        return 2
    steps = int(arguments[1]) if len(arguments) > 1 else 120
    seed = int(arguments[2]) if len(arguments) > 2 else random.SystemRandom().randrange(2**32)
    print(f"seed {seed}", file=sys.stderr)
    enter_user_namespace()
    capture(Path(arguments[0]), steps, seed)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

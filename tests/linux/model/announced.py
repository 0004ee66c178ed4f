# SPDX-License-Identifier: MIT
"""What the kernel announced: a second listener, which shares no code with the package.

A process of its own receives the messages, so that none is lost while the test computes. It says
which deletions of routes had a message, and which names an index had, one generation of the link
after the other.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import select
import socket
import struct
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import Any, Self

RTM_NEWLINK, RTM_DELLINK, RTM_NEWROUTE, RTM_DELROUTE = 16, 17, 24, 25
RTMGRP_LINK, RTMGRP_IPV4_ROUTE, RTMGRP_IPV6_ROUTE = 0x1, 0x40, 0x400
RTA_DST, RTA_SRC, RTA_OIF, RTA_GATEWAY, RTA_PRIORITY = 1, 2, 4, 5, 6
RTA_MULTIPATH, RTA_TABLE = 9, 15
SO_ATTACH_FILTER, SO_RCVBUFFORCE = 26, 33
FLAPPING = 99  # the protocol of the routes that flap: their messages are not received
BUFFER = 64 << 20

# table, tos, metric, prefix, interface, next hop, source prefix: the oracle's key begins so
Leg = tuple[Any, ...]
LEG = slice(7)


def attributes(body: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    while at + 4 <= len(body):
        length, kind = struct.unpack_from("=HH", body, at)
        if length < 4:
            return
        yield kind & 0x3FFF, body[at + 4 : at + length]
        at += (length + 3) & ~3


def legs(body: bytes) -> Iterator[Leg]:
    """The legs of a message about a route."""
    found = dict(attributes(body, 12))
    family, length, source_length, tos = body[:4]
    size = 4 if family == socket.AF_INET else 16
    prefix = ip_network((found.get(RTA_DST, bytes(size)), length))
    source = ip_network((found[RTA_SRC], source_length)) if source_length else None
    table = int.from_bytes(found.get(RTA_TABLE, bytes([body[4]])), "little")
    metric = int.from_bytes(found.get(RTA_PRIORITY, b""), "little")

    def leg(index: int, more: dict[int, bytes]) -> Leg:
        hop = more.get(RTA_GATEWAY, b"")
        return table, tos, metric, prefix, index, ip_address(hop) if any(hop) else None, source

    if RTA_MULTIPATH not in found:
        yield leg(int.from_bytes(found.get(RTA_OIF, b""), "little"), found)
    at, nexthops = 0, found.get(RTA_MULTIPATH, b"")
    while at + 8 <= len(nexthops):
        length, _, _, index = struct.unpack_from("=HBBi", nexthops, at)
        yield leg(index, dict(attributes(nexthops[at : at + length], 8)))
        at += (length + 3) & ~3


class Announced:
    """`with Announced({}) as announced:` listens in the network of the calling thread.

    `refresh()` takes what has come. `lost`: messages are missing since the last `begin()`.
    `generations`: the names of each index so far, one set for each link that has had it."""

    def __init__(self, generations: dict[int, list[set[str]]]) -> None:
        self.deleted: Counter[Leg] = Counter()  # since begin()
        self.lost = False
        self._generations = generations

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"listening\n"
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=30)  # the end of its input ends it

    def begin(self, names: dict[str, int]) -> None:
        """Forgets the deletions. `names`: the links that are there."""
        self.refresh()
        self.deleted.clear()
        self.lost = False
        for name, index in names.items():
            self._generation(index).add(name)

    def _generation(self, index: int) -> set[str]:
        return self._generations.setdefault(index, [set()])[-1]

    def refresh(self) -> None:
        to, out = self._process.stdin, self._process.stdout
        assert to is not None
        assert out is not None
        to.write(b"take\n")
        to.flush()
        lost, size = struct.unpack("=?I", out.read(5))
        self.lost |= lost
        data, at = out.read(size), 0
        while at < size:
            length, kind = struct.unpack_from("=IH", data, at)
            self._read(kind, data[at + 16 : at + length])
            at += (length + 3) & ~3

    def _read(self, kind: int, body: bytes) -> None:
        if kind == RTM_DELROUTE:
            self.deleted.update(legs(body))
        elif kind in (RTM_NEWLINK, RTM_DELLINK) and body[0] == socket.AF_UNSPEC:
            index = struct.unpack_from("=i", body, 4)[0]
            name = dict(attributes(body, 16)).get(3, b"").rstrip(b"\0").decode()
            self._generation(index).add(name)
            if kind == RTM_DELLINK:
                self._generations[index].append(set())

    def had_name(self, index: int, name: str | None, before: str | None = None) -> bool:
        """Has the link with this index had this name, and `before` before?"""
        return any(
            name in names and (before is None or before in names)
            for names in self._generations.get(index, ())
        )


def _filter() -> tuple[bytes, Any]:
    """Accepts all but messages about the routes that flap."""
    ldh, ldb, jeq, ret = 0x28, 0x30, 0x15, 0x06
    program = [
        (ldh, 0, 0, 4),  # nlmsg_type, its bytes swapped
        (jeq, 1, 0, RTM_NEWROUTE << 8),
        (jeq, 0, 3, RTM_DELROUTE << 8),
        (ldb, 0, 0, 16 + 5),  # rtm_protocol
        (jeq, 0, 1, FLAPPING),
        (ret, 0, 0, 0),
        (ret, 0, 0, 0xFFFFFFFF),
    ]
    packed = b"".join(struct.pack("=HBBI", *one) for one in program)
    memory = ctypes.create_string_buffer(packed)
    return struct.pack("@HP", len(program), ctypes.addressof(memory)), memory


def main() -> None:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        try:
            kernel.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
        except PermissionError:
            kernel.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        program, memory = _filter()
        kernel.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
        del memory
        kernel.bind((0, RTMGRP_LINK | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE))
        kernel.setblocking(False)
        out, kept, lost = sys.stdout.buffer, bytearray(), False
        out.write(b"listening\n")
        out.flush()
        while True:
            ready = select.select([kernel, sys.stdin], [], [])[0]
            with contextlib.suppress(BlockingIOError):
                while True:
                    try:
                        message = kernel.recv(1 << 16)
                        kept += message + bytes(-len(message) % 4)
                    except OSError as error:
                        if error.errno != errno.ENOBUFS:
                            raise
                        lost = True
            if sys.stdin in ready:
                if not sys.stdin.readline():
                    return
                out.write(struct.pack("=?I", lost, len(kept)) + kept)
                out.flush()
                kept.clear()
                lost = False


if __name__ == "__main__":
    main()

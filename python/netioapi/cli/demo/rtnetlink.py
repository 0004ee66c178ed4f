# SPDX-License-Identifier: MIT
"""A small rtnetlink client in pure Python, for the demo only.

The demo changes the kernel's network without the ``ip`` command, and checks the library with code
that shares no line with it. So this file follows `rtnetlink(7)` and uses nothing of the library. It
reads and writes what the demo needs: links, addresses and routes.

A function returns after the kernel has answered its request. The request is then complete, and its
notifications are in the sockets of all subscribers.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from collections.abc import Iterable, Iterator, Sequence

NLMSG_ERROR, NLMSG_DONE = 2, 3
RTM_NEWLINK, RTM_SETLINK, RTM_GETLINK = 16, 19, 18
RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 20, 21, 22
RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE = 24, 25, 26

REQUEST, ACK, DUMP, DUMP_INTR = 0x1, 0x4, 0x300, 0x10
REPLACE, EXCL, CREATE = 0x100, 0x200, 0x400

IFLA_IFNAME, IFLA_LINKINFO, IFLA_AF_SPEC = 3, 18, 26
IFLA_INFO_KIND, IFLA_INFO_DATA, VETH_INFO_PEER = 1, 2, 1
IFLA_INET6_ADDR_GEN_MODE, ADDR_GEN_MODE_NONE = 8, 1
IFF_UP = 0x1
IFA_ADDRESS, IFA_LOCAL, IFA_F_NODAD = 1, 2, 0x2
RTA_DST, RTA_OIF, RTA_GATEWAY, RTA_PRIORITY = 1, 4, 5, 6
RTA_MULTIPATH, RTA_TABLE = 9, 15
RT_TABLE_MAIN, RTPROT_STATIC, RTN_UNICAST = 254, 4, 1
GROUP_IPV4_ROUTE, GROUP_IPV6_ROUTE = 7, 11

SOL_NETLINK, NETLINK_ADD_MEMBERSHIP = 270, 1
HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port
PAIR = struct.Struct("=HH")  # attribute: length, type
BULK_BYTES = 30_000  # well below the default send buffer

Leg = tuple[int, bytes, int]  # interface index, gateway, weight


def attribute(kind: int, payload: bytes) -> bytes:
    """One attribute: header, payload, padding to four bytes."""
    length = PAIR.size + len(payload)
    return PAIR.pack(length, kind) + payload + bytes(-length % 4)


def attributes(data: memoryview) -> dict[int, memoryview]:
    """The attributes of a message of the kernel, by their type."""
    found = {}
    while len(data) >= PAIR.size:
        length, kind = PAIR.unpack_from(data)
        if not PAIR.size <= length <= len(data):
            raise ValueError("malformed netlink attribute")
        found[kind & 0x3FFF] = data[PAIR.size : length]
        data = data[(length + 3) & ~3 :]
    return found


def number(value: int) -> bytes:
    return struct.pack("=I", value)


def message(kind: int, flags: int, body: bytes, sequence: int = 0) -> bytes:
    length = HEADER.size + len(body)
    return HEADER.pack(length, kind, flags, sequence, 0) + body


def route_body(
    destination: bytes,
    length: int,
    *,
    index: int = 0,
    gateway: bytes = b"",
    metric: int = 0,
    legs: Sequence[Leg] = (),
) -> bytes:
    """The body of a request about one route of the main table."""
    family = socket.AF_INET if len(destination) == 4 else socket.AF_INET6
    # family, lengths, tos, table, protocol, scope, type, flags
    fixed = (family, length, 0, 0, 0, RTPROT_STATIC, 0, RTN_UNICAST, 0)
    parts = [struct.pack("=8BI", *fixed)]
    parts.append(attribute(RTA_DST, destination))
    parts.append(attribute(RTA_TABLE, number(RT_TABLE_MAIN)))
    if metric:
        parts.append(attribute(RTA_PRIORITY, number(metric)))
    if index:
        parts.append(attribute(RTA_OIF, number(index)))
    if gateway:
        parts.append(attribute(RTA_GATEWAY, gateway))
    if legs:
        parts.append(attribute(RTA_MULTIPATH, b"".join(map(_leg, legs))))
    return b"".join(parts)


def _leg(leg: Leg) -> bytes:
    index, gateway, weight = leg
    via = attribute(RTA_GATEWAY, gateway)
    return struct.pack("=HBBI", 8 + len(via), 0, weight - 1, index) + via


class Netlink:
    """One rtnetlink socket of the current network namespace."""

    def __init__(self, *groups: int) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self._socket.bind((0, 0))
        for group in groups:
            self._socket.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group)
        self._sequence = 0

    def __enter__(self) -> Netlink:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    # ---- requests ----------------------------------------------------------

    def request(self, kind: int, flags: int, body: bytes) -> None:
        """Send one request and wait until the kernel has completed it.

        Raises: OSError with the kernel's errno.
        """
        self.bulk(kind, flags, [body])

    def bulk(self, kind: int, flags: int, bodies: Iterable[bytes]) -> None:
        """Send many requests of one kind, a few hundred in a datagram.

        Raises: OSError with the errno of the first that failed.
        """
        batch: list[bytes] = []
        size = 0
        for body in bodies:
            batch.append(body)
            size += HEADER.size + len(body)
            if size >= BULK_BYTES:
                self._exchange(kind, flags, batch)
                batch, size = [], 0
        if batch:
            self._exchange(kind, flags, batch)

    def _exchange(self, kind: int, flags: int, batch: list[bytes]) -> None:
        # Only the last request has ACK set. The kernel answers a failed request in any case.
        self._sequence += 1
        flags |= REQUEST
        packed = [message(kind, flags, body) for body in batch[:-1]]
        packed.append(message(kind, flags | ACK, batch[-1], self._sequence))
        self._socket.send(b"".join(packed))
        failed = 0
        for reply, _, sequence, payload in self._replies():
            if reply == NLMSG_ERROR:
                code = -struct.unpack_from("=i", payload)[0]
                failed = failed or code
                if sequence == self._sequence:
                    break
        if failed:
            raise OSError(failed, os.strerror(failed))

    def _replies(self) -> Iterator[tuple[int, int, int, memoryview]]:
        """Iterate without end over the messages that arrive: type, flags, sequence, body."""
        while True:
            yield from _split(self._socket.recv(1 << 17))

    # ---- links and addresses -----------------------------------------------

    def add_veth(self, name: str, peer: str) -> None:
        """Add a veth pair: what one link sends, the other receives."""
        blank = struct.pack("=BxHiII", 0, 0, 0, 0, 0)
        other = blank + attribute(IFLA_IFNAME, peer.encode() + b"\0")
        data = attribute(VETH_INFO_PEER, other)
        info = attribute(IFLA_INFO_KIND, b"veth") + attribute(IFLA_INFO_DATA, data)
        body = blank + attribute(IFLA_IFNAME, name.encode() + b"\0")
        body += attribute(IFLA_LINKINFO, info)
        self.request(RTM_NEWLINK, CREATE | EXCL, body)

    def no_link_local(self, index: int) -> None:
        """Disable the automatic link-local address, so that all changes are the demo's."""
        mode = attribute(IFLA_INET6_ADDR_GEN_MODE, bytes([ADDR_GEN_MODE_NONE]))
        spec = attribute(IFLA_AF_SPEC, attribute(socket.AF_INET6, mode))
        body = struct.pack("=BxHiII", 0, 0, index, 0, 0) + spec
        self.request(RTM_SETLINK, 0, body)

    def set_link(self, index: int, *, up: bool) -> None:
        flags = IFF_UP if up else 0
        body = struct.pack("=BxHiII", 0, 0, index, flags, IFF_UP)
        self.request(RTM_SETLINK, 0, body)

    def add_address(self, index: int, address: bytes, length: int) -> None:
        family = socket.AF_INET if len(address) == 4 else socket.AF_INET6
        # Duplicate address detection would delay an IPv6 address by seconds.
        flags = IFA_F_NODAD if family == socket.AF_INET6 else 0
        body = struct.pack("=BBBBI", family, length, flags, 0, index)
        body += attribute(IFA_LOCAL, address)
        body += attribute(IFA_ADDRESS, address)
        self.request(RTM_NEWADDR, CREATE | EXCL, body)

    # ---- reading -----------------------------------------------------------

    def dump(self, kind: int, body: bytes) -> list[memoryview]:
        """The bodies of the messages of a dump. A table that changed meanwhile is read again.

        Raises: OSError.
        """
        while True:
            self._sequence += 1
            self._socket.send(message(kind, REQUEST | DUMP, body, self._sequence))
            found: list[memoryview] = []
            interrupted = False
            for reply, flags, sequence, payload in self._replies():
                if sequence != self._sequence:
                    continue
                interrupted = interrupted or bool(flags & DUMP_INTR)
                if reply == NLMSG_ERROR:
                    code = -struct.unpack_from("=i", payload)[0]
                    raise OSError(code, os.strerror(code))
                if reply == NLMSG_DONE:
                    break
                found.append(payload)
            if not interrupted:
                return found

    def count_waiting(self, kind: int) -> int:
        """Read the notifications that are queued, and count those of one kind."""
        count = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                data = self._socket.recv(1 << 17, socket.MSG_DONTWAIT)
                count += sum(1 for reply, *_ in _split(data) if reply == kind)
        return count


def _split(data: bytes) -> Iterator[tuple[int, int, int, memoryview]]:
    view = memoryview(data)
    while len(view) >= HEADER.size:
        length, kind, flags, sequence, _ = HEADER.unpack_from(view)
        if not HEADER.size <= length <= len(view):
            raise ValueError("malformed netlink message")
        yield kind, flags, sequence, view[HEADER.size : length]
        view = view[(length + 3) & ~3 :]

# SPDX-License-Identifier: MIT
"""Large tables of routes, and routes that flap beside them, made by raw netlink messages: many in
one send, so that every dump of the table races with changes.

A flap is a process of its own: as a thread it would wait for the GIL of the test.
"""

from __future__ import annotations

import ipaddress
import itertools
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from types import TracebackType

RTM_NEWROUTE, RTM_DELROUTE = 24, 25
NLM_F_REQUEST, NLM_F_ACK, NLM_F_EXCL, NLM_F_CREATE = 0x1, 0x4, 0x200, 0x400
RTA_DST, RTA_OIF, RTA_PRIORITY, RTA_TABLE = 1, 4, 6, 15
PER_SEND = 200  # messages: under the default send buffer


def prefixes(stem: str, count: int) -> list[bytes]:
    """The packed addresses of `count` subnets from the network `stem`, one after the other."""
    network = ipaddress.ip_network(stem)
    step = 1 << (network.max_prefixlen - network.prefixlen)
    first = int(network.network_address)
    size = network.max_prefixlen // 8
    return [(first + number * step).to_bytes(size, "big") for number in range(count)]


def route_message(
    kind: int,
    address: bytes,
    length: int,
    index: int,
    *,
    metric: int = 0,
    table: int = 254,
    protocol: int = 4,
) -> bytes:
    family = socket.AF_INET if len(address) == 4 else socket.AF_INET6
    scope = 253 if family == socket.AF_INET and kind == RTM_NEWROUTE else 0
    if kind == RTM_DELROUTE and family == socket.AF_INET:
        scope = 255
    body = struct.pack("=BBBBBBBBI", family, length, 0, 0, 0, protocol, scope, 1, 0)
    attributes = [(RTA_DST, address), (RTA_OIF, struct.pack("=I", index))]
    attributes.append((RTA_TABLE, struct.pack("=I", table)))
    if metric:
        attributes.append((RTA_PRIORITY, struct.pack("=I", metric)))
    for number, payload in attributes:
        body += struct.pack("=HH", 4 + len(payload), number) + payload
    flags = NLM_F_REQUEST | (NLM_F_CREATE | NLM_F_EXCL if kind == RTM_NEWROUTE else 0)
    return struct.pack("=IHHII", 16 + len(body), kind, flags, 0, 0) + body


def rounds(kind: int, stem: str, count: int, index: int, **more: int) -> Iterator[bytes]:
    """The messages, as many in a piece as one send takes."""
    length = ipaddress.ip_network(stem).prefixlen
    made = [route_message(kind, one, length, index, **more) for one in prefixes(stem, count)]
    for start in range(0, count, PER_SEND):
        yield b"".join(made[start : start + PER_SEND])


def add_routes(stem: str, count: int, index: int, **more: int) -> None:
    """Add that many subnets in a row, `stem` the first, in the calling thread's namespace."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.bind((0, 0))
        for piece in rounds(RTM_NEWROUTE, stem, count, index, **more):
            kernel.send(piece)


def delete_routes(stem: str, count: int, index: int, **more: int) -> None:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.bind((0, 0))
        for piece in rounds(RTM_DELROUTE, stem, count, index, **more):
            kernel.send(piece)


class Flap:
    """`with Flap(stem, count, index):` adds and deletes these routes without end.

    `pause`: seconds between two rounds. The routes are gone at the end of the block."""

    def __init__(
        self,
        stem: str,
        count: int,
        index: int,
        *,
        pause: float = 0.0,
        table: int = 254,
        protocol: int = 4,
    ) -> None:
        self._arguments = list(map(str, (stem, count, index, pause, table, protocol)))

    def __enter__(self) -> Flap:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, *self._arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "flapping\n"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.communicate(timeout=30)  # the end of its input ends it
        assert self._process.returncode == 0


def main(stem: str, count: str, index: str, pause: str, table: str, protocol: str) -> None:
    import select

    more = {"table": int(table), "protocol": int(protocol)}

    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.bind((0, 0))
        both = [
            list(rounds(kind, stem, int(count), int(index), **more))
            for kind in (RTM_NEWROUTE, RTM_DELROUTE)
        ]
        print("flapping", flush=True)
        # In half of the time the routes are there.
        for pieces in itertools.cycle(both):
            if pieces is both[0] and select.select([sys.stdin], [], [], float(pause))[0]:
                return
            if pieces is both[1]:
                time.sleep(float(pause))
            for piece in pieces:
                kernel.send(piece)


if __name__ == "__main__":
    main(*sys.argv[1:])

# SPDX-License-Identifier: MIT
"""A flood of changes, made by a process in the namespace of the caller.

It adds and deletes routes through one link without end, and sometimes an address and the link's
MTU, so that registrations of every kind have callbacks all the time.
"""

from __future__ import annotations

import subprocess
import sys
from types import TracebackType

MAKER = r"""
import select, socket, struct, sys

index, pause = int(sys.argv[1]), float(sys.argv[2])
REQUEST, EXCLUSIVE, CREATE = 1, 0x200, 0x400
NEWLINK, NEWADDR, DELADDR, NEWROUTE, DELROUTE = 16, 20, 21, 24, 25

def message(kind, flags, body, *attributes):
    for number, payload in attributes:
        body += struct.pack("=HH", 4 + len(payload), number) + payload
    return struct.pack("=IHHII", 16 + len(body), kind, REQUEST | flags, 0, 0) + body

def route(kind, flags, number):
    head = struct.pack("=BBBBBBBBI", socket.AF_INET, 32, 0, 0, 254, 4, 253, 1, 0)
    destination = struct.pack("!I", 0xC6120000 + number)  # 198.18.0.0/15, reserved for benchmarks
    return message(kind, flags, head, (1, destination), (4, struct.pack("=I", index)))

def address(kind, flags):
    head = struct.pack("=BBBBI", socket.AF_INET, 32, 0, 0, index)
    return message(kind, flags, head, (2, socket.inet_aton("198.51.100.1")))

def mtu(value):
    head = struct.pack("=BBHiII", socket.AF_UNSPEC, 0, 0, index, 0, 0)
    return message(NEWLINK, 0, head, (4, struct.pack("=I", value)))

kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
kernel.bind((0, 0))
rounds = [
    b"".join(route(NEWROUTE, CREATE | EXCLUSIVE, number) for number in range(100)),
    b"".join(route(DELROUTE, 0, number) for number in range(100)),
    address(NEWADDR, CREATE | EXCLUSIVE) + mtu(1400),
    address(DELADDR, 0) + mtu(1500),
]
print("flowing", flush=True)
while not select.select([sys.stdin], [], [], pause)[0]:
    for each in rounds:
        kernel.send(each)
"""


class Flood:
    """`with Flood(index):` floods through the link with that index."""

    def __init__(self, index: int, *, pause: float = 0.005) -> None:
        self._command = [sys.executable, "-I", "-c", MAKER, str(index), str(pause)]

    def __enter__(self) -> Flood:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "flowing\n"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.communicate(timeout=20)  # it ends when its input ends
        assert self._process.returncode == 0

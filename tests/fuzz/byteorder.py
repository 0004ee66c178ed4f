# SPDX-License-Identifier: MIT
"""Turns rtnetlink datagrams to the form that a kernel of the other byte order would send.

Netlink uses the host's byte order: each number is turned according to its header and attribute.
Attributes that the decoder does not know keep their payload.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable

Turn = Callable[[bytes], bytes]

NATIVE, OTHER = ("<", ">") if sys.byteorder == "little" else (">", "<")


def numbers(format_: str) -> Turn:
    """As many of these structs as fit; the rest stays as it is."""

    def turn(data: bytes) -> bytes:
        size = struct.calcsize("=" + format_)
        turned = b""
        while len(data) >= size:
            turned += struct.pack(OTHER + format_, *struct.unpack(NATIVE + format_, data[:size]))
            data = data[size:]
        return turned + data

    return turn


def nested(kinds: dict[int, Turn]) -> Turn:
    return lambda data: attributes(data, kinds)


def attributes(data: bytes, kinds: dict[int, Turn]) -> bytes:
    turned = b""
    while len(data) >= 4:
        length, type_ = struct.unpack(NATIVE + "HH", data[:4])
        if length < 4 or length > len(data):
            raise ValueError("a malformed attribute has no other byte order")
        payload = data[4:length]
        padded = (length + 3) & ~3
        turn = kinds.get(type_ & 0x3FFF, bytes)
        turned += struct.pack(OTHER + "HH", length, type_) + turn(payload) + data[length:padded]
        data = data[padded:]
    return turned + data


U16, U32, U64 = numbers("H"), numbers("I"), numbers("Q")


def multipath(data: bytes) -> bytes:
    turned = b""
    while len(data) >= 8:
        length = struct.unpack(NATIVE + "H", data[:2])[0]
        if length < 8 or length > len(data):
            raise ValueError("a malformed leg has no other byte order")
        turned += numbers("HBBi")(data[:8]) + attributes(data[8:length], LEG)
        padded = (length + 3) & ~3
        turned += data[length:padded]
        data = data[padded:]
    return turned + data


def via(data: bytes) -> bytes:
    return numbers("H")(data[:2]) + data[2:]


def first_of_encapsulation(data: bytes) -> bytes:
    """Attribute 1 of RTA_ENCAP: an identifier in network order, or SRv6: mode, header."""
    return data if len(data) == 8 else U32(data[:4]) + data[4:]


ENCAPSULATION: dict[int, Turn] = {1: first_of_encapsulation}
INET = {1: U32}
INET6 = {1: U32, 2: U32, 5: U32}
METRICS: dict[int, Turn] = dict.fromkeys(range(1, 18), U32)
ROUTE: dict[int, Turn] = {
    3: U32,
    4: U32,
    6: U32,
    8: nested(METRICS),
    9: multipath,
    12: U32,
    15: U32,
    16: U32,
}
LEG: dict[int, Turn] = {18: via, 21: U16, 22: nested(ENCAPSULATION)}
ROUTE |= LEG | {30: U32}
ADDRESS = {6: U32, 8: U32, 9: U32}
LINK = {4: U32, 5: U32, 10: U32, 13: U32, 26: nested({2: nested(INET), 10: nested(INET6)})}
NEXTHOP = {1: U32, 2: numbers("IBBH"), 5: U32, 7: U16, 8: nested(ENCAPSULATION), 10: U32}
TIMES = {6: nested({1: U32, 2: U32, **{type_: U64 for type_ in range(3, 7)}})}
NETCONF = {type_: U32 for type_ in range(1, 9)}
# nlmsg_type -> the format of the family's header, and its attributes
KINDS: dict[int, tuple[str, dict[int, Turn]]] = {
    **dict.fromkeys((16, 17), ("BBHiII", LINK)),
    **dict.fromkeys((20, 21), ("BBBBI", ADDRESS)),
    **dict.fromkeys((24, 25), ("BBBBBBBBI", ROUTE)),
    **dict.fromkeys((64, 65), ("BBH", TIMES)),
    **dict.fromkeys((80, 81), ("Bxxx", NETCONF)),
    **dict.fromkeys((104, 105), ("BBBBI", NEXTHOP)),
}


def message(data: bytes) -> bytes:
    header, body = data[:16], data[16:]
    type_ = struct.unpack(NATIVE + "IHHII", header)[1]
    if type_ in KINDS:
        format_, kinds = KINDS[type_]
        size = struct.calcsize("=" + format_)
        body = numbers(format_)(body[:size]) + attributes(body[size:], kinds)
    else:
        body = U32(body[:4]) + body[4:]  # the number in NLMSG_ERROR and NLMSG_DONE
    return numbers("IHHII")(header) + body


def turned(datagram: bytes) -> bytes:
    """Raises ValueError for a malformed datagram."""
    result = b""
    while len(datagram) >= 16:
        length = struct.unpack(NATIVE + "I", datagram[:4])[0]
        if length < 16 or length > len(datagram):
            raise ValueError("a malformed message has no other byte order")
        padded = (length + 3) & ~3
        result += message(datagram[:length]) + datagram[length:padded]
        datagram = datagram[padded:]
    return result + datagram

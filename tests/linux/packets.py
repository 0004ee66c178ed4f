# SPDX-License-Identifier: MIT
"""Packets that make the kernel change its tables: router advertisements, and the smaller MTU of a
path. They go from one link of a pair to the other, in a namespace."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

HOP_LIMIT = 255
ALL_NODES = "ff02::1"


@dataclass(frozen=True)
class Advertisement:
    """A router advertisement (RFC 4861, section 4.2) of one on-link, autonomous prefix."""

    prefix: str = "2001:db8:5::"
    lifetime: int = 1800  # of the default route; 0 deletes it
    valid: int = 7200
    preferred: int = 3600
    managed: bool = False

    def packed(self) -> bytes:
        flags = 0xC0 if self.managed else 0
        head = struct.pack("!BBHBBHII", 134, 0, 0, 64, flags, self.lifetime, 0, 0)
        on_link_and_autonomous = 0xC0
        option = struct.pack(
            "!BBBBIII16s",
            *(3, 4, 64, on_link_and_autonomous, self.valid, self.preferred, 0),
            socket.inet_pton(socket.AF_INET6, self.prefix),
        )
        return head + option

    def send(self, link: str) -> None:
        """Sends it out of `link`, from its link-local address; the kernel adds the checksum."""
        index = socket.if_nametoindex(link)
        with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as sender:
            sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, HOP_LIMIT)
            sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
            sender.sendto(self.packed(), (ALL_NODES, 0, 0, index))


def _sum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def fragmentation_needed(
    source: str, port: int, destination: str, destination_port: int, mtu: int
) -> bytes:
    """ICMP type 3 code 4 (RFC 1191): a datagram from `source` was too big for `mtu`."""
    quoted = struct.pack(
        "!BBHHHBBH4s4s",
        *(0x45, 0, 1400, 0, 0x4000, 64, socket.IPPROTO_UDP, 0),
        socket.inet_aton(source),
        socket.inet_aton(destination),
    ) + struct.pack("!HHHH", port, destination_port, 1380, 0)
    head = struct.pack("!BBHHH", 3, 4, 0, 0, mtu)
    return struct.pack("!BBHHH", 3, 4, _sum(head + quoted), 0, mtu) + quoted

# SPDX-License-Identifier: MIT
"""The demo's network: two cables in a new network namespace, and routes to add to them."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from dataclasses import dataclass

from netioapi.cli.demo import rtnetlink as rt
from netioapi.cli.demo.namespace import Forbidden, lacking_rights

MAX_24 = 65_000  # up to this many IPv4 routes are /24 of 10.0.0.0/8; more are /32
NETWORK_4 = int.from_bytes(socket.inet_aton("10.0.0.0"), "big")
NETWORK_6 = 0x20010DB8 << 96  # 2001:db8::/32, for documentation


@dataclass(frozen=True)
class Cable:
    """A veth link, with its peer and its addresses."""

    name: str
    peer: str
    addresses: tuple[tuple[bytes, int], ...]
    next_hop_4: bytes
    other_hop_4: bytes
    next_hop_6: bytes

    @property
    def index(self) -> int:
        return socket.if_nametoindex(self.name)


def destination_4(number: int, total: int) -> tuple[bytes, int]:
    """The prefix of the IPv4 route `number` of `total`, in the private range 10.0.0.0/8."""
    shift, length = (8, 24) if total <= MAX_24 else (0, 32)
    return (NETWORK_4 + (number << shift)).to_bytes(4, "big"), length


def _cable(name: str, peer: str, network_4: str, network_6: str) -> Cable:
    four = socket.inet_aton(network_4)[:3]
    six = socket.inet_pton(socket.AF_INET6, network_6)[:15]
    return Cable(
        name,
        peer,
        ((four + b"\x01", 24), (six + b"\x01", 64)),
        four + b"\x02",
        four + b"\x03",
        six + b"\x02",
    )


class Links:
    """The links of a new network namespace, changed through a socket of the demo's own.

    Raises: Forbidden where such links cannot be created.
    """

    def __init__(self) -> None:
        self.kernel = rt.Netlink()
        self.cables = (
            _cable("v0", "p0", "192.0.2.0", "fd00:0:0:1::"),
            _cable("v1", "p1", "198.51.100.0", "fd00:0:0:2::"),
        )
        try:
            for cable in self.cables:
                self.kernel.add_veth(cable.name, cable.peer)
        except OSError as error:
            if error.errno in (errno.EPERM, errno.EACCES):
                raise Forbidden(lacking_rights()) from error
            raise Forbidden(f"no link of type veth can be made: {error.strerror}") from error

    def plug_in(self) -> None:
        """Add the addresses, and set both ends of the cables up."""
        for cable in self.cables:
            for name in (cable.name, cable.peer):
                self.kernel.no_link_local(socket.if_nametoindex(name))
            for address, length in cable.addresses:
                self.kernel.add_address(cable.index, address, length)
            for name in (cable.peer, cable.name):
                self.kernel.set_link(socket.if_nametoindex(name), up=True)

    def set_up(self, cable: Cable, *, up: bool) -> None:
        self.kernel.set_link(cable.index, up=up)

    def routes_4(
        self, first: int, last: int, total: int, gateway: bytes, metric: int = 10
    ) -> Iterator[bytes]:
        """Requests for the IPv4 routes number `first` to `last` of `total`, on cable 0."""
        index = self.cables[0].index
        for number in range(first, last):
            destination, length = destination_4(number, total)
            yield rt.route_body(destination, length, index=index, gateway=gateway, metric=metric)

    def routes_6(self, first: int, last: int) -> Iterator[bytes]:
        """Requests for IPv6 routes, on cable 0."""
        index, gateway = self.cables[0].index, self.cables[0].next_hop_6
        for number in range(first, last):
            destination = (NETWORK_6 + (number << 64)).to_bytes(16, "big")
            yield rt.route_body(destination, 64, index=index, gateway=gateway, metric=10)

    def add(self, bodies: Iterator[bytes]) -> None:
        self.kernel.bulk(rt.RTM_NEWROUTE, rt.CREATE | rt.EXCL, bodies)

    def replace(self, bodies: Iterator[bytes]) -> None:
        self.kernel.bulk(rt.RTM_NEWROUTE, rt.CREATE | rt.REPLACE, bodies)

    def delete(self, bodies: Iterator[bytes]) -> None:
        self.kernel.bulk(rt.RTM_DELROUTE, 0, bodies)

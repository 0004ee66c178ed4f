# SPDX-License-Identifier: MIT
"""Two networks and the links between them: one is observed, in the other are the peers."""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.network import Network


@dataclass
class Rooms:
    """Link N is vN in the observed network and pN in the other. The observed end has the addresses
    10.0.N.1/24 and 2001:db8:N::1/64, the other end those that end in 2 and in 3."""

    observed: Network
    other: Network
    links: int = 0

    def join(self) -> None:
        """Make the next link, up and with addresses on both ends."""
        n = self.links
        self.links += 1
        self.observed.ip(f"link add v{n} type veth peer name p{n} netns {self.other.path}")
        self.observed.sysctl(f"ipv6.conf.v{n}.keep_addr_on_down", 1)
        with self.other:
            self.other.ip("link set lo up")
            self.other.ip(f"link set p{n} up")
            for last in (2, 3):
                self.other.batch(self._addresses(n, last, "p"))
        self.observed.ip(f"link set v{n} up")
        self.observed.batch(self._addresses(n, 1, "v"))

    @staticmethod
    def _addresses(n: int, last: int, link: str) -> str:
        return (
            f"address add 10.0.{n}.{last}/24 dev {link}{n}\n"
            f"address add 2001:db8:{n}::{last}/64 dev {link}{n} nodad"
        )

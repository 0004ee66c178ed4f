# SPDX-License-Identifier: MIT
"""What the driver has put into the stand-in, and the effects that one change has on Windows. The
truth is in the stand-in's tables; this state finds there what a command refers to."""

from __future__ import annotations

import threading
from ipaddress import IPv6Address, ip_interface, ip_network

from tests.windows import rows
from tests.windows.commands import IPNetwork, NotThere
from tests.windows.dll import checked
from tests.windows.structures import AF_INET, AF_INET6, AF_UNSPEC, Address, IPAddress, Route

EVERYWHERE = [ip_network("224.0.0.0/4"), ip_network("255.255.255.255/32")]
DEFAULTS = [ip_network("0.0.0.0/0"), ip_network("::/0")]


class Link:
    """An interface, with what the tables do not hold."""

    def __init__(self, name: str, index: int, mtu: int) -> None:
        self.name, self.index, self.mtu = name, index, mtu
        self.up = False
        self.peer: Link | None = None
        self.families = {AF_INET, AF_INET6}
        self.forwarding: set[int] = set()
        self.link_local = True  # makes a link-local address

    @property
    def connected(self) -> bool:
        return self.up and (self.peer is None or self.peer.up)


class State:
    """The caller holds `lock`; a timer takes it, too."""

    def __init__(self, lock: threading.RLock) -> None:
        self._lock = lock
        lo = Link("lo", 1, rows.FOR_EVER)
        lo.up, lo.link_local = True, False
        self.links = {"lo": lo}
        self.routes: dict[IPNetwork, dict[object, Route]] = {}
        self.addresses: dict[tuple[int, IPAddress], Address] = {}
        for text in ("127.0.0.1/8", "::1/128"):
            row = rows.address(1, ip_interface(text))
            self.addresses[1, row.Address.address] = row
        self._timers: list[threading.Timer] = []
        self.dad_seconds: float | None = 0

    def close(self) -> None:
        for timer in self._timers:
            timer.cancel()
            timer.join(10)

    def put_link(self, link: Link) -> None:
        for family in sorted(link.families):
            row = rows.interface(family, link.index, link.mtu, link.connected)
            row.ForwardingEnabled = family in link.forwarding
            checked("standin_put_interface", row, link.name)
        if link.connected and link.index != 1:
            self.bring_up(link)

    def bring_up(self, link: Link) -> None:
        if AF_INET in link.families:
            for prefix in EVERYWHERE:
                self.put_route(rows.on_link(link.index, prefix))
        if AF_INET6 in link.families:
            self.put_route(rows.on_link(link.index, ip_network("ff00::/8")))
            local = IPv6Address(f"fe80::200:ff:fe00:{link.index & 0xFFFF:x}")
            if link.link_local and (link.index, local) not in self.addresses:
                self.put_address(rows.link_local(link.index, local), dad=True)

    def forget(self, index: int, family: int = AF_UNSPEC) -> None:
        """Forgets what the stand-in deleted together with an interface."""
        for key, row in list(self.addresses.items()):
            if key[0] == index and family in (AF_UNSPEC, row.Address.Family):
                del self.addresses[key]
        for prefix, of_prefix in list(self.routes.items()):
            for route_key, route in list(of_prefix.items()):
                if route.InterfaceIndex == index and family in (AF_UNSPEC, route.NextHop.Family):
                    del of_prefix[route_key]
            if not of_prefix:
                del self.routes[prefix]

    def put_route(self, row: Route) -> None:
        checked("standin_put_route", row)
        of_prefix = self.routes.setdefault(rows.prefix_of(row), {})
        of_prefix[rows.route_key(row)] = row

    def drop_route(self, row: Route) -> None:
        prefix = rows.prefix_of(row)
        of_prefix = self.routes.get(prefix, {})
        if of_prefix.pop(rows.route_key(row), None) is not None:
            checked("standin_delete_route", row)
            if not of_prefix:
                del self.routes[prefix]

    def way_to(self, via: IPAddress) -> int:
        """The interface through which a gateway can be reached."""
        best: tuple[int, int] | None = None
        for prefix, of_prefix in self.routes.items():
            if prefix.version == via.version and via in prefix and prefix.prefixlen > 0:
                for row in of_prefix.values():
                    if row.NextHop.address.is_unspecified and not row.Loopback:
                        best = max(best or (0, 0), (prefix.prefixlen, row.InterfaceIndex))
        if best is None:
            raise NotThere("Error: Nexthop has invalid gateway.")
        return best[1]

    def put_address(self, row: Address, *, dad: bool) -> None:
        """Puts an address with its routes. It is tentative at first, unless `dad` is false."""
        self.addresses[row.InterfaceIndex, row.Address.address] = row
        if dad:
            row.DadState = rows.TENTATIVE
        checked("standin_put_address", row)
        for route in rows.routes_of(row):
            self.put_route(route)
        if not dad:
            return
        if row.Address.Family == AF_INET or self.dad_seconds == 0:
            self.prefer(row)
        elif self.dad_seconds is not None:
            timer = threading.Timer(self.dad_seconds, self.prefer, [row])
            timer.daemon = True
            self._timers.append(timer)
            timer.start()

    def prefer(self, row: Address) -> None:
        with self._lock:
            there = self.addresses.get((row.InterfaceIndex, row.Address.address))
            if there is row and row.DadState == rows.TENTATIVE:
                row.DadState = rows.PREFERRED
                checked("standin_put_address", row)

    def drop_address(self, row: Address) -> None:
        del self.addresses[row.InterfaceIndex, row.Address.address]
        checked("standin_delete_address", row)
        others = [r for (index, _), r in self.addresses.items() if index == row.InterfaceIndex]
        kept = {rows.route_key(route) for one in others for route in rows.routes_of(one)}
        for route in rows.routes_of(row):
            if rows.route_key(route) not in kept:
                self.drop_route(route)

    def derive(self) -> None:
        connected = {one.index for one in self.links.values() if one.connected} - {1}
        level, port = 1, 0
        for index, address in self.addresses:
            if index in connected:
                level = 2
            if port == 0 and isinstance(address, IPv6Address) and address.teredo:
                port = int.from_bytes(address.packed[10:12], "big") ^ 0xFFFF
        for prefix in (ip_network("0.0.0.0/0"), ip_network("::/0")):
            for row in self.routes.get(prefix, {}).values():
                if level == 2 and row.InterfaceIndex in connected:
                    level = 3
        checked("standin_set_hint", level, 0, 0)
        checked("standin_set_teredo", port)

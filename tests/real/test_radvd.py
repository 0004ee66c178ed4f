# SPDX-License-Identifier: MIT
"""radvd on the other end of a link: SLAAC and temporary addresses come, are renewed and go."""

from __future__ import annotations

import queue
import signal
import socket
from ipaddress import ip_address

import pytest

import netioapi
from netioapi import DadState
from tests.linux.model.oracle import ADDRESS_FLAGS
from tests.real.daemons import Daemon, Daemons, find
from tests.real.rooms import Rooms
from tests.real.watched import Watched, watching
from tests.support.waiting import eventually

CONFIG = """
interface p0 {
  AdvSendAdvert on;
  MinRtrAdvInterval 3;
  MaxRtrAdvInterval 4;
  AdvDefaultLifetime 60;
  MinDelayBetweenRAs 3;
  route 2001:db8:77::/48 { AdvRouteLifetime 600; };
  PREFIXES
};
"""
PREFIX = """
  prefix 2001:db8:NUMBER::/64 {
    AdvValidLifetime 3600;
    AdvPreferredLifetime LIFETIME;
    DeprecatePrefix on;
  };
"""
TEMPORARY, DEPRECATED = ADDRESS_FLAGS["temporary"], ADDRESS_FLAGS["deprecated"]
TENTATIVE, MANAGED = ADDRESS_FLAGS["tentative"], ADDRESS_FLAGS["mngtmpaddr"]


class Radvd:
    """radvd in the other network, with these prefixes and their preferred lifetimes."""

    def __init__(self, rooms: Rooms, daemons: Daemons, prefixes: dict[int, int]) -> None:
        self._rooms, self._daemons = rooms, daemons
        self.advertise(prefixes)
        program = find("radvd", "radvd")
        pid, config = daemons.folder / "radvd.pid", daemons.folder / "radvd.conf"
        with rooms.other:
            rooms.other.sysctl("ipv6.conf.all.forwarding", 1)
            arguments = ("--nodaemon", "--logmethod=stderr", f"--pidfile={pid}")
            self.daemon: Daemon = daemons.start("radvd", program, *arguments, "-C", config)

    def advertise(self, prefixes: dict[int, int]) -> None:
        text = "".join(
            PREFIX.replace("NUMBER", str(number)).replace("LIFETIME", str(lifetime))
            for number, lifetime in prefixes.items()
        )
        self._daemons.file("radvd.conf", CONFIG.replace("PREFIXES", text))

    def reload(self, prefixes: dict[int, int]) -> None:
        self.advertise(prefixes)
        self.daemon.process.send_signal(signal.SIGHUP)


def flags_of(watched: Watched, prefix: int) -> list[int]:
    """The flags of the addresses in a prefix, as the Watcher has them."""
    return [
        record["flags"]
        for key, record in watched.known("address").items()
        if str(key[1]).startswith(f"2001:db8:{prefix}:")
    ]


def settled(watched: Watched, prefix: int, flag: int = 0) -> bool:
    """A lasting and a temporary address are there, past duplicate detection, and have the flag."""
    flags = flags_of(watched, prefix)
    kinds = {one & (TEMPORARY | MANAGED) for one in flags}
    return kinds == {TEMPORARY, MANAGED} and all(
        one & (TENTATIVE | DEPRECATED) == flag for one in flags
    )


class StableTable:
    """A registration of the stable table, and the last table that it gave."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._tables: queue.SimpleQueue[netioapi.Table[netioapi.UnicastIpAddressRow]]
        self._tables = queue.SimpleQueue()
        self.last: list[netioapi.UnicastIpAddressRow] = []
        # A table that is stable comes without a registration: so one address is tentative.
        rooms.observed.ip("address add 2001:db8:99::1/64 dev v0")
        table, registration = netioapi.notify_stable_unicast_ip_address_table(
            self._tables.put, socket.AF_INET6
        )
        assert table is None
        assert registration is not None
        self.registration = registration

    def is_right(self) -> bool:
        """Is the last table what `ip` says of the addresses that can be used?"""
        while not self._tables.empty():
            self.last = list(self._tables.get())
            assert not [row for row in self.last if row.dad_state < DadState.DEPRECATED], self.last
        shown = {
            (link["ifname"], ip_address(address["local"]), bool(address.get("deprecated")))
            for link in self._rooms.observed.json("-6 address show")
            for address in link.get("addr_info", ())
            if not address.get("tentative") and not address.get("dadfailed")
        }
        return shown == {
            (row.interface_name, row.address, row.dad_state == DadState.DEPRECATED)
            for row in self.last
        }


def test_autoconfigured_and_temporary_addresses(rooms: Rooms, daemons: Daemons) -> None:
    rooms.observed.sysctl("ipv6.conf.v0.use_tempaddr", 2)
    rooms.observed.sysctl("ipv6.conf.v0.accept_ra_rt_info_max_plen", 64)
    with watching() as watched:
        radvd = Radvd(rooms, daemons, {5: 1800})
        watched.until(lambda: settled(watched, 5), "addresses of a first prefix")
        watched.until(lambda: watched.routes(9) == 2, "a default route and another")
        watched.quiet()
        radvd.reload({5: 1800, 6: 1800})
        watched.until(lambda: settled(watched, 6), "addresses of a second prefix")
        watched.quiet()
        radvd.reload({5: 0, 6: 1800})
        watched.until(lambda: settled(watched, 5, DEPRECATED), "the first prefix deprecated")
        watched.quiet()
        radvd.daemon.stop()
        watched.until(lambda: settled(watched, 6, DEPRECATED), "radvd's end deprecates the second")
        watched.until(lambda: watched.routes(9) == 0, "no router any more")
        watched.quiet()
        radvd = Radvd(rooms, daemons, {5: 1800, 6: 1800})
        watched.until(lambda: settled(watched, 5) and settled(watched, 6), "both prefixes again")
        watched.quiet()
        radvd.daemon.kill()
        rooms.observed.ip("link set v0 down")
        watched.until(lambda: not flags_of(watched, 5) + flags_of(watched, 6), "link down")
        watched.quiet()
        rooms.observed.ip("link set v0 up")
        Radvd(rooms, daemons, {5: 1800, 6: 1800})
        watched.until(lambda: settled(watched, 5) and settled(watched, 6), "after link up")
        watched.quiet()


@pytest.mark.timeout(300)
def test_stable_table_is_right_at_every_quiet_point(rooms: Rooms, daemons: Daemons) -> None:
    """A registration of the stable table alone: no Watcher makes the engine read more."""
    rooms.observed.sysctl("ipv6.conf.v0.use_tempaddr", 2)
    stable = StableTable(rooms)

    def in_prefix(number: int) -> set[DadState]:
        return {
            row.dad_state
            for row in stable.last
            if str(row.address).startswith(f"2001:db8:{number}:")
        }

    def has(number: int, state: DadState) -> bool:
        return stable.is_right() and in_prefix(number) == {state}

    with stable.registration:
        radvd = Radvd(rooms, daemons, {5: 1800})
        eventually(lambda: has(5, DadState.PREFERRED), what="addresses of a first prefix")
        radvd.reload({5: 0, 6: 1800})
        eventually(lambda: has(6, DadState.PREFERRED), what="addresses of a second prefix")
        eventually(lambda: has(5, DadState.DEPRECATED), what="the first prefix deprecated")
        radvd.daemon.kill()
        rooms.observed.ip("link set v0 down")
        eventually(lambda: stable.is_right() and not in_prefix(6), what="link down")
        rooms.observed.ip("link set v0 up")
        Radvd(rooms, daemons, {6: 1800})
        eventually(lambda: has(6, DadState.PREFERRED), what="after link up")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_temporary_addresses_follow_each_other(rooms: Rooms, daemons: Daemons) -> None:
    """With short lifetimes: a new one before the old is deprecated, and the end of the oldest."""
    for name, value in (("use_tempaddr", 2), ("temp_prefered_lft", 12), ("temp_valid_lft", 24)):
        rooms.observed.sysctl(f"ipv6.conf.v0.{name}", value)
    rooms.observed.sysctl("ipv6.conf.v0.max_desync_factor", 0)
    with watching() as watched:
        Radvd(rooms, daemons, {5: 1800})
        follower = watched.followers[0]
        gone: set[object] = set()

        def ended() -> bool:
            gone.update(
                key for kind, key, record in follower.deleted if record.get("flags", 0) & TEMPORARY
            )
            return len(gone) >= 3

        watched.until(ended, "three temporary addresses have come and gone", 240)
        watched.quiet()

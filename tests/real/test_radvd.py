# SPDX-License-Identifier: MIT
"""radvd on the other end of a link: SLAAC and temporary addresses come, are renewed and go."""

from __future__ import annotations

import signal

import pytest

from tests.linux.model.oracle import ADDRESS_FLAGS
from tests.real.daemons import Daemon, Daemons, find
from tests.real.rooms import Rooms
from tests.real.watched import Watched, watching

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

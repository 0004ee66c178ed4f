# SPDX-License-Identifier: MIT
"""BIRD: tables of BGP routes of both families are loaded, flap, get other next hops and vanish."""

from __future__ import annotations

import pytest

from tests.real.bird import Bird, Feed
from tests.real.daemons import Daemons
from tests.real.rooms import Rooms
from tests.real.watched import watching

# IPv4 and IPv6 routes, and seconds that one step may take.
SIZES = [
    pytest.param(6_000, 4_000, 60, id="small", marks=pytest.mark.timeout(300)),
    pytest.param(
        120_000, 80_000, 300, id="full", marks=[pytest.mark.slow, pytest.mark.timeout(1800)]
    ),
]
BIRD = 12  # the number of its routing protocol in the kernel


@pytest.mark.parametrize(("count4", "count6", "seconds"), SIZES)
def test_bgp_tables_of_bird(
    rooms: Rooms, daemons: Daemons, count4: int, count6: int, seconds: float
) -> None:
    feeder, installer = Bird(daemons, "feeder"), Bird(daemons, "installer")
    feed = Feed(daemons, count4, count6)

    def start_feeder() -> None:
        with rooms.other:
            feeder.start(feed.feeder[2])

    with watching() as watched:

        def arrive(what: str, want4: int, want6: int, hop: int = 2) -> None:
            """BIRD has exported so many, and both followers have them."""

            hops = (f"10.0.0.{hop}", f"2001:db8::{hop}")

            def exported() -> bool:
                counts = [installer.exported("kernel4"), installer.exported("kernel6")]
                return counts == [want4, want6] == [watched.routes(BIRD, one) for one in hops]

            watched.until(exported, what, seconds)
            watched.quiet(seconds)

        start_feeder()
        installer.start(feed.installer)
        arrive("the load", count4, count6)

        for name in ("flap4", "flap6"):
            feeder.says(f"disable {name}")
        arrive("a withdrawal", count4 - feed.flap4, count6 - feed.flap6)
        for name in ("flap4", "flap6"):
            feeder.says(f"enable {name}")
        arrive("the return", count4, count6)
        for _ in range(5):
            for name in ("flap4", "flap6"):
                feeder.says(f"restart {name}")
        arrive("five flaps", count4, count6)

        feeder.says(f'configure "{feed.feeder[3]}"')
        arrive("other next hops", count4, count6, 3)
        feeder.says(f'configure "{feed.feeder[2]}"')
        arrive("the first next hops", count4, count6)

        rooms.observed.ip("link set v0 down")
        arrive("link down", 0, 0)
        rooms.observed.ip("link set v0 up")
        arrive("link up", count4, count6)

        assert installer.daemon is not None
        installer.daemon.kill()
        watched.quiet(seconds)
        assert watched.routes(BIRD) == count4 + count6, "a dead BIRD's routes stay"
        installer.start(feed.installer)
        arrive("BIRD after SIGKILL", count4, count6)

        assert feeder.daemon is not None
        feeder.daemon.kill()
        arrive("the peer's SIGKILL", 0, 0)
        start_feeder()
        arrive("the peer again", count4, count6)
        installer.daemon.stop()
        watched.until(lambda: not watched.routes(BIRD), "BIRD's end", seconds)
        watched.quiet(seconds)

# SPDX-License-Identifier: MIT
"""FRR: zebra installs routes through nexthop objects and groups, which shrink, grow and change."""

from __future__ import annotations

import pytest

from tests.linux.model.oracle import Truth
from tests.real.bird import Bird, Feed
from tests.real.daemons import Daemons
from tests.real.frr import Frr
from tests.real.rooms import Rooms
from tests.real.watched import Watched, watching

NUMBERS = {"bgp": 186, "ospf": 188, "static": 196}  # in the kernel, as FRR has them


class Steps:
    """Each step ends when zebra says that it has put so many legs into the kernel, and both
    followers have what the kernel has. That is not always the same: zebra 8.4 reuses a group from
    which the kernel took a nexthop."""

    def __init__(self, frr: Frr, watched: Watched, protocol: str, seconds: float = 60) -> None:
        self._frr, self._watched, self._seconds = frr, watched, seconds
        self._protocol, self._number = protocol, NUMBERS[protocol]

    def arrive(self, what: str, want: int, *, exactly: bool = True) -> Truth:
        """`exactly`: so many has the kernel, too."""
        watched = self._watched
        watched.until(lambda: self._frr.legs(self._protocol) == want, what, self._seconds)
        truth = watched.quiet(self._seconds)
        if exactly:
            watched.until(lambda: self.legs() == want, f"{what}, in the kernel", self._seconds)
            truth = watched.quiet(self._seconds)
        return truth

    def legs(self) -> int:
        """Legs of this protocol's routes as the Watcher has them, each by a nexthop object."""
        for key, record in self._watched.known("route").items():
            assert record["protocol"] != self._number or record["nhid"], (key, record)
        return self._watched.routes(self._number)


def test_static_routes_over_nexthop_groups(rooms: Rooms, daemons: Daemons) -> None:
    rooms.join()
    observed, frr = rooms.observed, Frr(daemons, "frr")
    static = [
        line
        for n in range(20)
        for line in (
            f"ip route 10.{n + 10}.0.0/16 10.0.0.2",
            f"ip route 10.{n + 10}.0.0/16 10.0.1.2",
            f"ipv6 route 2001:db8:{n + 10}::/48 2001:db8:0::2",
            f"ipv6 route 2001:db8:{n + 10}::/48 2001:db8:1::2",
        )
    ]
    third = [
        line
        for n in range(10)
        for line in (
            f"ip route 10.{n + 10}.0.0/16 10.0.0.3",
            f"ipv6 route 2001:db8:{n + 10}::/48 2001:db8:0::3",
        )
    ]
    with watching() as watched:
        steps = Steps(frr, watched, "static")
        frr.start("zebra")
        frr.start("staticd", "\n".join(static))
        truth = steps.arrive("static routes", 80)
        assert any("group" in one for one in truth.nexthops.values()), truth.nexthops
        frr.configure("staticd", *third)
        steps.arrive("a third next hop", 100)
        frr.configure("staticd", *(f"no {line}" for line in third))
        steps.arrive("the third next hop gone", 80)
        for _ in range(2):
            observed.ip("link set v1 down")
            steps.arrive("a link down", 40)
            observed.ip("link set v1 up")
            steps.arrive("the link up", 80, exactly=False)
        with rooms.other:
            rooms.other.ip("link set p1 down")
        steps.arrive("no carrier", 40)
        with rooms.other:
            rooms.other.ip("link set p1 up")
        steps.arrive("a carrier", 80, exactly=False)
        frr.configure("staticd", "ip route 10.99.0.0/16 blackhole", "ipv6 route 2a00::/16 reject")
        steps.arrive("routes to nowhere", 82, exactly=False)
        observed.ip("address del 10.0.1.1/24 dev v1")
        steps.arrive("an address less", 62, exactly=False)
        observed.ip("address add 10.0.1.1/24 dev v1")
        steps.arrive("the address again", 82, exactly=False)

        frr.running["staticd"].kill()
        steps.arrive("SIGKILL of staticd", 0)
        frr.start("staticd", "\n".join(static))
        steps.arrive("staticd again", 80, exactly=False)
        before = steps.legs()
        frr.running["zebra"].kill()
        watched.quiet()
        assert steps.legs() == before, "a dead zebra's routes stay"
        frr.start("zebra")
        steps.arrive("zebra after SIGKILL", 80)
        observed.ip("nexthop flush")
        watched.quiet()
        frr.running["zebra"].stop()
        watched.until(lambda: steps.legs() == 0, "zebra's end")
        watched.quiet()


SIZES = [
    pytest.param(1_000, 60, id="small", marks=pytest.mark.slow),
    pytest.param(40_000, 300, id="full", marks=[pytest.mark.slow, pytest.mark.timeout(1800)]),
]
BGPD = """
router bgp 65001
 bgp router-id 10.0.0.1
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 neighbor peers peer-group
 neighbor peers remote-as 65002
 neighbor peers timers 3 9
 neighbor peers timers connect 1
 neighbor 10.0.0.2 peer-group peers
 neighbor 10.0.1.2 peer-group peers
 address-family ipv4 unicast
  neighbor peers activate
  maximum-paths 4
 exit-address-family
 address-family ipv6 unicast
  neighbor peers activate
  maximum-paths 4
 exit-address-family
"""


@pytest.mark.parametrize(("count", "seconds"), SIZES)
def test_bgp_multipath_over_nexthop_groups(
    rooms: Rooms, daemons: Daemons, count: int, seconds: float
) -> None:
    """Many routes of both families share a group of two nexthops, each on a link of its own."""
    rooms.join()
    frr, feeder = Frr(daemons, "frr"), Bird(daemons, "feeder")
    feed = Feed(daemons, count, count, links=2)
    with watching() as watched:
        steps = Steps(frr, watched, "bgp", seconds)
        with rooms.other:
            feeder.start(feed.feeder[2])
        frr.start("zebra")
        frr.start("bgpd", BGPD)
        steps.arrive("the load", 4 * count)
        feeder.says("disable given1")
        steps.arrive("one peer of two", 2 * count)
        feeder.says("enable given1")
        steps.arrive("both peers", 4 * count)
        feeder.says(f'configure "{feed.feeder[3]}"')
        watched.until(lambda: watched.routes(186, "10.0.0.3", "10.0.1.3") == 2 * count, "new hops")
        steps.arrive("other next hops", 4 * count)
        for name in ("flap4", "flap6"):
            feeder.says(f"restart {name}")
        watched.quiet(seconds)
        steps.arrive("a flap", 4 * count)
        rooms.observed.ip("link set v1 down")
        steps.arrive("a link down", 2 * count)
        rooms.observed.ip("link set v1 up")
        steps.arrive("the link up", 4 * count, exactly=False)
        frr.running["bgpd"].kill()
        steps.arrive("SIGKILL of bgpd", 0)


def ospf(link: str) -> str:
    interfaces = "".join(
        f"interface {link}{n}\n ip ospf network point-to-point\n ip ospf hello-interval 1\n"
        " ip ospf dead-interval 3\n"
        for n in range(2)
    )
    return f"{interfaces}router ospf\n timers throttle spf 10 50 100\n network 10.0.0.0/8 area 0\n"


@pytest.mark.slow
def test_ospf_over_two_links(rooms: Rooms, daemons: Daemons) -> None:
    rooms.join()
    with rooms.other:
        for link in range(2):
            rooms.other.ip(f"address del 10.0.{link}.3/24 dev p{link}")
        rooms.other.batch("\n".join(f"address add 10.77.{n}.1/32 dev lo" for n in range(50)))
    frr, peer = Frr(daemons, "frr"), Frr(daemons, "peer")
    with watching() as watched:
        steps = Steps(frr, watched, "ospf")
        frr.start("zebra")
        frr.start("ospfd", ospf("v"))
        with rooms.other:
            peer.start("zebra")
            peer.start("ospfd", ospf("p"))
        steps.arrive("both ways", 100)
        for _ in range(2):
            with rooms.other:
                rooms.other.ip("link set p1 down")
            steps.arrive("one way", 50)
            with rooms.other:
                rooms.other.ip("link set p1 up")
            steps.arrive("both ways again", 100, exactly=False)
        peer.running["ospfd"].kill()
        steps.arrive("the peer's SIGKILL", 0)

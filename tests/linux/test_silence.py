# SPDX-License-Identifier: MIT
"""Changes that the kernel does not report (each cell of the table of unreported removals), and
their reported counterparts. R, A and I (cases.py) match a route, an address and an interface."""

from __future__ import annotations

import socket

import pytest

import netioapi
from tests.linux.namespace import Namespace
from tests.support.waiting import eventually

from .cases import TABLES, A, Case, I, Player, R, ids, play
from .model.follow import CallbackFollower, Follower, WatcherFollower, quiet, settle
from .model.links import NET

# Longer than the deadline of settle(), whose message says more.
pytestmark = pytest.mark.timeout(150)

# What the cases are made of, on v0 and v1 with the addresses of cases.play():
#   ADD4, ADD6             commands that add routes through v0
#   ROUTES4, ROUTES6       those routes
#   CONNECTED, LOCAL       the kernel's routes for 10.0.0.1/24, and the one for 10.0.0.1 itself
#   ADD_LEGS4, ADD_LEGS6   commands that add a multipath route through v0 and v1
#   NEXTHOPS               commands that add nexthop objects and groups
#   ADD_BY_ONE, _BY_GROUP  commands that add routes by one object, and by a group
#   DOWN, UP               set v0 down and up
#   KEEP                   IPv6 addresses stay on a link that goes down
#   IGNORE                 routes through a link without a carrier are not used
ADD4 = [
    "route add 172.16.0.0/24 via 10.0.0.9",
    "route add 172.16.1.0/24 dev v0",
    "route add 172.16.2.0/24 via 192.0.2.1 dev v0 onlink",
    "route add default via 10.0.0.9",
    "route add 172.16.3.0/24 via 10.0.0.9 table 77",
]
ROUTES4 = [
    R("172.16.0.0/24"),
    R("172.16.1.0/24"),
    R("172.16.2.0/24"),
    R("0.0.0.0/0"),
    R("172.16.3.0/24", table=77),
]
CONNECTED = [R("10.0.0.0/24", "v0", 254), R("10.0.0.255/32", "v0", 255)]
ADD6 = [
    "-6 route add fd01::/64 via fd00:0::9",
    "-6 route add fd02::/64 dev v0 table 77",
    "-6 route add default via fd00:0::9",
]
ROUTES6 = [R("fd01::/64"), R("fd02::/64", table=77), R("::/0")]
LOCAL = R("10.0.0.1/32", "v0", 255)
TWO_LEGS = ["nexthop via 10.0.0.9 dev v0", "nexthop via 10.1.0.9 dev v1 weight 3"]
ADD_LEGS4 = ["route add 172.16.0.0/24 " + " ".join(TWO_LEGS)]
ADD_LEGS6 = ["-6 route add fd01::/64 nexthop via fd00:0::9 dev v0 nexthop via fd00:1::9 dev v1"]
NEXTHOPS = [
    "nexthop add id 1 via 10.0.0.9 dev v0",
    "nexthop add id 2 via 10.1.0.9 dev v1",
    "nexthop add id 10 group 1/2",
    "nexthop add id 101 via fd00:0::9 dev v0",
    "nexthop add id 102 via fd00:1::9 dev v1",
    "nexthop add id 110 group 101/102",
]
ADD_BY_ONE = ["route add 172.16.0.0/24 nhid 1", "-6 route add fd01::/64 nhid 101"]
ADD_BY_GROUP = ["route add 172.16.1.0/24 nhid 10", "-6 route add fd02::/64 nhid 110"]
COMPAT_0 = ["sysctl ipv4.nexthop_compat_mode 0"]
DOWN, UP = "link set v0 down", "link set v0 up"
KEEP = "sysctl ipv6.conf.all.keep_addr_on_down 1"
IGNORE = [f"sysctl ipv{f}.conf.all.ignore_routes_with_linkdown 1" for f in (4, 6)]

CASES = [
    Case("link down", [*ADD4, *ADD6], [DOWN], [*ROUTES4, *CONNECTED, *ROUTES6],
         [I("v0", 4, connected=False)], [LOCAL, A("10.0.0.1"), I("v0", 4), I("v0", 6)]),
    Case("link down: ipv6 addresses go", [], [DOWN], [A("fd00:0::1"), R("fd00:0::/64", "v0")]),
    Case("link down: ipv6 addresses are kept", [KEEP], [DOWN], [], [], [A("fd00:0::1")]),
    Case("link up again", [*ADD4, *ADD6, DOWN], [UP], [],
         [*CONNECTED, R("ff00::/8", "v0", 255), R("fe80::/64", "v0")]),
    Case("link down and up at once", [*ADD4, *ADD6], [DOWN, UP], [*ROUTES4, *ROUTES6],
         [*CONNECTED, A("10.0.0.1")]),
    Case("link deleted", [*ADD4, *ADD6], ["link delete v0"],
         [*ROUTES4, *CONNECTED, *ROUTES6, LOCAL, A("10.0.0.1"), A("fd00:0::1"),
          I("v0", 4), I("v0", 6), I("p0", 4)]),
    Case("link moved away", [*ADD4, *ADD6], ["link set v0 netns OTHER"],
         [*ROUTES4, *CONNECTED, *ROUTES6, LOCAL, A("10.0.0.1"), A("fd00:0::1"),
          I("v0", 4), I("v0", 6)], [I("p0", 4)]),
    Case("link moved away and back", [*ADD4],
         ["link set v0 netns OTHER", "other:link set v0 netns HERE"],
         [*ROUTES4, LOCAL, A("10.0.0.1")], [I("v0", 4), I("v0", 6)]),
    Case("carrier lost", [*ADD4, *ADD6], ["link set p0 down"], [],
         [R("172.16.0.0/24", flags=16), R("172.16.3.0/24", flags=16), R("fd01::/64", flags=16),
          I("v0", 4, connected=False)]),
    Case("carrier back", [*ADD4, *ADD6, "link set p0 down"], ["link set p0 up"], [],
         [R("172.16.0.0/24", flags=0), R("fd01::/64", flags=0), I("v0", 4, connected=True)]),
    Case("carrier lost and its routes ignored", [*IGNORE, *ADD4, *ADD6], ["link set p0 down"],
         [R("172.16.0.0/24"), R("fd01::/64")]),
    Case("carrier back and its routes used again", [*IGNORE, *ADD4, *ADD6, "link set p0 down"],
         ["link set p0 up"], [], [R("172.16.0.0/24", flags=0), R("fd01::/64", flags=0)]),
    Case("routes ignored while the carrier is lost", [*ADD4, *ADD6, "link set p0 down"], IGNORE,
         [R("172.16.0.0/24"), R("172.16.3.0/24"), R("fd01::/64")], [I("v0", 4)]),
    Case("routes of one link ignored while its carrier is lost", [*ADD4, *ADD6, "link set p0 down"],
         [one.replace("all", "v0") for one in IGNORE], [R("172.16.0.0/24"), R("fd01::/64")]),
    Case("routes no longer ignored", [*ADD4, *ADD6, "link set p0 down", *IGNORE],
         [one.replace(" 1", " 0") for one in IGNORE], [],
         [R("172.16.0.0/24", flags=16), R("172.16.3.0/24"), R("fd01::/64", flags=16)]),
    Case("one ipv4 address of several deleted",
         ["address add 10.7.0.1/24 dev v0", "route add 172.16.0.0/24 via 10.7.0.9",
          "route add 172.16.1.0/24 dev v1 src 10.7.0.1"],
         ["address delete 10.7.0.1/24 dev v0"],
         [A("10.7.0.1"), R("10.7.0.0/24"), R("10.7.0.255/32"), R("10.7.0.1/32"),
          R("172.16.1.0/24")], [R("172.16.0.0/24")]),
    Case("last ipv4 address deleted", ADD4, ["address delete 10.0.0.1/24 dev v0"],
         [A("10.0.0.1"), LOCAL, *CONNECTED, *ROUTES4], [A("10.1.0.1")]),
    Case("ipv6 address deleted",
         ["address add fd00:7::1/64 dev v0 nodad", "-6 route add fd01::/64 dev v0 src fd00:7::1"],
         ["address delete fd00:7::1/64 dev v0"],
         [A("fd00:7::1"), R("fd00:7::/64"), R("fd00:7::1/128")],
         [R("fd01::/64", prefsrc=None)]),
    Case("nexthops deleted", [*NEXTHOPS, *ADD_BY_ONE],
         ["nexthop delete id 1", "nexthop delete id 101"], [R("172.16.0.0/24"), R("fd01::/64")]),
    Case("nexthops deleted, compat 0", [*COMPAT_0, *NEXTHOPS, *ADD_BY_ONE],
         ["nexthop delete id 1", "nexthop delete id 101"], [R("172.16.0.0/24"), R("fd01::/64")]),
    Case("groups deleted", [*NEXTHOPS, *ADD_BY_GROUP],
         ["nexthop delete id 10", "nexthop delete id 110"], [R("172.16.1.0/24"), R("fd02::/64")]),
    Case("groups deleted, compat 0", [*COMPAT_0, *NEXTHOPS, *ADD_BY_GROUP],
         ["nexthop delete id 10", "nexthop delete id 110"], [R("172.16.1.0/24"), R("fd02::/64")]),
    *(
        Case(f"the last leg of a group has a weight in ipv6 only, compat {mode}",
             [f"sysctl ipv4.nexthop_compat_mode {mode}", *NEXTHOPS[:2], *NEXTHOPS[3:5],
              "nexthop add id 10 group 1,3/2", "nexthop add id 110 group 101,3/102", *ADD_BY_GROUP],
             ["nexthop delete id 2", "nexthop delete id 102"],
             [R("172.16.1.0/24", "v1"), R("fd02::/64", "v1")],
             [R("172.16.1.0/24", "v0", weight=1), R("fd02::/64", "v0", weight=3)])
        for mode in (1, 0)
    ),
    *(
        Case(f"link down with nexthop objects, compat {mode}",
             [f"sysctl ipv4.nexthop_compat_mode {mode}", *NEXTHOPS, *ADD_BY_ONE, *ADD_BY_GROUP],
             [DOWN],
             [R("172.16.0.0/24"), R("fd01::/64"), R("172.16.1.0/24", "v0"), R("fd02::/64", "v0")],
             [R("172.16.1.0/24", "v1"), R("fd02::/64", "v1")])
        for mode in (1, 0)
    ),
    Case("one leg's link down", [*ADD_LEGS4, *ADD_LEGS6], [DOWN],
         [R("172.16.0.0/24", "v0"), R("fd01::/64", "v0")],
         [R("172.16.0.0/24", "v1", weight=3), R("fd01::/64", "v1")]),
    Case("one leg's link up again", [*ADD_LEGS4, "link set v0 down"], [UP], [],
         [R("172.16.0.0/24", "v0"), R("172.16.0.0/24", "v1")]),
    Case("one ipv6 leg's link up again", [KEEP, *ADD_LEGS6, "link set v0 down"], [UP], [],
         [R("fd01::/64", "v0"), R("fd01::/64", "v1")]),
    Case("every leg's link down", [*ADD_LEGS4, *ADD_LEGS6], [DOWN, "link set v1 down"],
         [R("172.16.0.0/24"), R("fd01::/64")]),
    Case("one leg's device deleted", [*ADD_LEGS4, *ADD_LEGS6], ["link delete v0"],
         [R("172.16.0.0/24"), R("fd01::/64", "v0")], [R("fd01::/64", "v1")]),
    *(
        Case(f"fib_notify_on_flag_change is no help, {value}",
             [f"sysctl ipv4.fib_notify_on_flag_change {value}",
              f"sysctl ipv6.fib_notify_on_flag_change {value}", *ADD4, *ADD6], [DOWN],
             [*ROUTES4, *ROUTES6])
        for value in (0, 1)
    ),
    Case("flush of a table", [*ADD4, *ADD6], ["route flush table 77", "-6 route flush table 77"],
         [R("172.16.3.0/24"), R("fd02::/64")], [R("172.16.0.0/24")]),
    Case("explicit deletes", [*ADD4, *ADD6],
         ["route delete 172.16.0.0/24", "-6 route delete fd01::/64"],
         [R("172.16.0.0/24"), R("fd01::/64")], [], changes=2),
    Case("lo down", ["route add 172.16.0.0/24 dev lo"], ["link set lo down"],
         [R("172.16.0.0/24"), R("127.255.255.255/32"), R("::1/128"), A("::1")]),
    Case("disable_ipv6", ADD6, ["sysctl ipv6.conf.v0.disable_ipv6 1"],
         [*ROUTES6, A("fd00:0::1"), I("v0", 6)], [I("v0", 4), A("10.0.0.1")]),
    Case("disable_ipv6 ended", ["sysctl ipv6.conf.v0.disable_ipv6 1"],
         ["sysctl ipv6.conf.v0.disable_ipv6 0"], [], [I("v0", 6), R("fe80::/64", "v0")]),
    Case("mtu below 1280", ADD6, ["link set v0 mtu 1200"],
         [*ROUTES6, A("fd00:0::1"), I("v0", 6)], [I("v0", 4, mtu=1200), A("10.0.0.1")]),
    Case("mtu enough again", ["link set v0 mtu 1200"], ["link set v0 mtu 1400"], [],
         [I("v0", 6, mtu=1400), I("v0", 4, mtu=1400)]),
]  # fmt: skip


@pytest.mark.parametrize("case", ids(CASES))
def test_unreported_change_leads_to_the_kernels_state(
    case: Case, player: Player, netns: Namespace
) -> None:
    player.result(case)


@pytest.mark.real
def test_ipv6_routes_removed_without_notification_are_found(
    netns: Namespace, other_netns: Namespace
) -> None:
    if not (NET / "ipv6/route/skip_notify_on_dev_down").exists():
        pytest.skip("only the machine's root may set skip_notify_on_dev_down: NETIOAPI_REAL_ROOT=1")
    silent = "sysctl ipv6.route.skip_notify_on_dev_down 1"
    gone = [*ROUTES6, A("fd00:0::1"), R("fe80::/64", "v0")]
    play(Case("down", [silent, *ADD6], [DOWN], gone), netns, other_netns)


@pytest.mark.parametrize("family", [4, pytest.param(6, marks=pytest.mark.slow)])
def test_dump_that_starts_before_the_removal_is_repeated(netns: Namespace, family: int) -> None:
    """The kernel reports that a link goes down before it removes the routes: a dump at once would
    still show them (the more routes, the more often)."""
    netns.veth()
    netns.ip("address add 10.0.0.1/24 dev v0")
    netns.ip("address add fd00::1/64 dev v0 nodad")
    hop, stem = ("10.0.0.9", "172.16.{}.{}") if family == 4 else ("fd00::9", "fd01:{}::{}")
    names = [stem.format(n // 250, n % 250 + 1) for n in range(5000)]
    with WatcherFollower(TABLES) as watcher, CallbackFollower() as callbacks:
        followers: list[Follower] = [watcher, callbacks]
        for _ in range(3):
            netns.ip("link set v0 up")
            if not netns.json("-6 address show dev v0 scope global"):
                netns.ip("address add fd00::1/64 dev v0 nodad")
            netns.batch("\n".join(f"route add {name} via {hop} dev v0" for name in names))
            settle(followers)
            for follower in followers:
                follower.counts.clear()
            netns.ip("link set v0 down")
            settle(followers)
            quiet(followers)
            for follower in followers:
                gone = sum(n for what, n in follower.counts.items() if what.startswith("DELETE"))
                assert gone >= len(names)


LIVES = "valid_lft 900 preferred_lft 900"


@pytest.mark.parametrize(
    ("before", "command", "immortal"),
    [
        ([f"address add fd05::1/64 dev v0 nodad {LIVES}"], "address add fd05::2/64 dev v0 nodad",
         True),
        ([f"address add fd05::1/64 dev v0 nodad {LIVES}"],
         "address change fd05::1/64 dev v0 valid_lft forever preferred_lft forever", True),
        (["address add fd05::1/64 dev v0 nodad"], f"address change fd05::1/64 dev v0 {LIVES}",
         False),
        (["address add fd05::1/64 dev v0 nodad", f"address add fd05::2/64 dev v0 nodad {LIVES}"],
         "address change fd05::1/64 dev v0 noprefixroute", False),
    ],
    ids=["one that stays joins", "it stays from now on", "it expires from now on",
         "the one that stays has none any more"],
)  # fmt: skip
def test_prefix_route_is_immortal_while_one_of_its_addresses_is(
    netns: Namespace, before: list[str], command: str, immortal: bool
) -> None:
    netns.veth()
    for one in before:
        netns.ip(one)
    last: dict[bytes, netioapi.IpForwardRow] = {}

    def is_so(wanted: bool) -> bool:
        while (batch := watcher.read(timeout=0)) is not None:
            for change in batch:
                assert isinstance(change.row, netioapi.IpForwardRow)
                last[change.row.key] = change.row
        return [row.immortal for row in last.values()] == [wanted]

    exactly = {"prefixes": ["fd05::/64"], "prefix_match": "exact"}
    with netioapi.Watcher("route", snapshot=True, **exactly) as watcher:
        eventually(lambda: is_so(not immortal))
        netns.ip(command)
        eventually(lambda: is_so(immortal))


def test_reachable_times_of_a_family_that_starts_later_become_known(netns: Namespace) -> None:
    netns.veth()
    netns.ip("link set v0 mtu 1200")  # too small for IPv6
    with netioapi.Watcher("interface", family=socket.AF_INET6, interfaces=["v0"]) as watcher:
        netns.ip("link set v0 mtu 1500")
        times: list[int | None] = []

        def are_known() -> bool:
            while (batch := watcher.read(timeout=0)) is not None:
                for change in batch:
                    assert isinstance(change.row, netioapi.IpInterfaceRow)
                    times.append(change.row.base_reachable_time)
            return bool(times) and bool(times[-1])

        eventually(are_known)

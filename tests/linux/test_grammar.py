# SPDX-License-Identifier: MIT
"""The messages of the kernel for each change: replaced, appended, with another metric, promoted,
renamed, expired. One case for each fact; `changes` counts where a message is not one change. R, A
and I (cases.py) match a route, an address and an interface."""

from __future__ import annotations

import pytest

from tests.linux.namespace import Namespace

from .cases import A, Case, I, Player, R, ids
from .model.oracle import ADDRESS_FLAGS, PERMANENT, plain

# Longer than the deadline of settle(), whose message says more.
pytestmark = pytest.mark.timeout(150)

X, Y = "172.16.0.0/24", "fd01::/64"
ADD4, ADD6 = f"route add {X} via 10.0.0.9", f"-6 route add {Y} via fd00:0::9"
SOURCE = "fd09::/64"
FROM = f"-6 route add {Y} from {SOURCE} via fd00:0::9"
ECMP6 = f"-6 route add {Y} nexthop via fd00:0::9 nexthop via fd00:1::9"
NEXTHOPS = [
    "nexthop add id 1 via 10.0.0.9 dev v0",
    "nexthop add id 2 via 10.1.0.9 dev v1",
    "nexthop add id 10 group 1,3/2",
    "nexthop add id 101 via fd00:0::9 dev v0",
    "nexthop add id 102 via fd00:1::9 dev v1",
    "nexthop add id 110 group 101,3/102",
]
BY_ONE = [f"route add {X} nhid 1", f"-6 route add {Y} nhid 101"]
BY_GROUP = [f"route add {X} nhid 10", f"-6 route add {Y} nhid 110"]
DADFAILED = ADDRESS_FLAGS["dadfailed"] | ADDRESS_FLAGS["tentative"] | PERMANENT
DEPRECATED = ADDRESS_FLAGS["deprecated"]
SECONDARY = ADDRESS_FLAGS["secondary"] | PERMANENT
THREE = [f"address add 10.7.0.{n}/24 dev v0" for n in (1, 2, 3)]
SHORT = "valid_lft 2 preferred_lft 1"


def compat(mode: int) -> str:
    return f"sysctl ipv4.nexthop_compat_mode {mode}"


CASES = [
    Case("ipv4 added", [], [ADD4], [], [R(X, "v0", hop="10.0.0.9")], changes=1),
    Case("ipv4 replaced: the first of its key goes",
         [ADD4, f"route append {X} via 10.0.0.8"], [f"route replace {X} via 10.0.0.7"],
         [R(X, hop="10.0.0.9")], [R(X, hop="10.0.0.7"), R(X, hop="10.0.0.8")], changes=2),
    Case("ipv4 replaced by the same", [ADD4], [f"route replace {X} via 10.0.0.9"], changes=0),
    Case("ipv4 replace that creates", [], [f"route replace {X} via 10.0.0.9"], [], [R(X)],
         changes=1),
    Case("ipv4 replaced, only its protocol", [ADD4], [f"route replace {X} via 10.0.0.9 proto bgp"],
         [R(X, protocol=3)], [R(X, protocol=186)], changes=2),
    Case("ipv4 replaced, only its MTU", [ADD4], [f"route replace {X} via 10.0.0.9 mtu 1300"],
         [R(X, route_mtu=0)], [R(X, route_mtu=1300)], [R(X)], changes=1),
    Case("ipv4 replaced, only its advertised MSS", [ADD4],
         [f"route replace {X} via 10.0.0.9 advmss 1200"], [], [], [R(X)], changes=1),
    Case("ipv6 replaced, only its preference", [ADD6],
         [f"-6 route replace {Y} via fd00:0::9 pref high"],
         [R(Y, preference=0)], [R(Y, preference=1)], [R(Y)], changes=1),
    Case("ipv4 changed", [ADD4], [f"route change {X} via 10.1.0.9"], [R(X, "v0")], [R(X, "v1")],
         changes=2),
    Case("ipv4 prepended", [ADD4], [f"route prepend {X} via 10.0.0.8"], [],
         [R(X, hop="10.0.0.9"), R(X, hop="10.0.0.8")], changes=1),
    Case("ipv4 replaced after a prepend", [ADD4, f"route prepend {X} via 10.0.0.8"],
         [f"route replace {X} via 10.0.0.7"], [R(X, hop="10.0.0.8")],
         [R(X, hop="10.0.0.7"), R(X, hop="10.0.0.9")], changes=2),
    Case("ipv4 replaced by what a later one was", [ADD4, f"route append {X} via 10.0.0.8 proto 44"],
         [f"route replace {X} via 10.0.0.8 proto 45"], [R(X, hop="10.0.0.9")], [R(X)]),
    Case("ipv4 with another metric", [ADD4], [f"{ADD4} metric 50"], [],
         [R(X, metric=0), R(X, metric=50)], changes=1),
    Case("ipv4 with a tos", [ADD4], [f"route add {X} tos 0x10 via 10.0.0.9"], [],
         [R(X, tos=0), R(X, tos=16)], changes=1),
    Case("ipv4 two of two protocols, the first deleted",
         [ADD4, f"route append {X} via 10.0.0.9 proto 44"], [f"route delete {X} proto boot"],
         [R(X, protocol=3)], [], [R(X, protocol=44)], changes=1),
    Case("ipv4 two of two protocols, the last deleted",
         [ADD4, f"route append {X} via 10.0.0.9 proto 44"], [f"route delete {X} proto 44"],
         [R(X, protocol=44)], [], [R(X, protocol=3)], changes=1),
    Case("ipv4 two of two protocols, both deleted",
         [ADD4, f"route append {X} via 10.0.0.9 proto 44"],
         [f"route delete {X}", f"route delete {X}"], [R(X)]),
    Case("ipv4 two of one identity, the first by a nexthop",
         [NEXTHOPS[0], f"route add {X} nhid 1", f"route append {X} via 10.0.0.9"],
         [f"route delete {X} nhid 1"], [R(X, nhid=1, instances=2)], [R(X, nhid=0, instances=1)],
         [R(X)]),
    Case("ipv4 two of one identity, the last by a nexthop",
         [NEXTHOPS[0], ADD4, f"route append {X} nhid 1"],
         [f"route delete {X} nhid 1"], [R(X, nhid=0, instances=2)], [R(X, nhid=0, instances=1)],
         [R(X)], changes=1),
    Case("ipv4 two of one identity, the first by a group",
         [*NEXTHOPS[:3], f"route add {X} nhid 10", f"route append {X} via 10.1.0.9"],
         [f"route delete {X} nhid 10"], [R(X, "v0"), R(X, "v1", nhid=10)], [R(X, "v1", nhid=0)]),
    Case("ipv4 deleted, named vaguely", [f"{ADD4} metric 50", f"{ADD4} metric 40"],
         [f"route delete {X}"], [R(X, metric=40)], [R(X, metric=50)], changes=1),
    Case("ipv4 multipath replaced by one leg",
         [f"route add {X} nexthop via 10.0.0.9 nexthop via 10.1.0.9"],
         [f"route replace {X} via 10.1.0.9"], [R(X, "v0")], [R(X, "v1")], changes=1),
    Case("ipv4 multipath, other weights",
         [f"route add {X} nexthop via 10.0.0.9 weight 2 nexthop via 10.1.0.9"],
         [f"route replace {X} nexthop via 10.0.0.9 weight 5 nexthop via 10.1.0.9"],
         [R(X, weight=2)], [R(X, weight=5)], changes=1),
    Case("ipv4 through an ipv6 gateway", [], [f"route add {X} via inet6 fd00:0::9 dev v0"], [],
         [R(X, "v0", hop="fd00:0::9")], changes=1),
    *(
        Case(f"{kind}", [],
             [f"route add {kind} {X}", f"-6 route add {kind} {Y}"], [],
             [R(X, "lo", type=number), R(Y, "lo", type=number)], changes=2)
        for kind, number in (("blackhole", 6), ("unreachable", 7), ("prohibit", 8), ("throw", 9))
    ),
    Case("ipv6 replaced", [ADD6], [f"-6 route replace {Y} via fd00:1::9"], [R(Y, "v0")],
         [R(Y, "v1")], changes=2),
    Case("ipv6 set of legs replaced by one", [ECMP6], [f"-6 route replace {Y} via fd00:0::8"],
         [R(Y, hop="fd00:0::9"), R(Y, "v1")], [R(Y, "v0")], changes=3),
    Case("ipv6 leg appended", [ADD6], [f"-6 route append {Y} via fd00:1::9"], [],
         [R(Y, "v0"), R(Y, "v1")], changes=1),
    Case("ipv6 leg deleted", [ECMP6], [f"-6 route delete {Y} via fd00:1::9"], [R(Y, "v1")],
         [R(Y, "v0")], changes=1),
    Case("ipv6 all legs deleted", [ECMP6], [f"-6 route delete {Y}"], [R(Y)], [], changes=2),
    Case("ipv6 from a source", [ADD6], [FROM], [], [R(Y, source=SOURCE)], [R(Y, source=None)],
         changes=1),
    Case("ipv6 from a source alone", [], [FROM], [], [R(Y, source=SOURCE)], changes=1),
    Case("ipv6 from a source, deleted", [ADD6, FROM], [FROM.replace("add", "delete")],
         [R(Y, source=SOURCE)], [], [R(Y, source=None)], changes=1),
    Case("ipv6 through a link-local gateway", [], [f"-6 route add {Y} via fe80::9 dev v0"], [],
         [R(Y, "v0", hop="fe80::9")], changes=1),
    Case("one leg twice, of two weights", [],
         [f"route add {X} nexthop via 10.0.0.9 nexthop via 10.0.0.9 weight 3"], [],
         [R(X, "v0", weight=1)]),
    Case("replaced by one leg twice", [ADD4],
         [f"route replace {X} nexthop via 10.0.0.9 nexthop via 10.0.0.9 weight 3"], [],
         [R(X, "v0", weight=1)]),
    Case("ipv6 leg of another protocol: the first leg's is said of all", [ADD6],
         [f"-6 route append {Y} via fd00:1::9 proto 44"], [],
         [R(Y, "v0", protocol=3), R(Y, "v1", protocol=3)]),
    Case("ipv6 leg of another protocol, alone again",
         [ADD6],
         [f"-6 route append {Y} via fd00:1::9 proto 44", f"-6 route delete {Y} via fd00:0::9"],
         [R(Y, "v0")], [R(Y, "v1", protocol=44)]),
    Case("ipv6 two of one identity, one by a nexthop", [NEXTHOPS[3], ADD6],
         [f"-6 route append {Y} nhid 101", f"-6 route delete {Y} nhid 101"], [],
         [R(Y, "v0", nhid=0)]),
    Case("ipv6 leg of another protocol, of a dumped set, alone again",
         [ADD6, f"-6 route append {Y} via fd00:1::9 proto 44"],
         [f"-6 route delete {Y} via fd00:0::9"],
         [R(Y, "v0")], [R(Y, "v1", protocol=44)]),
    Case("ipv6 leg that a table hid is seen",
         [ADD6, f"-6 route append {Y} dev v1", f"-6 route append {Y} via fd00:1::9"],
         [f"-6 route delete {Y} via fd00:1::9"],
         [R(Y, "v1", hop="fd00:1::9")], [R(Y, "v1", hop=None)], [R(Y, "v0")]),
    Case("ipv6 two of one identity, of two encapsulations", [],
         [f"-6 route add {Y} encap seg6 mode encap segs fc00::1 dev v0",
          f"-6 route append {Y} encap seg6 mode encap segs fc00::2 dev v0",
          f"-6 route delete {Y}"], [], [R(Y, "v0")]),
    Case("nexthop replaced that the second of one identity uses, compat 0",
         [compat(0), NEXTHOPS[0], ADD4, f"route append {X} nhid 1"],
         ["nexthop replace id 1 via 10.1.0.8 dev v1"],
         [], [R(X, "v1", nhid=1)], [R(X, "v0", nhid=0)]),
    Case("one leg twice", [], [f"route add {X} nexthop via 10.0.0.9 nexthop via 10.0.0.9"], [],
         [R(X, "v0")]),
    Case("fe80::/64 once on each link", [], [], [], [R("fe80::/64", "v0"), R("fe80::/64", "v1")]),
    *(
        case
        for mode in (1, 0)
        for case in (
            Case(f"by nexthop, compat {mode}", [compat(mode), *NEXTHOPS], [*BY_ONE], [],
                 [R(X, "v0", hop="10.0.0.9", nhid=1), R(Y, "v0", hop="fd00:0::9", nhid=101)],
                 changes=2),
            Case(f"by group, compat {mode}", [compat(mode), *NEXTHOPS], [*BY_GROUP], [],
                 [R(X, "v0", weight=3, nhid=10), R(X, "v1"), R(Y, "v0", weight=3), R(Y, "v1")],
                 changes=4),
            Case(f"nexthop replaced, compat {mode}", [compat(mode), *NEXTHOPS, *BY_ONE],
                 ["nexthop replace id 1 via 10.1.0.8 dev v1",
                  "nexthop replace id 101 via fd00:1::8 dev v1"],
                 [R(X, "v0"), R(Y, "v0")], [R(X, "v1"), R(Y, "v1")], changes=4),
            Case(f"group replaced, compat {mode}", [compat(mode), *NEXTHOPS, *BY_GROUP],
                 ["nexthop replace id 10 group 2,7", "nexthop replace id 110 group 102,7"],
                 [R(X, "v0"), R(Y, "v0")], [R(X, "v1"), R(Y, "v1")]),
            Case(f"group shrinks to one, compat {mode}", [compat(mode), *NEXTHOPS, *BY_GROUP],
                 ["nexthop delete id 1", "nexthop delete id 101"],
                 [R(X, "v0"), R(Y, "v0")], [R(X, "v1"), R(Y, "v1")], changes=2),
            Case(f"member of a group replaced, compat {mode}", [compat(mode), *NEXTHOPS, *BY_GROUP],
                 ["nexthop replace id 2 via 10.0.0.7 dev v0",
                  "nexthop replace id 102 via fd00:0::7 dev v0"],
                 [R(X, "v1"), R(Y, "v1")], [R(X, hop="10.0.0.7"), R(Y, hop="fd00:0::7")]),
            Case(f"blackhole by nexthop, compat {mode}",
                 [compat(mode), "nexthop add id 90 blackhole"], [f"route add {X} nhid 90"], [],
                 [R(X, "lo")], changes=1),
        )
    ),
    Case("nexthop compat mode itself changes nothing", [*NEXTHOPS, *BY_GROUP],
         [compat(0), compat(1)], [], [R(X, "v0"), R(Y, "v1")], changes=0),
    Case("metric of an ipv4 address", [], ["address change 10.0.0.1/24 dev v0 metric 99"],
         [R("10.0.0.0/24", metric=0)], [R("10.0.0.0/24", metric=99)], [A("10.0.0.1")], changes=3),
    Case("metric of an ipv6 address", [], ["address change fd00:0::1/64 dev v0 metric 99"],
         [R("fd00:0::/64", metric=256)], [R("fd00:0::/64", metric=99)]),
    Case("secondaries go with their primary", THREE, ["address delete 10.7.0.1/24 dev v0"],
         [A("10.7.0.1"), A("10.7.0.2"), A("10.7.0.3"), R("10.7.0.0/24")], [A("10.0.0.1")]),
    Case("secondaries are promoted", ["sysctl ipv4.conf.v0.promote_secondaries 1", *THREE],
         ["address delete 10.7.0.1/24 dev v0"], [A("10.7.0.1"), R("10.7.0.1/32")],
         [A("10.7.0.2", flags=PERMANENT), A("10.7.0.3", flags=SECONDARY),
          R("10.7.0.0/24", prefsrc=plain("10.7.0.2"))]),
    Case("address with a peer", [], ["address add 10.8.0.1 peer 10.8.0.2/32 dev v0"], [],
         [A("10.8.0.1"), R("10.8.0.2/32", "v0")]),
    Case("address replaced by the same", [], ["address replace 10.0.0.1/24 dev v0"], changes=0),
    Case("address deprecated", [],
         [f"address change {a} dev v0 valid_lft 99 preferred_lft 0"
          for a in ("10.0.0.1/24", "fd00:0::1/64")], [],
         [A("10.0.0.1", flags=DEPRECATED, valid_forever=False),
          A("fd00:0::1", flags=DEPRECATED)]),
    Case("ipv4 address that expires", [f"address add 10.7.0.1/24 dev v0 {SHORT}"], [],
         [A("10.7.0.1"), R("10.7.0.0/24")]),
    Case("ipv6 address that expires", [f"address add fd00:7::1/64 dev v0 nodad {SHORT}"], [],
         [A("fd00:7::1")]),
    Case("address that is a duplicate",
         ["sysctl ipv6.conf.p0.accept_dad 1", "address add fd00:7::1/64 dev v0 nodad"],
         ["address add fd00:7::1/64 dev p0"], [], [A("fd00:7::1", flags=DADFAILED)]),
    # The kernel gives the label of an IPv4 address the new name.
    Case("renamed", [ADD4, ADD6], ["link set v0 name w0"], [],
         [I("v0", 4, name="w0"), I("v0", 6, name="w0"), A("10.0.0.1", label="w0")],
         stay=[I("v0", 4), I("v0", 6), R(X, "v0"), A("10.0.0.1")], changes=3),
    Case("into a bridge", ["link add br0 type bridge"], ["link set p0 master br0"], [],
         [], [I("p0", 4), I("p0", 6)]),
    Case("out of a bridge", ["link add br0 type bridge", "link set p0 master br0"],
         ["link set p0 nomaster"], [], [I("p0", 4, master=0), I("p0", 6, master=0)],
         [I("p0", 4), I("p0", 6)]),
    Case("forwarding of one link", [], ["sysctl ipv4.conf.v0.forwarding 1",
         "sysctl ipv6.conf.v1.forwarding 1"], [],
         [I("v0", 4, forwarding=True), I("v1", 6, forwarding=True), I("v1", 4, forwarding=False)]),
    Case("forwarding of all links", [], ["sysctl ipv4.ip_forward 1"], [],
         [I(name, 4, forwarding=True) for name in ("lo", "v0", "p0")]),
    Case("a rule parts main and local", [ADD4],
         ["rule add from 192.0.2.99 table 77", "rule delete from 192.0.2.99 table 77"], [],
         [R(X), R("10.0.0.1/32", table=255)], changes=0),
]  # fmt: skip


@pytest.mark.parametrize("case", ids(CASES))
def test_reported_change_leads_to_the_kernels_state(
    case: Case, player: Player, netns: Namespace
) -> None:
    player.result(case)

# SPDX-License-Identifier: MIT
"""Moves on routes that differ in little: in an attribute without a field, in the protocol, the
type, the source prefix or the encapsulation; and on the sets of one IPv6 prefix."""

from __future__ import annotations

from typing import Any

from .routes import _prefix_of, _via
from .world import World, move

ATTRIBUTES = {
    4: [
        *("mtu 1300", "mtu lock 1400", "advmss 1000", "advmss 1100", "realm 3", "realm 4/5"),
        *("congctl reno", "initcwnd 20", "rtt 30ms", "hoplimit 9", "quickack 1", "window 900"),
    ],
    6: [
        *("mtu 1300", "mtu 1400", "advmss 1000", "advmss 1100", "congctl reno", "initrwnd 20"),
        *("hoplimit 9", "pref high", "pref low", "pref medium", "features ecn"),
    ],
}
PROTOCOLS = ("boot", "static", "bgp", "44")


def _same_hop(old: dict[str, Any]) -> str:
    hop = f"via {old['gateway']} " if "gateway" in old else ""
    return f"{hop}dev {old['dev']} proto {old['protocol']}"


def _plain(w: World, family: int) -> dict[str, Any] | None:
    """A route with one leg, and nothing of those that this module varies."""
    return w.one(
        route
        for route in w.routes(family, type="1", nexthops=None, nhid=None, via=None, encap=None)
        if "dev" in route
        and "from" not in route
        and not {"linkdown", "onlink"} & set(route["flags"])
    )


@move(2)
def attributes_replace(w: World) -> list[str] | None:
    family = w.random.choice((4, 6))
    old = _plain(w, family)
    words = " ".join(w.some(ATTRIBUTES[family], 3)[: w.random.randint(0, 3)])
    return old and [f"-{family} route replace {_prefix_of(old)} {_same_hop(old)} {words}".strip()]


@move()
def attributes4_change(w: World) -> list[str] | None:
    old, words = _plain(w, 4), w.one(ATTRIBUTES[4])
    return old and [f"-4 route change {_prefix_of(old)} {_same_hop(old)} {words}"]


@move(0.5)
def attributes4_append(w: World) -> list[str] | None:
    """Another route that differs only there."""
    old, words = _plain(w, 4), w.one(ATTRIBUTES[4])
    return old and [f"-4 route append {_prefix_of(old)} {_same_hop(old)} {words}"]


@move()
def protocol_replace(w: World) -> list[str] | None:
    family = w.random.choice((4, 6))
    old, protocol = _plain(w, family), w.random.choice(PROTOCOLS)
    if old is None:
        return None
    return [f"-{family} route replace {_prefix_of(old)} {_same_hop(old)} proto {protocol}"]


@move(0.5)
def type_replace(w: World) -> list[str] | None:
    """Both without a link, so that only the type differs."""
    family = w.random.choice((4, 6))
    types = ("blackhole", "unreachable", "prohibit", "throw")
    old = w.one(r for type_ in "6789" for r in w.routes(family, type=type_))
    return old and [f"-{family} route replace {w.random.choice(types)} {_prefix_of(old)}"]


def _tunnel(w: World, family: int) -> str:
    number = w.random.randint(1, 3)
    kinds = [f"ip id {number} dst 10.0.0.9", f"ip6 id {number} dst fd00::9"]
    if family == 6:
        kinds += [
            f"seg6 mode encap segs fd00::{number}",
            f"seg6 mode encap segs fd00::7,fd00::{number}",
            f"seg6local action End.DX6 nh6 fd00::{number}",
        ]
    return f"encap {w.random.choice(kinds)}"


@move(2)
def encapsulation_add(w: World) -> list[str] | None:
    family = w.random.choice((4, 6))
    name = w.one(w.up)
    if name is None:
        return None
    verb = w.random.choice(("add", "append", "replace"))
    return [f"-{family} route {verb} {w.prefix(family)} {_tunnel(w, family)} dev {name}{w.table()}"]


@move()
def encapsulation_replace(w: World) -> list[str] | None:
    family = w.random.choice((4, 6))
    old = w.one(r for r in w.routes(family, nexthops=None, nhid=None) if "encap" in r)
    tunnel = w.random.choice((_tunnel(w, family), ""))
    return old and [f"-{family} route replace {_prefix_of(old)} {tunnel} {_same_hop(old)}"]


@move()
def encapsulation_of_legs(w: World) -> list[str] | None:
    """Legs with the same gateway differ in the encapsulation alone."""
    family = w.random.choice((4, 6))
    found = w.gateway(family)
    if found is None:
        return None
    legs = {f"nexthop {_tunnel(w, family)} via {found[0]} dev {found[1]}" for _ in range(3)}
    return [f"-{family} route add {w.prefix(family)} {' '.join(sorted(legs))}"]


@move()
def encapsulation_by_nexthop(w: World) -> list[str] | None:
    family = w.random.choice((4, 6))
    found, base = w.gateway(family), 1 if family == 4 else 100
    if found is None:
        return None
    id_, name = base + w.random.randrange(6), found[1]
    return [f"nexthop replace id {id_} {_tunnel(w, family)} via {found[0]} dev {name}"]


@move()
def route6_from_a_prefix(w: World) -> list[str] | None:
    """A source-specific route, beside the one without a source."""
    via, source = _via(w, 6), w.random.choice(("fd09::/64", "fd09:1::/64"))
    if via is None:
        return None
    return [f"-6 route add {w.prefix(6)} from {source} {via}{w.table()}"]


@move(0.7)
def route6_from_a_source(w: World) -> list[str] | None:
    """Its messages look like those of the route without a source."""
    old, via = w.one(w.routes(6, type="1")), _via(w, 6)
    if old is None or via is None:
        return None
    route = f"{old['dst']} from fd09::/64 table {old['table']} metric {old['metric']} {via}"
    return [f"-6 route add {route}", f"-6 route delete {route}"]


@move()
def route6_from_a_prefix_deleted_or_replaced(w: World) -> list[str] | None:
    old, via = w.one(r for r in w.routes(6) if "from" in r), _via(w, 6)
    if old is None or via is None:
        return None
    verb = w.random.choice(("delete", "replace"))
    rest = "" if verb == "delete" else f" {via}"
    return [
        f"-6 route {verb} {old['dst']} from {old['from']} table {old['table']}"
        f" metric {old['metric']}{rest}"
    ]


def _hop6(w: World) -> str | None:
    via, name = _via(w, 6), w.one(w.running())
    id_ = w.one([*w.singles(6), *w.groups(6)])
    choices = [via, via, via, name and f"dev {name}", name and f"dev {name}", id_ and f"nhid {id_}"]
    return w.one({one for one in choices if one})


@move(4)
def set6(w: World) -> list[str] | None:
    """The routes of one prefix: those with gateways are one set, beside which there are routes
    without, and of nexthop objects. The kernel's dump leaves out what lies between two of a set."""
    hop = _hop6(w)
    verb = w.random.choice(("add", "append", "append", "append", "prepend", "replace", "change"))
    protocol = w.random.choice(("boot", "boot", "bgp"))
    return hop and [f"-6 route {verb} fd01:f::/48 metric 6 {hop} proto {protocol}"]


@move(3)
def set6_with_one_between(w: World) -> list[str] | None:
    """A route without a gateway between two of the set, so that the dump does not show it."""
    gateways = sorted({_via(w, 6) for _ in range(8)} - {None})
    name = w.one(w.running())
    if len(gateways) < 2 or name is None:
        return None
    prefix = "fd01:f::/48 metric 6"
    if any(route["dst"] == "fd01:f::/48" for route in w.routes(6)):
        return [f"-6 route replace {prefix} dev {name}"]
    return [
        f"-6 route add {prefix} {gateways[0]}",
        f"-6 route append {prefix} dev {name}",
        f"-6 route append {prefix} {gateways[1]}",
    ]


@move()
def set6_delete(w: World) -> list[str] | None:
    hop = _hop6(w)
    return hop and [f"-6 route delete fd01:f::/48 metric 6 {w.random.choice((hop, ''))}".strip()]


@move(2)
def set4(w: World) -> list[str] | None:
    """Routes of one IPv4 prefix and metric, which the kernel keeps apart."""
    via, name, protocol = _via(w, 4), w.one(w.running()), w.random.choice(("boot", "bgp"))
    verb = w.random.choice(("append", "append", "prepend", "replace", "change"))
    hop = w.one({one for one in (via, name and f"dev {name}") if one})
    return hop and [f"-4 route {verb} 172.16.99.0/24 metric 6 {hop} proto {protocol}"]

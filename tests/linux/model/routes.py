# SPDX-License-Identifier: MIT
"""Moves on routes without nexthop objects: with one leg and with several, in several tables."""

from __future__ import annotations

from typing import Any

from .world import OTHERS, World, move


def _prefix_of(route: dict[str, Any], *, metric: bool = True) -> str:
    """The words by which `ip` finds this route."""
    words = [route["dst"], "table", route["table"]]
    if int(route.get("tos", "0"), 0):
        words += ["tos", route["tos"]]
    if metric and "metric" in route:
        words += ["metric", str(route["metric"])]
    return " ".join(words)


def _via(w: World, family: int) -> str | None:
    found = w.gateway(family)
    return found and f"via {found[0]} dev {found[1]}"


def _legs(w: World, family: int) -> str | None:
    found = {_via(w, family) for _ in range(6)} - {None}
    if family == 4:
        found |= {f"dev {name}" for name in w.up}
    if len(found) < 2:
        return None
    legs = w.some(found, 3)
    return " ".join(
        f"nexthop {leg} weight {w.random.choice((1, 1, 2, 3, 100, 256))}" for leg in legs
    )


@move(3)
def route4_add(w: World) -> list[str] | None:
    via = _via(w, 4)
    return via and [f"-4 route add {w.prefix(4)} {via}{w.table()}"]


@move(2)
def route4_add_on_the_link(w: World) -> list[str] | None:
    name = w.one(w.up)
    return name and [f"-4 route add {w.prefix(4)} dev {name}{w.table()}"]


@move()
def route4_default(w: World) -> list[str] | None:
    via = _via(w, 4)
    return via and [f"-4 route add default {via} metric {w.random.choice((0, 100, 200))}"]


@move(2)
def route4_replace(w: World) -> list[str] | None:
    old, via = w.one(w.routes(4)), _via(w, 4)
    return old and via and [f"-4 route replace {_prefix_of(old)} {via}"]


@move()
def route4_change(w: World) -> list[str] | None:
    old, via = w.one(w.routes(4)), _via(w, 4)
    proto = w.random.choice(("static", "boot", "bgp"))
    return old and via and [f"-4 route change {_prefix_of(old)} {via} proto {proto}"]


@move()
def route4_append(w: World) -> list[str] | None:
    old, via = w.one(w.routes(4)), _via(w, 4)
    return old and via and [f"-4 route append {_prefix_of(old)} {via}"]


@move()
def route4_prepend(w: World) -> list[str] | None:
    old, via = w.one(w.routes(4)), _via(w, 4)
    return old and via and [f"-4 route prepend {_prefix_of(old)} {via}"]


@move(0.5)
def route4_append_of_another_protocol(w: World) -> list[str] | None:
    """Two routes of one identity: the kernel holds both."""
    old = w.one(w.routes(4, type="1", nexthops=None, nhid=None, via=None))
    if old is None or "linkdown" in old["flags"]:
        return None
    hop = f"via {old['gateway']} " if "gateway" in old else ""
    return [f"-4 route append {_prefix_of(old)} {hop}dev {old['dev']} proto 44"]


@move()
def route4_other_metric(w: World) -> list[str] | None:
    """The same destination with another metric is another route; then the first one goes."""
    old, via = w.one(w.routes(4)), _via(w, 4)
    if old is None or via is None:
        return None
    new = f"{_prefix_of(old, metric=False)} metric {w.random.choice((50, 60, 70))}"
    return [f"-4 route add {new} {via}", f"-4 route delete {_prefix_of(old)}"]


@move()
def route4_tos(w: World) -> list[str] | None:
    via, tos = _via(w, 4), w.random.choice(("0x04", "0x08", "0x10"))
    return via and [f"-4 route add {w.prefix(4)} tos {tos} {via}"]


@move(1.5)
def route4_delete(w: World) -> list[str] | None:
    old = w.one(w.routes(4))
    return old and [f"-4 route delete {_prefix_of(old)}"]


@move(0.5)
def route4_delete_named_vaguely(w: World) -> list[str] | None:
    old = w.one(w.routes(4))
    return old and [f"-4 route delete {old['dst']} table {old['table']}"]


@move(0.3)
def route_flush_a_table(w: World) -> list[str] | None:
    family, table = w.random.choice((4, 6)), w.random.choice(OTHERS)
    return [f"-{family} route flush table {table}"] if w.routes(family) else None


@move(0.3)
def route_flush_a_protocol(w: World) -> list[str] | None:
    family = w.random.choice((4, 6))
    proto = w.random.choice(("static", "bgp", "44"))
    return [f"-{family} route flush proto {proto}"] if w.routes(family) else None


def _nowhere(w: World, type_: str) -> list[str]:
    family = w.random.choice((4, 6))
    return [f"-{family} route add {type_} {w.prefix(family)}{w.table()}"]


@move(0.7)
def blackhole(w: World) -> list[str] | None:
    return _nowhere(w, "blackhole")


@move(0.7)
def unreachable(w: World) -> list[str] | None:
    return _nowhere(w, "unreachable")


@move(0.7)
def prohibit(w: World) -> list[str] | None:
    return _nowhere(w, "prohibit")


@move(0.7)
def throw(w: World) -> list[str] | None:
    return _nowhere(w, "throw")


@move(0.5)
def replace_by_a_blackhole(w: World) -> list[str] | None:
    family = w.random.choice((4, 6))
    old = w.one(w.routes(family))
    return old and [f"-{family} route replace blackhole {_prefix_of(old)}"]


@move()
def route_with_a_source(w: World) -> list[str] | None:
    family = w.random.choice((4, 6))
    found = w.one(w.addresses("inet" if family == 4 else "inet6", tentative=None))
    if found is None or found[0] not in w.up:
        return None
    name, one = found
    return [f"-{family} route add {w.prefix(family)} dev {name} src {one['local']}{w.table()}"]


@move()
def delete_the_source_of_a_route(w: World) -> list[str] | None:
    family = w.random.choice((4, 6))
    sources = {route.get("prefsrc") for route in w.routes(family)} - {None}
    found = w.one(
        (name, f"{one['local']}/{one['prefixlen']}")
        for name, one in w.addresses("inet" if family == 4 else "inet6")
        if one["local"] in sources and "address" not in one
    )
    return found and [f"address delete {found[1]} dev {found[0]}"]


@move()
def route_onlink(w: World) -> list[str] | None:
    name, family = w.one(w.up), w.random.choice((4, 6))
    hop = "192.0.2.1" if family == 4 else "2001:db8::1"
    return name and [f"-{family} route add {w.prefix(family)} via {hop} dev {name} onlink"]


@move()
def route4_via_ipv6(w: World) -> list[str] | None:
    found = w.gateway(6)
    return found and [f"-4 route add {w.prefix(4)} via inet6 {found[0]} dev {found[1]}"]


@move(1.5)
def multipath4(w: World) -> list[str] | None:
    legs = _legs(w, 4)
    return legs and [f"-4 route add {w.prefix(4)}{w.table()} {legs}"]


@move()
def multipath4_replace(w: World) -> list[str] | None:
    old, legs = w.one(w.routes(4)), _legs(w, 4)
    return old and legs and [f"-4 route replace {_prefix_of(old)} {legs}"]


@move(1.5)
def multipath6(w: World) -> list[str] | None:
    legs = _legs(w, 6)
    return legs and [f"-6 route add {w.prefix(6)}{w.table()} {legs}"]


@move()
def multipath6_replace(w: World) -> list[str] | None:
    old, legs = w.one(w.routes(6)), _legs(w, 6)
    return old and legs and [f"-6 route replace {_prefix_of(old)} {legs}"]


@move()
def multipath6_append_a_leg(w: World) -> list[str] | None:
    old, via = w.one(w.routes(6, type="1", nhid=None)), _via(w, 6)
    return old and via and [f"-6 route append {_prefix_of(old)} {via}"]


@move()
def multipath6_delete_a_leg(w: World) -> list[str] | None:
    old = w.one(route for route in w.routes(6, nhid=None) if "nexthops" in route)
    leg = old and w.one(old["nexthops"])
    return leg and [f"-6 route delete {_prefix_of(old)} via {leg['gateway']} dev {leg['dev']}"]


@move()
def multipath_leg_goes_down(w: World) -> list[str] | None:
    routes = [*w.routes(4), *w.routes(6)]
    name = w.one({leg["dev"] for route in routes for leg in route.get("nexthops", ())} & set(w.up))
    return name and [f"link set {name} down"]


@move(3)
def route6_add(w: World) -> list[str] | None:
    via = _via(w, 6)
    return via and [f"-6 route add {w.prefix(6)} {via}{w.table()}"]


@move(2)
def route6_add_on_the_link(w: World) -> list[str] | None:
    name = w.one(w.up)
    return name and [f"-6 route add {w.prefix(6)} dev {name}{w.table()}"]


@move()
def route6_default(w: World) -> list[str] | None:
    via = _via(w, 6)
    return via and [f"-6 route add default {via} metric {w.random.choice((100, 200))}"]


@move(2)
def route6_replace(w: World) -> list[str] | None:
    old, via = w.one(w.routes(6)), _via(w, 6)
    return old and via and [f"-6 route replace {_prefix_of(old)} {via}"]


@move()
def route6_other_metric(w: World) -> list[str] | None:
    old, via = w.one(w.routes(6)), _via(w, 6)
    if old is None or via is None:
        return None
    new = f"{_prefix_of(old, metric=False)} metric {w.random.choice((50, 60, 70))}"
    return [f"-6 route add {new} {via}", f"-6 route delete {_prefix_of(old)}"]


@move(1.5)
def route6_delete(w: World) -> list[str] | None:
    old = w.one(w.routes(6))
    return old and [f"-6 route delete {_prefix_of(old)}"]


@move(0.7)
def route4_of_a_local_type(w: World) -> list[str] | None:
    name, type_ = w.one(w.up), w.random.choice(("broadcast", "multicast", "local"))
    dev = "lo" if type_ == "local" else name
    return dev and [f"-4 route add {type_} {w.prefix(4)} dev {dev}{w.table()}"]


@move(0.7)
def route6_of_a_local_type(w: World) -> list[str] | None:
    name, type_ = w.one(w.up), w.random.choice(("anycast", "multicast", "local"))
    dev = "lo" if type_ == "local" else name
    return dev and [f"-6 route add {type_} {w.prefix(6)} dev {dev}{w.table()}"]


@move()
def route6_via_a_link_local_gateway(w: World) -> list[str] | None:
    name = w.one(w.running())
    return name and [f"-6 route add {w.prefix(6)} via fe80::{w.random.randrange(7, 9)} dev {name}"]


@move(0.5)
def route6_that_expires_later(w: World) -> list[str] | None:
    name = w.one(w.up)
    return name and [f"-6 route add {w.prefix(6)} dev {name} expires {w.random.randint(1, 900)}"]


@move(0.5)
def multipath4_of_one_leg_twice(w: World) -> list[str] | None:
    via = _via(w, 4)
    return via and [f"-4 route add {w.prefix(4)} nexthop {via} weight 2 nexthop {via}"]


@move(0.3)
def rule_add(w: World) -> list[str] | None:
    """The first added rule separates the tables main and local, which shared one structure
    before."""
    return ["-4 rule add from 192.0.2.99 table 77", "-4 rule delete from 192.0.2.99 table 77"]

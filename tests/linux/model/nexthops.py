# SPDX-License-Identifier: MIT
"""Moves on nexthop objects, on groups of them, and on the routes that use them."""

from __future__ import annotations

from .routes import _prefix_of
from .world import World, move


def _single(w: World, family: int) -> str | None:
    found = w.gateway(family)
    return found and f"via {found[0]} dev {found[1]}"


def _add(w: World, family: int) -> list[str] | None:
    single, base = _single(w, family), 1 if family == 4 else 100
    id_ = w.one(set(range(base, base + 6)) - set(w.nexthops))
    return [f"nexthop add id {id_} {single}"] if single and id_ else None


@move(3)
def nexthop4_add(w: World) -> list[str] | None:
    return _add(w, 4)


@move(3)
def nexthop6_add(w: World) -> list[str] | None:
    return _add(w, 6)


@move(0.5)
def nexthop_of_a_device(w: World) -> list[str] | None:
    name, id_ = w.one(w.running()), w.one({6, 7} - set(w.nexthops))
    return [f"nexthop add id {id_} dev {name}"] if name and id_ else None


@move(0.5)
def nexthop_blackhole(w: World) -> list[str] | None:
    return None if 90 in w.nexthops else ["nexthop add id 90 blackhole"]


@move()
def nexthop_replace(w: World) -> list[str] | None:
    family = w.random.choice((4, 6))
    id_, single = w.one(w.singles(family)), _single(w, family)
    return id_ and single and [f"nexthop replace id {id_} {single}"]


@move(0.5)
def nexthop_delete(w: World) -> list[str] | None:
    id_ = w.one([*w.singles(4), *w.singles(6), *({90} & set(w.nexthops))])
    return id_ and [f"nexthop delete id {id_}"]


def _members(w: World, family: int) -> str | None:
    singles = w.singles(family)
    if len(singles) < 2:
        return None
    chosen = w.some(singles, 3)
    return "/".join(f"{id_},{w.random.choice((1, 2, 3, 254))}" for id_ in chosen)


@move(4)
def group_add(w: World) -> list[str] | None:
    family = w.random.choice((4, 6))
    base = 200 if family == 4 else 250
    id_, members = w.one({base, base + 1, base + 2} - set(w.nexthops)), _members(w, family)
    return [f"nexthop add id {id_} group {members}"] if id_ and members else None


@move()
def group_replace(w: World) -> list[str] | None:
    family = w.random.choice((4, 6))
    id_, members = w.one(w.groups(family)), _members(w, family)
    return id_ and members and [f"nexthop replace id {id_} group {members}"]


@move(0.7)
def group_delete(w: World) -> list[str] | None:
    id_ = w.one([*w.groups(4), *w.groups(6)])
    return id_ and [f"nexthop delete id {id_}"]


@move()
def group_member_delete(w: World) -> list[str] | None:
    group = w.one([*w.groups(4), *w.groups(6)])
    member = group and w.one([one["id"] for one in w.nexthops[group]["group"]])
    return member and [f"nexthop delete id {member}"]


@move()
def group_member_link_goes_down(w: World) -> list[str] | None:
    members = {
        one["id"] for group in (*w.groups(4), *w.groups(6)) for one in w.nexthops[group]["group"]
    }
    name = w.one({w.nexthops[id_]["dev"] for id_ in members if "dev" in w.nexthops[id_]})
    return name and [f"link set {name} down"]


@move(2)
def route4_by_nexthop(w: World) -> list[str] | None:
    id_ = w.one([*w.singles(4), *({90} & set(w.nexthops))])
    return id_ and [f"-4 route add {w.prefix(4)} nhid {id_}{w.table()}"]


@move()
def route4_by_nexthop_of_ipv6(w: World) -> list[str] | None:
    id_ = w.one(w.singles(6))
    return id_ and [f"-4 route add {w.prefix(4)} nhid {id_}"]


@move(2)
def route6_by_nexthop(w: World) -> list[str] | None:
    id_ = w.one(w.singles(6))
    return id_ and [f"-6 route add {w.prefix(6)} nhid {id_}{w.table()}"]


@move(3)
def route_by_group(w: World) -> list[str] | None:
    family = w.random.choice((4, 6))
    id_ = w.one(w.groups(family))
    return id_ and [f"-{family} route add {w.prefix(family)} nhid {id_}{w.table()}"]


@move()
def route_replace_by_nexthop(w: World) -> list[str] | None:
    family = w.random.choice((4, 6))
    old, id_ = w.one(w.routes(family)), w.one([*w.singles(family), *w.groups(family)])
    return old and id_ and [f"-{family} route replace {_prefix_of(old)} nhid {id_}"]


@move()
def route4_append_by_nexthop(w: World) -> list[str] | None:
    """May make two routes of one identity. (For IPv6 the kernel's own dump hides some of them.)"""
    old, id_ = w.one(w.routes(4)), w.one([*w.singles(4), *w.groups(4)])
    proto = w.random.choice(("boot", "44"))
    return old and id_ and [f"-4 route append {_prefix_of(old)} nhid {id_} proto {proto}"]


@move()
def route4_delete_one_by_nexthop(w: World) -> list[str] | None:
    old = w.one(route for route in w.routes(4) if "nhid" in route)
    return old and [f"-4 route delete {_prefix_of(old)} nhid {old['nhid']}"]


@move()
def nexthop_compat_mode(w: World) -> list[str] | None:
    return [f"sysctl ipv4.nexthop_compat_mode {w.random.choice((0, 1))}"]


@move(0.2)
def nexthop_flush(w: World) -> list[str] | None:
    return ["nexthop flush"] if w.nexthops else None

# SPDX-License-Identifier: MIT
"""Moves on the names and indices of links: another link at the same index, large indices,
alternative names, hardware addresses."""

from __future__ import annotations

from .world import World, move


def _ends_here(w: World) -> list[str]:
    """The links whose other end is here, too."""
    return [n for n in w.links if n[0] in "vw" and f"p{n[1]}" in w.links]


@move(0.7)
def link_of_another_name_at_the_same_index(w: World) -> list[str] | None:
    """Its routes are those of another link."""
    old = w.one(_ends_here(w))
    if old is None:
        return None
    new, peer = f"{'w' if old[0] == 'v' else 'v'}{old[1]}", f"p{old[1]}"
    return [
        f"link delete {old}",
        f"link add {new} index {w.links[old]['ifindex']} type veth peer name {peer}",
        f"link set {new} up",
        f"link set {peer} up",
        f"address add 10.{new[1]}.0.1/24 dev {new}",
        f"address add fd00:{new[1]}::1/64 dev {new} nodad",
    ]


@move(0.7)
def link_at_a_large_index(w: World) -> list[str] | None:
    """16777217 is 1 in 24 bits, 2000000000 has no lower bits in common with a link."""
    old = w.one(_ends_here(w))
    index = w.random.choice((1 << 24, 2_000_000_000)) + w.random.randint(1, 3)
    if old is None or index in {link["ifindex"] for link in w.links.values()}:
        return None
    return [
        f"link delete {old}",
        f"link add {old} index {index} type veth peer name p{old[1]}",
        f"link set {old} up",
        f"link set p{old[1]} up",
        f"address add 10.{old[1]}.0.1/24 dev {old}",
        f"address add fd00:{old[1]}::1/64 dev {old} nodad",
    ]


@move(0.5)
def alternative_name_add(w: World) -> list[str] | None:
    name, number = w.one(w.up), w.random.randrange(3)  # of a link that is down it is not reported
    alternative = f"{name}-{'long' * 20}-{number}"
    return name and [f"link property add dev {name} altname {alternative}"]


@move(0.5)
def alternative_name_delete(w: World) -> list[str] | None:
    found = w.one((name, one) for name in w.up for one in w.links[name].get("altnames", ()))
    return found and [f"link property del dev {found[0]} altname {found[1]}"]


@move(0.5)
def hardware_address(w: World) -> list[str] | None:
    name, number = w.one(n for n in w.links if n[0] in "vwp"), w.random.randrange(10, 99)
    return name and [f"link set {name} address 02:00:00:00:00:{number}"]

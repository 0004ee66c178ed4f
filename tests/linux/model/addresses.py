# SPDX-License-Identifier: MIT
"""Moves on addresses: add, change, delete (the last one, too), and let expire."""

from __future__ import annotations

from .world import World, move


@move(0.1)
def rebuild(w: World) -> list[str] | None:
    """Sets every link up, with an address each, so that a walk does not run out of things to
    change."""
    assert w.truth is not None
    commands = [f"link set {name} up" for name in w.down]
    for name, link in w.links.items():
        if name[0] not in "vw":
            continue
        if link["mtu"] < 1280:
            commands.append(f"link set {name} mtu 1500")
        if name not in {other for other, _ in w.addresses("inet")}:
            commands.append(f"address add 10.{name[1]}.0.1/24 dev {name}")
        ipv6 = w.truth.settings[name].get("ipv6/disable_ipv6") == "0"
        if ipv6 and name not in {other for other, _ in w.addresses("inet6")}:
            commands.append(f"address add fd00:{name[1]}::1/64 dev {name} nodad")
    return commands or None


@move(3)
def address4_add(w: World) -> list[str] | None:
    name = w.one(w.links)
    # Often in a subnet that exists already: then it is a secondary address.
    return name and [f"address add {w.subnet4(name)}.{w.random.randrange(1, 9)}/24 dev {name}"]


@move()
def address4_add_in_the_same_subnet(w: World) -> list[str] | None:
    found = w.one(w.addresses("inet"))
    if found is None:
        return None
    name, one = found
    stem = one["local"].rsplit(".", 1)[0]
    return [f"address add {stem}.{w.random.randrange(10, 19)}/24 dev {name}"]


@move()
def address4_add_with_a_peer(w: World) -> list[str] | None:
    name = w.one(w.links)
    if name is None:
        return None
    n, k = w.number(name), w.random.randrange(3)
    return [f"address add 10.{n}.9.1 peer 10.{n}.9.1{k}/{w.random.choice((32, 24))} dev {name}"]


@move(0.5)
def address4_add_without_its_route(w: World) -> list[str] | None:
    name = w.one(w.links)
    return name and [f"address add 10.{w.number(name)}.7.1/24 dev {name} noprefixroute"]


@move(1.5)
def address4_delete(w: World) -> list[str] | None:
    found = w.one(w.addresses("inet"))
    return found and [f"address delete {_cidr(found[1])} dev {found[0]}"]


@move()
def address4_delete_the_last_one(w: World) -> list[str] | None:
    """Deletes one after the other until the link has none; its other routes go unreported."""
    name = w.one({name for name, _ in w.addresses("inet")})
    if name is None:
        return None
    mine = [one for other, one in w.addresses("inet") if other == name]
    # Primary addresses last: without promotion they take their secondaries with them.
    mine.sort(key=lambda one: not one.get("secondary", False))
    return [f"address delete {_cidr(one)} dev {name}" for one in mine]


@move(0.5)
def address4_lives_two_seconds(w: World) -> list[str] | None:
    name = w.one(w.links)
    n = name and w.number(name)
    return name and [f"address add 10.{n}.6.1/24 dev {name} valid_lft 2 preferred_lft 1"]


@move()
def address4_deprecated(w: World) -> list[str] | None:
    found = w.one(w.addresses("inet", deprecated=None))
    return found and [
        f"address change {_cidr(found[1])} dev {found[0]} valid_lft 1000 preferred_lft 0"
    ]


@move()
def address4_forever_again(w: World) -> list[str] | None:
    found = w.one(w.addresses("inet", dynamic=True))
    return found and [
        f"address change {_cidr(found[1])} dev {found[0]} valid_lft forever preferred_lft forever"
    ]


@move()
def address4_metric(w: World) -> list[str] | None:
    """The new prefix route is added before the old one is deleted."""
    found = w.one(w.addresses("inet", secondary=None))
    return found and [
        f"address change {_cidr(found[1])} dev {found[0]} metric {w.random.choice((0, 77, 99))}"
    ]


@move(0.5)
def address4_replace_with_the_same(w: World) -> list[str] | None:
    found = w.one(w.addresses("inet", dynamic=None))
    return found and [f"address replace {_cidr(found[1])} dev {found[0]}"]


@move(0.5)
def promote_secondaries(w: World) -> list[str] | None:
    name = w.one(["all", *w.links])
    return [f"sysctl ipv4.conf.{name}.promote_secondaries {w.random.choice((0, 1))}"]


@move(0.5)
def address4_delete_a_primary(w: World) -> list[str] | None:
    secondary = w.one(w.addresses("inet", secondary=True))
    if secondary is None:
        return None
    name, stem = secondary[0], secondary[1]["local"].rsplit(".", 1)[0] + "."
    primary = w.one(
        _cidr(one)
        for other, one in w.addresses("inet", secondary=None)
        if other == name and one["local"].startswith(stem)
    )
    return primary and [f"address delete {primary} dev {name}"]


@move(0.5)
def address_flush(w: World) -> list[str] | None:
    name = w.one({name for name, _ in (*w.addresses("inet"), *w.addresses("inet6"))})
    return name and [f"{w.random.choice(('-4', '-6'))} address flush dev {name} scope global"]


@move(3)
def address6_add(w: World) -> list[str] | None:
    name, k = w.one(w.links), w.random.randrange(1, 6)
    n = name and w.number(name)
    return name and [f"address add fd00:{n:x}:0:{k % 2}::{k}/64 dev {name} nodad"]


@move(0.5)
def address6_add_with_detection(w: World) -> list[str] | None:
    assert w.truth is not None
    on = {n for n, s in w.truth.settings.items() if s.get("ipv6/disable_ipv6") == "0"}
    name = w.one(on & set(w.running()))
    n = name and w.number(name)
    accept = f"sysctl ipv6.conf.{name}.accept_dad"
    return name and [
        f"{accept} 1",
        f"address add fd00:{n:x}:0:5::1/64 dev {name}",
        f"{accept} 0",
    ]


@move()
def address6_add_with_a_peer(w: World) -> list[str] | None:
    name, k = w.one(w.links), w.random.randrange(2, 5)
    n = name and w.number(name)
    return name and [f"address add fd00:{n:x}:0:9::1 peer fd00:{n:x}:0:9::{k}/128 dev {name} nodad"]


@move(0.5)
def address6_add_without_its_route(w: World) -> list[str] | None:
    name = w.one(w.links)
    n = name and w.number(name)
    return name and [f"address add fd00:{n:x}:0:7::1/64 dev {name} nodad noprefixroute"]


@move(1.5)
def address6_delete(w: World) -> list[str] | None:
    found = w.one(w.addresses("inet6"))
    return found and [f"address delete {_cidr(found[1])} dev {found[0]}"]


@move(0.5)
def address6_delete_the_link_local_one(w: World) -> list[str] | None:
    found = w.one(
        (name, one["local"])
        for name, link in w.links.items()
        for one in link["addr_info"]
        if one["local"].startswith("fe80")
    )
    return found and [f"address delete {found[1]}/64 dev {found[0]}"]


@move(0.5)
def address6_lives_two_seconds(w: World) -> list[str] | None:
    name = w.one(w.links)
    n = name and w.number(name)
    return name and [
        f"address add fd00:{n:x}:0:6::1/64 dev {name} nodad valid_lft 2 preferred_lft 1"
    ]


@move()
def address6_deprecated(w: World) -> list[str] | None:
    found = w.one(w.addresses("inet6", deprecated=None, tentative=None))
    return found and [
        f"address change {_cidr(found[1])} dev {found[0]} valid_lft 1000 preferred_lft 0"
    ]


@move()
def address6_forever_again(w: World) -> list[str] | None:
    found = w.one(w.addresses("inet6", dynamic=True, tentative=None))
    return found and [
        f"address change {_cidr(found[1])} dev {found[0]} valid_lft forever preferred_lft forever"
    ]


@move(0.5)
def address6_metric(w: World) -> list[str] | None:
    found = w.one(w.addresses("inet6", tentative=None))
    return found and [
        f"address change {_cidr(found[1])} dev {found[0]} metric {w.random.choice((256, 99))}"
    ]


def _cidr(one: dict[str, object]) -> str:
    """The address in the form by which `ip` finds it again."""
    peer = f" peer {one['address']}" if "address" in one else ""
    return f"{one['local']}{peer}/{one['prefixlen']}"

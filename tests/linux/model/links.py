# SPDX-License-Identifier: MIT
"""Moves on links: add, up, down, delete, rename, move, enslave; their settings."""

from __future__ import annotations

from pathlib import Path

from .world import World, move

NET = Path("/proc/sys/net")


@move()
def link_add(w: World) -> list[str] | None:
    number = w.one({0, 1, 2} - {int(n[1]) for n in (*w.links, *w.away) if n[0] in "vpw"})
    if number is None:
        return None
    return [
        f"link add v{number} type veth peer name p{number}",
        f"link set v{number} up",
        f"link set p{number} up",
    ]


@move(3)
def link_up(w: World) -> list[str] | None:
    name = w.one(w.down)
    return name and [f"link set {name} up"]


@move(2)
def link_down(w: World) -> list[str] | None:
    name = w.one(w.up)
    return name and [f"link set {name} down"]


@move()
def link_flap(w: World) -> list[str] | None:
    name = w.one(w.up)
    return name and [f"link set {name} down", f"link set {name} up"]


@move(0.7)
def link_delete(w: World) -> list[str] | None:
    name = w.one(n for n in w.links if n[0] in "vw" and f"p{n[1]}" not in w.away)
    return name and [f"link delete {name}"]


@move(0.7)
def link_rename(w: World) -> list[str] | None:
    name = w.one(n for n in w.links if n[0] in "vw")
    return name and [f"link set {name} name {'w' if name[0] == 'v' else 'v'}{name[1:]}"]


@move(0.7)
def link_move_away(w: World) -> list[str] | None:
    name = w.one(n for n in w.links if n[0] == "v" and n not in w.away)
    if name is None:
        return None
    w.away.add(name)
    return [f"link set {name} netns {w.other.path}"]


@move(2)
def link_move_back(w: World) -> list[str] | None:
    name = w.one(w.away)
    if name is None:
        return None
    w.away.discard(name)
    return [f"other:link set {name} netns {w.netns.path}"]


@move()
def carrier_loss(w: World) -> list[str] | None:
    name = w.one(n for n in w.running() if n[0] == "v" and f"p{n[1]}" in w.up)
    return name and [f"link set p{name[1]} down"]


@move(2)
def carrier_back(w: World) -> list[str] | None:
    name = w.one(n for n in w.down if n[0] == "p")
    return name and [f"link set {name} up"]


@move(0.5)
def mtu_too_small_for_ipv6(w: World) -> list[str] | None:
    name = w.one(n for n, link in w.links.items() if link["mtu"] >= 1280)
    return name and [f"link set {name} mtu {w.random.choice((68, 576, 1279))}"]


@move()
def mtu(w: World) -> list[str] | None:
    name = w.one(w.links)
    return name and [f"link set {name} mtu {w.random.choice((1280, 1400, 1500, 9000))}"]


@move(2)
def mtu_for_ipv6_again(w: World) -> list[str] | None:
    name = w.one(n for n, link in w.links.items() if link["mtu"] < 1280)
    return name and [f"link set {name} mtu 1500"]


@move(0.5)
def promiscuous(w: World) -> list[str] | None:
    name = w.one(w.links)
    return name and [f"link set {name} promisc {w.random.choice(('on', 'off'))}"]


@move(0.5)
def arp_off_and_on(w: World) -> list[str] | None:
    name = w.one(w.links)
    return name and [f"link set {name} arp {w.random.choice(('on', 'off'))}"]


@move(0.3)
def multicast_off_and_on(w: World) -> list[str] | None:
    name = w.one(w.links)
    return name and [f"link set {name} multicast {w.random.choice(('on', 'off'))}"]


@move(0.3)
def what_no_row_shows(w: World) -> list[str] | None:
    name, n = w.one(w.links), w.random.randrange(10)
    return name and [f"link set {name} txqueuelen {100 + n} alias toy{n}"]


@move(0.3)
def vxlan_add(w: World) -> list[str] | None:
    add = "link add xl7 type vxlan id 5 dstport 4789"
    return None if "xl7" in w.links else [add, "link set xl7 up"]


@move(0.3)
def vxlan_delete(w: World) -> list[str] | None:
    return ["link delete xl7"] if "xl7" in w.links else None


@move(0.5)
def bridge_add(w: World) -> list[str] | None:
    return None if "br0" in w.links else ["link add br0 type bridge", "link set br0 up"]


@move(0.3)
def bridge_delete(w: World) -> list[str] | None:
    return ["link delete br0"] if "br0" in w.links else None


@move()
def enslave(w: World) -> list[str] | None:
    # One end of a pair at most: with both ends in one bridge, packets would loop for ever.
    plugged = {n[1] for n, link in w.links.items() if "master" in link}
    name = w.one(n for n in w.links if n[0] in "pv" and n[1] not in plugged)
    return [f"link set {name} master br0"] if name and "br0" in w.links else None


@move()
def release(w: World) -> list[str] | None:
    name = w.one(n for n, link in w.links.items() if "master" in link)
    return name and [f"link set {name} nomaster"]


@move(0.5)
def macvlan_add(w: World) -> list[str] | None:
    under = w.one(n for n, link in w.links.items() if n[0] == "v" and "master" not in link)
    if under is None or "mv9" in w.links:
        return None
    return [f"link add mv9 link {under} type macvlan mode bridge", "link set mv9 up"]


@move(0.3)
def macvlan_delete(w: World) -> list[str] | None:
    return ["link delete mv9"] if "mv9" in w.links else None


@move(0.5)
def tun_add(w: World) -> list[str] | None:
    return None if "tn8" in w.links else ["tuntap add tn8 mode tun", "link set tn8 up"]


@move(0.3)
def tun_delete(w: World) -> list[str] | None:
    return ["tuntap delete tn8 mode tun"] if "tn8" in w.links else None


@move(0.3)
def lo_down(w: World) -> list[str] | None:
    assert w.truth is not None
    return ["link set lo down"] if "UP" in w.truth.links["lo"]["flags"] else None


@move()
def lo_up(w: World) -> list[str] | None:
    assert w.truth is not None
    return None if "UP" in w.truth.links["lo"]["flags"] else ["link set lo up"]


@move(0.5)
def ipv6_off(w: World) -> list[str] | None:
    # With IPv6 addresses: without any, the kernel sends no message and has no route.
    found = w.one({name for name, _ in w.addresses("inet6")} & set(w.up))
    return found and [f"sysctl ipv6.conf.{found}.disable_ipv6 1"]


@move(2)
def ipv6_on(w: World) -> list[str] | None:
    assert w.truth is not None
    off = {n for n, s in w.truth.settings.items() if s.get("ipv6/disable_ipv6") == "1"}
    # With a carrier: without one the setting changes, and no message is sent.
    carrier = {n for n in w.up if "LOWER_UP" in w.truth.links[n]["flags"]}
    name = w.one(off & carrier)
    return name and [f"sysctl ipv6.conf.{name}.disable_ipv6 0"]


@move(0.5)
def keep_addresses_on_down(w: World) -> list[str] | None:
    return [f"sysctl ipv6.conf.all.keep_addr_on_down {w.random.choice((0, 1))}"]


@move(0.5)
def silent_ipv6_on_down(w: World) -> list[str] | None:
    if not (NET / "ipv6/route/skip_notify_on_dev_down").exists():
        return None  # missing in user namespaces
    return [f"sysctl ipv6.route.skip_notify_on_dev_down {w.random.choice((0, 1))}"]


@move(0.5)
def ignore_routes_with_linkdown(w: World) -> list[str] | None:
    name = w.one(["all", *w.links])
    value = w.random.choice((0, 1))
    return [f"sysctl ipv{f}.conf.{name}.ignore_routes_with_linkdown {value}" for f in (4, 6)]


@move(0.5)
def forwarding4(w: World) -> list[str] | None:
    name = w.one(["all", "lo", *w.links])
    return [f"sysctl ipv4.conf.{name}.forwarding {w.random.choice((0, 1))}"]


@move(0.5)
def forwarding6(w: World) -> list[str] | None:
    assert w.truth is not None
    name = w.one(["all", *(n for n, s in w.truth.settings.items() if "ipv6/forwarding" in s)])
    return [f"sysctl ipv6.conf.{name}.forwarding {w.random.choice((0, 1))}"]

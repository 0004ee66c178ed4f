# SPDX-License-Identifier: MIT
"""The truth: `ip -json` of routes, addresses, links and nexthops, as plain records.

A state is a dict of key -> record. The kernel may hold several routes with one key, which differ in
their MTU or preferred source, for example: then there are several records, in the kernel's order,
of which a row shows the first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import Any

from tests.support.processes import run

Key = tuple[Any, ...]
Record = dict[str, Any]
FOREVER = 0xFFFFFFFF
LOCAL = 255

DEAD, ONLINK, OFFLOAD, LINKDOWN = 1, 4, 8, 16
ROUTE_FLAGS = {"dead": DEAD, "onlink": ONLINK, "linkdown": LINKDOWN, "offload": OFFLOAD}
PREFERENCES = {"medium": 0, "high": 1, "low": 3}
SCOPES = {"global": 0, "site": 200, "link": 253, "host": 254, "nowhere": 255}
# Route types without an interface: on lo, as IPv6 shows them.
NOWHERE = {6, 7, 8, 9}
LINK_FLAGS = {
    "UP": 0x1,
    "BROADCAST": 0x2,
    "LOOPBACK": 0x8,
    "POINTOPOINT": 0x10,
    "NOARP": 0x80,
    "PROMISC": 0x100,
    "ALLMULTI": 0x200,
    "MULTICAST": 0x1000,
    "LOWER_UP": 0x10000,
}
LINK_MASK = sum(LINK_FLAGS.values())
ADDRESS_FLAGS = {
    "secondary": 0x01,
    "temporary": 0x01,
    "nodad": 0x02,
    "optimistic": 0x04,
    "dadfailed": 0x08,
    "home": 0x10,
    "deprecated": 0x20,
    "tentative": 0x40,
    "mngtmpaddr": 0x100,
    "noprefixroute": 0x200,
    "autojoin": 0x400,
    "stable-privacy": 0x800,
}
ADDRESS_MASK = 0xF7F
PERMANENT = 0x80

QUERIES = (
    "nexthop show",
    "address show",
    "link show",
)


def plain(address: object) -> IPv4Address | IPv6Address | None:
    """The address without its scope; None for the unspecified address."""
    if address is None:
        return None
    found = ip_address(str(address).split("%")[0])
    return found if int(found) else None


# What `ip` prints behind an encapsulation: the keys of the route again, or of its leg.
OUTER = {"gateway", "via", "dev", "table", "weight", "protocol", "scope", "flags", "metric"}


def parsed(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of `ip -json`. An encapsulation has no object of its own there, so that keys such
    as `dst` may come twice: it is set apart, under "encap"."""
    found: dict[str, Any] = {}
    tunnel: list[tuple[str, Any]] | None = None
    for name, value in pairs:
        if name == "encap":
            tunnel = [(name, value)]
        elif tunnel is not None and name in OUTER:
            found.setdefault("encap", tunnel)
            found[name] = value
        elif tunnel is not None and "encap" not in found:
            tunnel.append((name, value))
        else:
            found[name] = value
    return found


def encapsulation_of(tunnel: Sequence[tuple[str, Any]]) -> str | None:
    """The words of an encapsulation in an order of their own; None: none."""
    words = []
    for name, value in tunnel:
        if isinstance(value, list):
            value = ",".join(map(str, value))
        words += [str(value)] if name == "encap" else [f"{name}={value}"]
    return " ".join(words[:1] + sorted(words[1:])) or None


def encapsulation_in(text: str | None) -> str | None:
    """The same of a row's text, which is as `ip route` prints it."""
    if not text:
        return None
    text = re.sub(r"segs \d+ \[ (.*?) \]", lambda found: f"segs {found[1].replace(' ', ',')}", text)
    kind, *words = text.split()
    return encapsulation_of([("encap", kind), *zip(words[::2], words[1::2], strict=True)])


@dataclass
class Truth:
    """The kernel's state at one moment: the raw JSON, and what it means."""

    raw: list[list[dict[str, Any]]]
    settings: dict[str, dict[str, str]]  # link -> setting -> value
    routes: dict[Key, list[Record]] = field(default_factory=dict)
    addresses: dict[Key, list[Record]] = field(default_factory=dict)
    interfaces: dict[Key, list[Record]] = field(default_factory=dict)
    # What the rows have no field for, of each route.
    rest: dict[Key, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.links = {link["ifname"]: link for link in self.raw[4]}
        self.index = {name: link["ifindex"] for name, link in self.links.items()}
        self.names = {index: name for name, index in self.index.items()}
        self.nexthops = {one["id"]: one for one in self.raw[2]}
        for bits, routes in ((32, self.raw[0]), (128, self.raw[1])):
            for route in routes:
                self._route(bits, route)
        for link in self.raw[3]:
            for one in link["addr_info"]:
                self._address(link["ifindex"], one)
        for link in self.raw[4]:
            self._interface(link)

    def _legs(self, bits: int, route: dict[str, Any]) -> list[dict[str, Any]]:
        """The legs of a route, each with dev, gateway, weight and flags."""
        if route.get("nexthops"):
            return list(route["nexthops"])
        if "dev" in route or "nhid" not in route:
            return [route]
        weights = {route["nhid"]: 1}  # nexthop_compat_mode=0: the id alone is shown
        if group := self.nexthops[route["nhid"]].get("group"):
            weights = {one["id"]: one.get("weight", 1) for one in group}
            if len(weights) == 1 and bits == 32:  # for a single leg IPv4 shows no weight
                weights = dict.fromkeys(weights, 1)
        legs = []
        for id_, weight in weights.items():
            leg = dict(self.nexthops[id_])
            legs.append({**leg, "weight": weight})
        return legs

    def _route(self, bits: int, route: dict[str, Any]) -> None:
        dst = route["dst"]
        source = ip_network(route["from"]) if "from" in route else None
        prefix = ip_network(("0.0.0.0/0" if bits == 32 else "::/0") if dst == "default" else dst)
        type_, protocol = int(route["type"]), int(route["protocol"])
        metrics = {k: v for one in route.get("metrics", ()) for k, v in one.items()}
        mtu = metrics.pop("mtu", 0)
        for leg in self._legs(bits, route):
            flags = [*route.get("flags", ()), *leg.get("flags", ())]
            if "dead" in flags:
                continue  # not in use, so it has no row
            nowhere = type_ in NOWHERE or "blackhole" in leg
            device = leg.get("dev", "lo" if nowhere else None)
            hop = leg.get("via", {}).get("host") or leg.get("gateway")
            key: Key = (
                int(route["table"]),
                int(route.get("tos", "0"), 0),
                route.get("metric", 0),
                prefix,
                self.index[device] if device else 0,
                plain(hop),
                source,
                type_,
                protocol,
                encapsulation_of(leg.get("encap", ())),
            )
            record = {
                "type": type_,
                "protocol": protocol,
                "prefsrc": plain(route.get("prefsrc")),
                "weight": leg.get("weight", 1),
                "nhid": route.get("nhid", 0),
                "flags": sum({ROUTE_FLAGS.get(one, 0) for one in flags}),
                "scope": int(route["scope"]),
                "preference": PREFERENCES[route.get("pref", "medium")],
                "route_mtu": mtu,
            }
            self.routes.setdefault(key, []).append(record)
            rest = json.dumps([metrics, route.get("flow"), leg.get("flow")], sort_keys=True)
            self.rest.setdefault(key, []).append(rest)

    def may_hide(self, key: Key, record: Record) -> bool:
        """Can the kernel have this route although its dump does not show it? A dump leaves out
        IPv6 routes without a gateway, and those of nexthop objects, that lie between two of a set
        with gateways."""
        if key[3].version != 6 or (key[5] is not None and not record["nhid"]):
            return False
        sets = [
            other
            for other, records in self.routes.items()
            if other[:4] == key[:4] and other[6] == key[6] and other[5] and not records[0]["nhid"]
        ]
        return len(sets) > 1

    def _address(self, index: int, one: dict[str, Any]) -> None:
        local, peer = plain(one["local"]), plain(one.get("address"))
        key = (index, local, one["prefixlen"], peer)
        flags = sum({bit for name, bit in ADDRESS_FLAGS.items() if one.get(name)})
        scope = one["scope"]
        record = {
            "flags": flags | (0 if one.get("dynamic") else PERMANENT),
            "valid_forever": one["valid_life_time"] == FOREVER,
            "preferred_forever": one["preferred_life_time"] == FOREVER,
            "label": one.get("label"),
            "scope": SCOPES[scope] if scope in SCOPES else int(scope),
            "broadcast": plain(one.get("broadcast")),
        }
        self.addresses.setdefault(key, []).append(record)

    def _interface(self, link: dict[str, Any]) -> None:
        name, index = link["ifname"], link["ifindex"]
        shown = set(link["flags"])
        record = {
            "name": name,
            "flags": sum(LINK_FLAGS.get(flag, 0) for flag in shown),
            "connected": "UP" in shown and "NO-CARRIER" not in shown,
            "master": self.index.get(link.get("master", ""), 0),
            "master_name": link.get("master"),
            "hardware_address": link.get("address", ""),
            "link_kind": link.get("linkinfo", {}).get("info_kind"),
            "alternative_names": tuple(sorted(link.get("altnames", ()))),
        }
        settings = self.settings.get(name, {})
        if forwarding := settings.get("ipv4/forwarding"):
            record4 = {**record, "mtu": link["mtu"], "forwarding": forwarding != "0"}
            self.interfaces[4, index] = [record4]
        if settings.get("ipv6/disable_ipv6") == "0":
            mtu, forwarding = int(settings["ipv6/mtu"]), settings["ipv6/forwarding"]
            self.interfaces[6, index] = [{**record, "mtu": mtu, "forwarding": forwarding != "0"}]


SETTINGS = ("ipv4/forwarding", "ipv6/forwarding", "ipv6/mtu", "ipv6/disable_ipv6")


def _settings(names: list[str]) -> dict[str, dict[str, str]]:
    """Settings that no netlink tool shows. A link without IPv6 (an MTU below 1280) lacks these
    files."""
    found: dict[str, dict[str, str]] = {}
    for name in names:
        found[name] = {}
        for setting in SETTINGS:
            family, file = setting.split("/")
            try:
                text = Path("/proc/sys/net", family, "conf", name, file).read_text()
            except OSError:
                continue
            found[name][setting] = text.strip()
    return found


def _routes(table: int, family: str) -> str:
    """The command that shows the routes of this table (0: of all); where there is none, nothing."""
    show = f"ip -N -details -json -{family} route show table {table or 'all'}"
    return f'found=$({show} 2>/dev/null) && echo "$found"' if table else f"{show} || exit 1"


def look(tables: Sequence[int] = (0,)) -> Truth:
    """Reads the kernel's state, in the namespace of the calling thread. `tables`: of these alone,
    so that a large one takes no time."""
    commands = [_routes(table, family) for family in "46" for table in tables]
    commands += [f"ip -N -details -json {query} || exit 1" for query in QUERIES]
    script = "".join(f"{command}; echo '====';" for command in commands)
    for _ in range(20):
        chunks = run(["sh", "-c", script], timeout=120).stdout.split("====\n")[:-1]
        # `ip` prints nothing for an empty list, and {} for objects that its filter left out.
        lists = [
            [one for one in json.loads(chunk.strip() or "[]", object_pairs_hook=parsed) if one]
            for chunk in chunks
        ]
        routes = [
            [
                {"table": str(table), **one}
                for table, found in zip(tables, part, strict=False)
                for one in found
            ]
            for part in (lists[: len(tables)], lists[len(tables) :])
        ]
        raw = [*routes, *lists[2 * len(tables) :]]
        try:
            return Truth(raw, _settings([link["ifname"] for link in raw[4]]))
        except KeyError:
            continue  # something vanished between two queries
    raise AssertionError("the kernel's answers do not fit each other")


def truth_of(kind: str, truth: Truth) -> dict[Key, list[Record]]:
    return {"route": truth.routes, "address": truth.addresses, "interface": truth.interfaces}[kind]

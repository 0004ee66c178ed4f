# SPDX-License-Identifier: MIT
"""get_best_route2 compared with `ip route get`: the source and the leg that the kernel takes, and
with `fibmatch` the entry of its table. No packet is sent."""

from __future__ import annotations

import socket
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

import netioapi
from netioapi import IpInterfaceRow, NetioError
from tests.linux.namespace import Namespace
from tests.support.waiting import eventually

LINKS = ("v0", "v1", "v2")
ROUTES = """
route add default via 10.0.0.254
-6 route add default via fd00:0::fe
route add 172.16.0.0/16 nexthop via 10.0.0.9 dev v0 nexthop via 10.1.0.9 dev v1 weight 3
-6 route add fd77::/64 nexthop via fd00:0::9 dev v0 nexthop via fd00:1::9 dev v1
route add 172.17.0.0/16 nexthop via inet6 fd00:0::9 dev v0 nexthop via inet6 fd00:1::9 dev v1
route add 172.18.0.0/16 via inet6 fd00:1::9 dev v1 src 10.2.0.1
rule add to 172.19.0.0/16 lookup 77
route add 172.19.0.0/16 via 10.2.0.9 metric 44 table 77
-6 rule add to fd19::/64 lookup 1077
-6 route add fd19::/64 via fd00:2::9 metric 44 table 1077
nexthop add id 1 via 10.0.0.9 dev v0
nexthop add id 2 via 10.1.0.9 dev v1
nexthop add id 10 group 1/2
route add 172.20.0.0/16 nhid 10
nexthop add id 3 blackhole
route add 172.21.0.0/16 nhid 3
route add blackhole 10.50.0.0/24
route add unreachable 10.51.0.0/24
route add prohibit 10.52.0.0/24
route add throw 10.53.0.0/24
-6 route add blackhole fd50::/64
-6 route add unreachable fd51::/64
-6 route add prohibit fd52::/64
route add 10.54.0.0/24 dev v2 table 78
"""

FOUND: list[tuple[str, dict[str, str]]] = [
    *((f"172.{second}.0.{last}", {}) for second in (16, 17, 20) for last in range(1, 9)),
    *((f"fd77::{last}", {}) for last in range(1, 9)),
    *((one, {}) for one in ("192.0.2.1", "172.18.0.1", "172.19.0.1", "2001:db8::1", "fd19::1")),
    # Local, broadcast, multicast and link-local: routes of the local table, or of the link.
    *((one, {}) for one in ("127.0.0.1", "10.1.0.1", "10.1.0.255", "10.1.0.7", "::1", "fd00:1::1")),
    *((one, {}) for one in ("255.255.255.255", "224.0.0.1", "fd00:1::7", "ff02::1", "fe80::7")),
    *((one, {"dev": "v1"}) for one in ("fe80::7", "ff02::5", "fd77::1", "172.16.0.1", "10.1.0.7")),
    ("172.16.0.1", {"dev": "v0"}),
    ("10.1.0.7", {"dev": "v0"}),  # through the default route, the only one of v0
    ("192.0.2.1", {"source": "10.1.0.1"}),
    ("2001:db8::1", {"source": "fd00:1::1"}),
]

REFUSED: list[tuple[str, dict[str, Any], int]] = [
    *((one, {}, 1231) for one in ("10.50.0.1", "fd50::1", "172.21.0.1")),  # through a blackhole
    *((one, {}, 1232) for one in ("10.51.0.1", "fd51::1")),
    *((one, {}, 5) for one in ("10.52.0.1", "fd52::1")),
    ("192.0.2.1", {"dev": "v1"}, 1231),  # v1 has no route to it
    ("172.16.0.1", {"dev": "v2"}, 1231),
    ("fd77::1", {"dev": "v2"}, 1231),
    ("192.0.2.1", {"interface_index": 4000}, 2),
    ("2001:db8::1", {"interface_index": 2**32 - 1}, 2),
]


def is_settled(link: str) -> bool:
    rows = [r for r in netioapi.get_unicast_ip_address_table() if r.interface_name == link]
    interface = IpInterfaceRow(socket.AF_INET, interface_index=socket.if_nametoindex(link))
    return bool(
        netioapi.get_ip_interface_entry(interface).connected
        and any(row.address.is_link_local for row in rows)
        and all(row.dad_state == netioapi.DadState.PREFERRED for row in rows)
    )


@pytest.fixture
def net(netns: Namespace) -> Namespace:
    """Three links with an IPv4 and an IPv6 network each, all settled, and routes of every sort."""
    netns.sysctl("ipv6.conf.default.accept_dad", 0)
    for number, link in enumerate(LINKS):
        netns.veth(link, f"p{number}")
        netns.ip(f"address add 10.{number}.0.1/24 dev {link}")
        netns.ip(f"address add fd00:{number}::1/64 dev {link} nodad")
    for line in ROUTES.strip().splitlines():
        netns.ip(line)
    eventually(lambda: all(map(is_settled, LINKS)), what="settled links")
    return netns


def keywords_of(options: dict[str, Any]) -> dict[str, Any]:
    made = dict(options)
    if "dev" in made:
        made["interface_index"] = socket.if_nametoindex(made.pop("dev"))
    return made


def plain(text: str, version: int) -> str:
    return text if text != "default" else "0.0.0.0/0" if version == 4 else "::/0"


def check(net: Namespace, destination: str, options: dict[str, str]) -> None:
    query = destination
    query += f" from {options['source']}" if "source" in options else ""
    query += f" oif {options['dev']}" if "dev" in options else ""
    version = ip_address(destination).version
    (taken,) = net.json(f"route get {query}")
    (entry,) = net.json(f"route get fibmatch {query}")
    row, source = netioapi.get_best_route2(destination, **keywords_of(options))

    assert row.destination_prefix == ip_network(plain(entry["dst"], version))
    assert (
        row.table == {"local": 255, "main": 254}.get(entry.get("table", "main"), entry.get("table"))
        or str(row.table) == entry["table"]
    )
    assert row.metric == entry.get("metric", 0)
    # Compat 0: the nexthop id alone.
    legs = entry.get("nexthops", [entry if "dev" in entry else taken])
    # The leg that the kernel takes. Traffic to this machine itself goes through lo.
    dev = taken["dev"] if taken.get("type") != "local" else entry["dev"]
    (leg,) = [one for one in legs if one["dev"] == dev]
    hop = leg.get("gateway") or leg.get("via", {}).get("host") or ("0.0.0.0", "::")[version == 6]
    assert (row.interface_name, row.next_hop) == (dev, ip_address(hop))
    assert source == ip_address(options.get("source") or taken["prefsrc"])
    # The row is a key like any other.
    assert netioapi.get_ip_forward_entry2(row).key == row.key


@pytest.mark.parametrize("compat", [1, 0])
def test_best_route_matches_ip_route_get(net: Namespace, compat: int) -> None:
    net.sysctl("ipv4.nexthop_compat_mode", compat)
    for destination, options in FOUND:
        try:
            check(net, destination, options)
        except (AssertionError, ValueError, NetioError) as error:
            raise AssertionError(f"{destination} {options}") from error


def test_best_routes_of_a_multipath_use_every_leg(net: Namespace) -> None:
    """Shows that the test above does not pass by chance."""
    for stem in ("172.16.0.", "172.17.0.", "172.20.0.", "fd77::"):
        rows = [netioapi.get_best_route2(f"{stem}{last}")[0] for last in range(1, 33)]
        assert {row.interface_name for row in rows} == {"v0", "v1"}, stem


def test_best_route_to_nowhere_raises_its_code(net: Namespace) -> None:
    for destination, options, code in REFUSED:
        with pytest.raises(NetioError) as caught:
            netioapi.get_best_route2(destination, **keywords_of(options))
        assert caught.value.code == code, (destination, options)
    net.ip("-6 route delete default")
    net.ip("route delete default")
    for destination in ("192.0.2.1", "2001:db8::1", "10.53.0.1", "10.54.0.1"):
        with pytest.raises(NetioError) as caught:
            netioapi.get_best_route2(destination)
        assert caught.value.code == 1231, destination


def test_zone_of_a_destination_chooses_the_interface(net: Namespace) -> None:
    for link in LINKS:
        index = socket.if_nametoindex(link)
        for zone in (link, index):
            row, source = netioapi.get_best_route2(f"fe80::7%{zone}")
            assert (row.interface_name, row.interface_index) == (link, index)
            assert source == netioapi.get_best_route2("fe80::7", interface_index=index)[1]
    with pytest.raises(NetioError) as caught:
        netioapi.get_best_route2("fe80::7%4000")
    assert caught.value.code in (2, 87)

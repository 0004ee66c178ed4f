# SPDX-License-Identifier: MIT
"""What the kernel's values are in the rows of its own routes: every protocol and type, in both
families, beside `ip -json`. tests/c/rows_test.c has the values that no machine makes."""

from __future__ import annotations

import pytest

import netioapi
from netioapi import Watcher
from tests.linux.namespace import Namespace

# By the kernel's number: the name that `ip` prints (those of other numbers differ from machine to
# machine); number and name of the protocol in Microsoft's header, and those of the origin.
PROTOCOLS = {
    1: ("redirect", 4, "ICMP", 0, "MANUAL"),
    2: ("kernel", 2, "LOCAL", 1, "WELL_KNOWN"),
    3: ("boot", 3, "NET_MGMT", 0, "MANUAL"),
    4: ("static", 3, "NET_MGMT", 0, "MANUAL"),
    9: ("ra", 3, "NET_MGMT", 3, "ROUTER_ADVERTISEMENT"),
    16: ("dhcp", 3, "NET_MGMT", 2, "DHCP"),
    186: ("bgp", 14, "BGP", 0, "MANUAL"),
    187: ("isis", 9, "IS_IS", 0, "MANUAL"),
    188: ("ospf", 13, "OSPF", 0, "MANUAL"),
    189: ("rip", 8, "RIP", 0, "MANUAL"),
    192: ("eigrp", 16, "EIGRP", 0, "MANUAL"),
}
OTHER = (1, "OTHER", 0, "MANUAL")


def described(row: netioapi.IpForwardRow) -> tuple[int, int, str, int, str]:
    protocol, origin = row.protocol, row.origin
    return row.kernel_protocol, int(protocol), protocol.name, int(origin), origin.name


@pytest.mark.parametrize("family", [4, 6])
def test_every_protocol_has_the_number_and_the_name_of_the_header(
    netns: Namespace, family: int
) -> None:
    prefixes = [f"10.0.{n}.0/24" if family == 4 else f"fd00:{n + 1:x}::/32" for n in range(256)]
    with Watcher("route", snapshot=True) as watcher:
        netns.batch(
            "\n".join(f"route add {one} dev lo proto {n}" for n, one in enumerate(prefixes))
        )
        shown = netns.json(f"-N -{family} route show")
        numbers = {route["dst"]: int(route["protocol"]) for route in shown}
        names = {route["dst"]: route["protocol"] for route in netns.json(f"-{family} route show")}
        wanted = {}
        for prefix in prefixes:
            number = numbers[prefix]
            name, *rest = PROTOCOLS.get(number, (names[prefix], *OTHER))
            assert names[prefix] == name
            wanted[prefix] = (number, *rest)
        assert PROTOCOLS.keys() <= {number for number, *_ in wanted.values()}
        rows = netioapi.get_ip_forward_table2()
        table = {str(row.destination_prefix): described(row) for row in rows}
        assert {prefix: table[prefix] for prefix in prefixes} == wanted
        seen: dict[str, object] = {}
        while len(seen) < len(prefixes):
            batch = watcher.read(60)
            assert batch is not None
            for row in batch.routes:
                if (prefix := str(row.destination_prefix)) in wanted:
                    seen[prefix] = described(row)
        assert seen == wanted


def test_route_is_loopback_if_it_is_local_or_on_lo(netns: Namespace) -> None:
    netns.veth()
    netns.ip("address add 192.0.2.1/24 dev v0")
    kinds = ("unicast", "blackhole", "unreachable", "prohibit", "broadcast", "anycast", "local")
    for number, kind in enumerate(kinds):
        device = "" if kind in ("blackhole", "unreachable", "prohibit") else "dev v0"
        netns.ip(f"route add {kind} 10.0.{number}.0/24 {device} table 77")
    netns.ip("route add 10.9.0.0/24 dev lo table 77")
    types = {
        route["dst"]: (route.get("type", "unicast"), route.get("dev"))
        for route in netns.json("-details route show table 77")
    }
    with Watcher("route", snapshot=True, tables=[77]) as watcher:
        batch = watcher.read(60)
        assert batch is not None
        rows = {str(row.destination_prefix): row for row in batch.routes}
    assert rows.keys() >= types.keys()
    assert len(types) == len(kinds) + 1
    for destination, (kind, device) in types.items():
        row = rows[destination]
        assert row.type.name.lower() == kind
        # IPv4's routes that lead nowhere are on lo.
        on_lo = device in ("lo", None)
        assert row.loopback is (kind == "local" or on_lo), destination


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("type_", ["blackhole", "unreachable", "prohibit", "throw"])
def test_route_that_leads_nowhere_has_the_interface_lo(
    netns: Namespace, family: int, type_: str
) -> None:
    prefix = "10.9.0.0/16" if family == 4 else "fd09::/32"
    netns.ip("link set lo up")
    netns.ip(f"-{family} route add {type_} {prefix}")
    (row,) = (
        one for one in netioapi.get_ip_forward_table2() if str(one.destination_prefix) == prefix
    )
    assert (row.type.name, row.interface_index) == (type_.upper(), 1)
    assert row.interface_name == "lo"

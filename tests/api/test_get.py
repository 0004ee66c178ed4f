# SPDX-License-Identifier: MIT
"""The one-shot functions Get*, in a network of the test's own."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address, ip_network
from typing import Any

import pytest

import netioapi
from netioapi import (
    InvalidParameterError,
    IpForwardRow,
    IpInterfaceRow,
    NetioError,
    UnicastIpAddressRow,
    enums,
)
from tests.support.leaks import leaks
from tests.support.network import Network
from tests.support.paths import repo_text
from tests.support.platforms import WINDOWS, linux_only, skip_on_wine_alone

TABLES: list[Callable[..., Any]] = [
    netioapi.get_ip_forward_table2,
    netioapi.get_unicast_ip_address_table,
    netioapi.get_ip_interface_table,
]
ENTRIES: dict[Callable[..., Any], Any] = {
    netioapi.get_ip_forward_entry2: IpForwardRow("10.9.0.0/16", interface_index=1),
    netioapi.get_unicast_ip_address_entry: UnicastIpAddressRow("10.9.0.1", interface_index=1),
    netioapi.get_ip_interface_entry: IpInterfaceRow(socket.AF_INET, interface_index=99999),
}


@pytest.fixture
def net(netns: Network) -> Network:
    """v0 with 10.0.0.1/24 and fd00::1/64, both preferred, and a default route through it."""
    netns.veth()
    netns.ip("address add 10.0.0.1/24 dev v0")
    netns.ip("address add fd00::1/64 dev v0 nodad")
    netns.ip("route add default via 10.0.0.254")
    return netns


def test_route_table_reads_all_fields_of_a_route(net: Network) -> None:
    net.ip("route add 10.2.0.0/16 via 10.0.0.9 metric 7 proto bgp")
    routes = {row.destination_prefix: row for row in netioapi.get_ip_forward_table2()}
    row = routes[IPv4Network("10.2.0.0/16")]
    assert (row.next_hop, row.metric) == (IPv4Address("10.0.0.9"), 7)
    assert row.protocol is enums.RouteProtocol.BGP
    assert (row.interface_name, row.valid_lifetime) == ("v0", netioapi.INFINITE)
    assert row.interface_index == socket.if_nametoindex("v0")
    assert routes[IPv4Network("10.0.0.0/24")].next_hop == IPv4Address("0.0.0.0")
    of_linux = (row.type, row.table, row.tos, row.kernel_protocol, row.flags)
    assert of_linux == ((None,) * 5 if WINDOWS else (enums.RouteType.UNICAST, 254, 0, 186, 0))


@linux_only("routes have no source, tos, table or nexthop object")
def test_route_table_reads_fields_of_linux_alone(net: Network) -> None:
    net.ip("route add 10.2.0.0/16 via 10.0.0.9 src 10.0.0.1 tos 0x10")
    net.ip("route add blackhole 10.3.0.0/16 table 77")
    net.ip("nexthop add id 5 via 10.0.0.8 dev v0")
    net.ip("route add 10.4.0.0/16 nhid 5")
    routes = {row.destination_prefix: row for row in netioapi.get_ip_forward_table2()}
    row = routes[IPv4Network("10.2.0.0/16")]
    assert (row.preferred_source, row.tos, row.nexthop_id) == (IPv4Address("10.0.0.1"), 16, None)
    row = routes[IPv4Network("10.3.0.0/16")]
    assert (row.type, row.table) == (enums.RouteType.BLACKHOLE, 77)
    assert routes[IPv4Network("10.4.0.0/16")].nexthop_id == 5


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_tables_match_the_output_of_ip(net: Network, family: int) -> None:
    addresses = net.json(f"-{4 if family == socket.AF_INET else 6} address")
    said = {
        (one["ifindex"], ip_address(info["local"]), info["prefixlen"])
        for one in addresses
        for info in one["addr_info"]
    }
    rows = netioapi.get_unicast_ip_address_table(family)
    assert {(r.interface_index, r.address, r.on_link_prefix_length) for r in rows} == said
    assert {row.family for row in rows} == {family}

    said_routes = {
        (ip_network(one["dst"].replace("default", "0.0.0.0/0" if family == 2 else "::/0")))
        for one in net.json(f"-{4 if family == socket.AF_INET else 6} route show table all")
        if one.get("type") == "unicast" or "type" not in one
    }
    routes = netioapi.get_ip_forward_table2(family)
    shown = {r.destination_prefix for r in routes if r.type in (enums.RouteType.UNICAST, None)}
    assert shown <= said_routes
    assert shown

    links = {one["ifname"]: one for one in net.json("link")}
    interfaces = {row.interface_name: row for row in netioapi.get_ip_interface_table(family)}
    assert set(interfaces) == set(links)
    assert interfaces["v0"].nl_mtu == links["v0"]["mtu"]
    assert interfaces["v0"].connected is True
    assert interfaces["v0"].flags is None if WINDOWS else (interfaces["v0"].flags or 0) & 1


def test_table_of_both_families_is_their_sum(net: Network) -> None:
    for table in TABLES:
        keys = [row.key for row in table(family=socket.AF_UNSPEC)]
        parts = [row.key for f in (socket.AF_INET, socket.AF_INET6) for row in table(f)]
        assert sorted(keys) == sorted(parts)
        assert len(set(keys)) == len(keys)


@linux_only("lo is always up; an empty table is in tests/windows/test_failures.py")
def test_table_without_rows_is_empty(netns: Network) -> None:
    netns.ip("link set lo down")
    assert len(netioapi.get_ip_forward_table2(socket.AF_INET)) == 0
    assert len(netioapi.get_ip_forward_table2()) == 0


def test_entry_of_every_table_row_returns_that_row(net: Network) -> None:
    for table, entry in zip(TABLES, ENTRIES, strict=True):
        rows = table()
        assert rows
        for row in rows:
            assert entry(row) == row


def test_entry_of_a_constructed_key_returns_the_row(net: Network) -> None:
    index = socket.if_nametoindex("v0")
    route = netioapi.get_ip_forward_entry2(
        IpForwardRow("0.0.0.0/0", "10.0.0.254", interface_index=index)
    )
    assert (route.metric, route.interface_name) == (0, "v0")
    address = netioapi.get_unicast_ip_address_entry(
        UnicastIpAddressRow("fd00::1", interface_luid=route.interface_luid)
    )
    assert (address.on_link_prefix_length, address.interface_index) == (64, index)
    assert address.dad_state is enums.DadState.PREFERRED
    interface = netioapi.get_ip_interface_entry(
        IpInterfaceRow(socket.AF_INET6, interface_index=index)
    )
    assert (interface.interface_name, interface.nl_mtu) == ("v0", 1500)


def test_entry_after_a_change_returns_the_new_row(net: Network) -> None:
    before = netioapi.get_ip_interface_entry(
        IpInterfaceRow(socket.AF_INET, interface_index=socket.if_nametoindex("v0"))
    )
    net.ip("link set v0 mtu 1400")
    after = netioapi.get_ip_interface_entry(before)
    assert (before.nl_mtu, after.nl_mtu) == (1500, 1400)
    assert after != before
    assert after.key == before.key


def test_entry_of_a_missing_row_raises_not_found(net: Network) -> None:
    codes = []
    for entry, key in ENTRIES.items():
        with pytest.raises(NetioError) as caught:
            entry(key)
        codes.append(caught.value.code)
    assert codes == [1168, 1168, 2]
    net.sysctl("ipv6.conf.v0.disable_ipv6", 1)
    with pytest.raises(NetioError) as caught:
        netioapi.get_ip_interface_entry(
            IpInterfaceRow(socket.AF_INET6, interface_index=socket.if_nametoindex("v0"))
        )
    assert caught.value.code == 1168


def test_entry_of_an_index_beyond_24_bits_returns_its_own_row(net: Network) -> None:
    """The LUID has 24 bits for the index, so v1 has the LUID of v0; its rows are still
    distinguished."""
    index = socket.if_nametoindex("v0") + (1 << 24)
    net.ip(f"link add v1 index {index} mtu 1333 type veth peer name p1")
    rows = [
        r for r in netioapi.get_ip_interface_table(socket.AF_INET) if r.interface_index == index
    ]
    assert [r.interface_name for r in rows] == ["v1"]
    assert netioapi.get_ip_interface_entry(rows[0]) == rows[0]


def test_best_route_returns_route_and_source(net: Network) -> None:
    route, source = netioapi.get_best_route2("10.77.0.1")
    assert (route.destination_prefix, route.next_hop) == (
        IPv4Network("0.0.0.0/0"),
        IPv4Address("10.0.0.254"),
    )
    assert source == IPv4Address("10.0.0.1")
    index = socket.if_nametoindex("v0")
    for destination in (IPv6Address("fd00::9"), "fd00::9", IPv6Address("fd00::9").packed):
        for keywords in ({}, {"source": "fd00::1"}, {"interface_index": index}):
            route, source = netioapi.get_best_route2(destination, **keywords)
            assert route.interface_index == index
            assert source == IPv6Address("fd00::1")


@linux_only("a route cannot forbid a destination")
def test_best_route_to_an_unreachable_prefix_raises(net: Network) -> None:
    net.ip("route add unreachable 10.5.0.0/16")
    with pytest.raises(NetioError) as caught:
        netioapi.get_best_route2("10.5.0.1")
    assert caught.value.code == 1232


def test_best_route_without_a_route_or_interface_raises(net: Network) -> None:
    with pytest.raises(NetioError) as caught:
        netioapi.get_best_route2("2001:db8::1")
    assert caught.value.code == 1231
    with pytest.raises(NetioError) as caught:
        netioapi.get_best_route2("10.0.0.9", interface_index=99999)
    assert caught.value.code == 2
    with pytest.raises(InvalidParameterError, match="same address family"):
        netioapi.get_best_route2("10.0.0.9", source="fd00::1")


def test_teredo_port_is_that_of_the_teredo_address(net: Network) -> None:
    assert netioapi.get_teredo_port() == 0
    net.ip("address add 2001:0:4136:e378:8000:f227:3fff:fdd2/32 dev v0 nodad")
    assert netioapi.get_teredo_port() == 0xFFFF ^ 0xF227 & 0xFFFF


def test_connectivity_hint_with_a_default_route_is_internet_access(netns: Network) -> None:
    hint = netioapi.get_network_connectivity_hint()
    assert isinstance(hint, netioapi.NetworkConnectivityHint)
    assert hint.connectivity_level is enums.ConnectivityLevel.NONE
    netns.veth()
    netns.ip("address add 10.0.0.1/24 dev v0")
    netns.ip("route add default via 10.0.0.254")
    hint = netioapi.get_network_connectivity_hint()
    assert hint.connectivity_level is enums.ConnectivityLevel.INTERNET_ACCESS
    assert isinstance(hint.roaming, bool)


def test_supported_is_true_for_the_headers_functions_alone() -> None:
    skip_on_wine_alone("some of them")
    text = repo_text("csrc/contract/linux/netioapi.h")
    for name in set(re.findall(r"^(?:NETIO_STATUS NETIOAPI_API_ )?(\w+)\(", text, re.MULTILINE)):
        if name[:3] in ("Get", "Not", "Can", "Con"):
            assert netioapi.supported(name), name
    ours = [name for name in netioapi.__all__ if re.match("get_|notify_|cancel_", name)]
    assert len(ours) > 10
    for name in ours:
        assert netioapi.supported(name) is True
    for name in ("", "GetIfTable2", "getbestroute2", "get_best_route", "get_best_route22", "é_"):
        assert netioapi.supported(name) is False
    for wrong in (None, 1, b"GetBestRoute2"):
        with pytest.raises(TypeError):
            netioapi.supported(wrong)  # type: ignore[arg-type]


# Wrong arguments


@pytest.mark.parametrize("table", TABLES)
def test_table_of_unknown_family_raises(table: Callable[..., object]) -> None:
    for family in (1, 99, -1, 2**70, True + True + True):
        with pytest.raises(InvalidParameterError, match="AF_UNSPEC") as caught:
            table(family)
        assert caught.value.code == 87
    for wrong in ("AF_INET", None, 2.0, [], object()):
        with pytest.raises(TypeError, match="family"):
            table(wrong)
    with pytest.raises(TypeError):
        table(2, 2)
    with pytest.raises(TypeError):
        table(nothing=1)


@pytest.mark.parametrize("entry", ENTRIES)
def test_entry_with_wrong_row_type_raises_type_error(entry: Callable[..., object]) -> None:
    own = ENTRIES[entry]
    for wrong in (None, 1, "x", *(row for row in ENTRIES.values() if row is not own)):
        with pytest.raises(TypeError, match=type(own).__name__):
            entry(wrong)
    with pytest.raises(TypeError):
        entry()


@pytest.mark.parametrize("wrong", [None, 1, IPv4Network("10.0.0.0/8"), object()])
def test_best_route_with_wrong_address_type_raises_type_error(wrong: Any) -> None:
    with pytest.raises(TypeError, match="address"):
        netioapi.get_best_route2(wrong)
    if wrong is not None:
        with pytest.raises(TypeError, match="address"):
            netioapi.get_best_route2("10.0.0.1", source=wrong)


@pytest.mark.parametrize("wrong", ["", "x", "10.0.0.0/8", "10.0.0.256", ":::", b"", b"12345", "\0"])
def test_best_route_with_malformed_address_raises(wrong: Any) -> None:
    with pytest.raises(InvalidParameterError):
        netioapi.get_best_route2(wrong)
    with pytest.raises(InvalidParameterError):
        netioapi.get_best_route2("10.0.0.1", source=wrong)


def test_best_route_with_wrong_interface_raises() -> None:
    for wrong in (-1, 2**32, 2**70):
        with pytest.raises(InvalidParameterError):
            netioapi.get_best_route2("10.0.0.1", interface_index=wrong)
    for other in ("v0", None, 1.0):
        with pytest.raises(TypeError):
            netioapi.get_best_route2("10.0.0.1", interface_index=other)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        netioapi.get_best_route2("10.0.0.1", "10.0.0.1")  # type: ignore[call-arg]


def test_query_functions_have_signatures_and_docstrings() -> None:
    import inspect

    for name in netioapi.__all__:
        if not re.match("get_|supported", name):
            continue
        function = getattr(netioapi, name)
        inspect.signature(function)
        assert "Source: " in function.__doc__
        assert "Returns: " in function.__doc__
        assert "Raises: " in function.__doc__
    signature = inspect.signature(netioapi.get_best_route2)
    assert str(signature) == "(destination, *, source=None, interface_index=0)"


def test_tables_read_by_many_threads_are_complete(net: Network) -> None:
    """A query reads the namespace of the calling thread, so each thread enters it."""
    expected = [sorted(row.key for row in table()) for table in TABLES]
    wrong: list[object] = []

    def ask() -> None:
        with net:
            for _ in range(20):
                got = [sorted(row.key for row in table()) for table in TABLES]
                if got != expected:
                    wrong.append(got)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    assert not wrong


def test_queries_leak_nothing(net: Network) -> None:
    row = netioapi.get_ip_forward_table2()[0]

    def use() -> None:
        for table in TABLES:
            table()
        netioapi.get_ip_forward_entry2(row)
        netioapi.get_best_route2("10.77.0.1", source="10.0.0.1")
        netioapi.get_teredo_port()
        netioapi.get_network_connectivity_hint()
        netioapi.supported("GetBestRoute2")
        for wrong in ("x", IPv4Network("10.0.0.0/8"), "2001:db8::1"):
            with pytest.raises((TypeError, OSError)):
                netioapi.get_best_route2(wrong)  # type: ignore[arg-type]

    assert not leaks(use)

# SPDX-License-Identifier: MIT
"""The Get*Entry functions with rows from anywhere: a table, a watcher, a callback, or constructed;
also when the thing has changed, is gone, or never was. And the family filter of each function."""

from __future__ import annotations

import socket
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

import netioapi
from netioapi import (
    IpForwardRow,
    IpInterfaceRow,
    NetioError,
    NotificationType,
    UnicastIpAddressRow,
    Watcher,
)
from tests.linux.namespace import Namespace
from tests.support.collector import Collector

ENTRIES: dict[type, Callable[[Any], Any]] = {
    IpForwardRow: netioapi.get_ip_forward_entry2,
    UnicastIpAddressRow: netioapi.get_unicast_ip_address_entry,
    IpInterfaceRow: netioapi.get_ip_interface_entry,
}
TABLES: list[Callable[[int], Any]] = [
    netioapi.get_ip_forward_table2,
    netioapi.get_unicast_ip_address_table,
    netioapi.get_ip_interface_table,
]
NOTIFY: list[Callable[..., Any]] = [
    netioapi.notify_route_change2,
    netioapi.notify_unicast_ip_address_change,
    netioapi.notify_ip_interface_change,
]
KINDS = ["route", "address", "interface"]
GONE = {IpForwardRow: 1168, UnicastIpAddressRow: 2, IpInterfaceRow: 2}


@pytest.fixture
def net(netns: Namespace) -> Namespace:
    netns.sysctl("ipv6.conf.default.accept_dad", 0)
    for number in range(2):
        netns.veth(f"v{number}", f"p{number}")
        netns.ip(f"address add 10.{number}.0.1/24 dev v{number}")
        netns.ip(f"address add fd00:{number}::1/64 dev v{number} nodad")
    return netns


def code_of(row: Any) -> int:
    with pytest.raises(NetioError) as caught:
        ENTRIES[type(row)](row)
    return caught.value.code


def test_entry_of_every_watcher_row_returns_that_row(net: Namespace) -> None:
    """Also rows of tables that other functions leave out, and of prefixes that occur several
    times."""
    net.ip("route add 172.16.0.0/16 via 10.0.0.9 metric 7")
    net.ip("route add 172.16.0.0/16 via 10.0.0.9 metric 8")
    net.ip("route add 172.16.0.0/16 via 10.0.0.9 tos 0x10")
    net.ip("route add 172.16.0.0/16 via 10.0.0.9 table 77")
    net.ip("route add 172.17.0.0/16 via inet6 fd00:0::9 dev v0")
    net.ip("route add blackhole 172.18.0.0/16")
    net.ip("route add 172.19.0.0/16 nexthop via 10.0.0.9 nexthop via 10.1.0.9")
    net.ip("-6 route add fd77::/64 nexthop via fd00:0::9 nexthop via fd00:1::9")
    net.ip("-6 route add fd78::/64 via fe80::9 dev v0")
    net.ip("address add 10.7.0.1 peer 10.7.0.2/32 dev v0")
    net.ip("address add 10.7.0.1 peer 10.7.0.3/32 dev v0")
    with Watcher(*KINDS, tables=[254, 255, 77], snapshot=True) as watcher:
        rows: list[Any] = []
        while (batch := watcher.read(timeout=60)) is not None:
            rows += [change.row for change in batch if change.row is not None]
            if batch.synced:
                break
    found = [row for row in rows if isinstance(row, IpForwardRow)]
    assert len([r for r in found if r.destination_prefix == ip_network("172.16.0.0/16")]) == 4
    assert {row.table for row in found} == {254, 255, 77}
    for row in rows:
        again = ENTRIES[type(row)](row)
        assert again.key == row.key
        assert repr(again) == repr(row)


def test_entry_of_a_row_without_details_returns_the_row(
    net: Namespace, collector: Collector
) -> None:
    with netioapi.notify_route_change2(collector, details=False):
        net.ip("route add 172.16.0.0/16 via 10.0.0.9 metric 7")
        row, _ = collector.wait_any(
            lambda row, _: row.destination_prefix == ip_network("172.16.0.0/16")
        )
    assert row.metric is None
    assert netioapi.get_ip_forward_entry2(row).metric == 7


def test_entry_of_an_ambiguous_key_returns_the_best_route(net: Namespace) -> None:
    for metric in (30, 10, 20):
        net.ip(f"route add 172.16.0.0/16 via 10.0.0.9 metric {metric}")
    net.ip("route add 172.16.0.0/16 via 10.0.0.9 metric 5 table 77")  # no rule leads to that table
    index = socket.if_nametoindex("v0")
    luid = netioapi.get_ip_interface_entry(
        IpInterfaceRow(socket.AF_INET, interface_index=index)
    ).interface_luid
    for keywords in ({"interface_index": index}, {"interface_luid": luid}):
        key = IpForwardRow("172.16.0.0/16", "10.0.0.9", **keywords)
        assert netioapi.get_ip_forward_entry2(key).metric == 10
        assert (
            netioapi.get_ip_interface_entry(
                IpInterfaceRow(socket.AF_INET6, **keywords)
            ).interface_index
            == index
        )
        address = UnicastIpAddressRow("10.0.0.1", **keywords)
        assert netioapi.get_unicast_ip_address_entry(address).on_link_prefix_length == 24
    # The LUID takes precedence over the index.
    other = socket.if_nametoindex("v1")
    key = IpForwardRow("172.16.0.0/16", "10.0.0.9", interface_index=other, interface_luid=luid)
    assert netioapi.get_ip_forward_entry2(key).interface_index == index


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (lambda i: IpForwardRow("172.16.0.0/16", "10.0.0.8", interface_index=i), 1168),
        (lambda i: IpForwardRow("172.16.0.0/17", "10.0.0.9", interface_index=i), 1168),
        (lambda i: IpForwardRow("172.16.0.0/16", interface_index=i), 1168),
        (lambda i: IpForwardRow("172.16.0.0/16", "10.0.0.9", interface_index=i + 1000), 1168),
        (lambda i: IpForwardRow("172.16.0.0/16", "10.0.0.9"), 1168),
        (lambda i: UnicastIpAddressRow("10.0.0.2", interface_index=i), 1168),
        (lambda i: UnicastIpAddressRow("10.1.0.1", interface_index=i), 1168),
        (lambda i: UnicastIpAddressRow("10.0.0.1", interface_index=i + 1000), 2),
        (lambda i: UnicastIpAddressRow("10.0.0.1", interface_luid=1 << 63), 2),
        (lambda i: IpInterfaceRow(socket.AF_INET, interface_index=i + 1000), 2),
        (lambda i: IpInterfaceRow(socket.AF_INET6, interface_luid=23 << 48 | i << 24), 2),
    ],
)
def test_entry_of_a_missing_row_raises_its_code(
    net: Namespace, row: Callable[[int], Any], code: int
) -> None:
    net.ip("route add 172.16.0.0/16 via 10.0.0.9")
    assert code_of(row(socket.if_nametoindex("v0"))) == code


def test_entry_of_a_row_of_a_deleted_interface_raises_its_code(net: Namespace) -> None:
    index = socket.if_nametoindex("v0")
    collectors = [Collector() for _ in NOTIFY]
    live = [n(c) for n, c in zip(NOTIFY, collectors, strict=True)]
    rows = [row for table in TABLES for row in table(0) if row.interface_index == index]
    assert {type(row) for row in rows} == set(ENTRIES)
    net.ip("link delete v0")
    for collector in collectors:
        rows.append(
            collector.wait_any(
                lambda row, type_: row.interface_index == index and type_ == NotificationType.DELETE
            )[0]
        )
    for registration in live:
        registration.cancel()
    for row in rows:
        assert code_of(row) == GONE[type(row)], row
    # The kernel may reuse the index, and a LUID consists of index and type.
    net.ip(f"link add w0 index {index} type bridge")
    net.ip("link set w0 up")
    interface = next(row for row in rows if isinstance(row, IpInterfaceRow))
    assert netioapi.get_ip_interface_entry(interface).interface_name == "w0"


FAMILIES = [socket.AF_UNSPEC, socket.AF_INET, socket.AF_INET6]


def family_of(row: Any) -> int:
    if isinstance(row, IpInterfaceRow):
        return int(row.family)
    version = (
        row.address.version
        if isinstance(row, UnicastIpAddressRow)
        else (row.destination_prefix.version)
    )
    return int(socket.AF_INET if version == 4 else socket.AF_INET6)


def change_everything(net: Namespace) -> None:
    net.ip("address add 10.9.0.1/24 dev v0")
    net.ip("address add fd00:9::1/64 dev v0 nodad")
    net.ip("route add 172.16.0.0/16 via inet6 fd00:0::9 dev v0")  # IPv4 through an IPv6 gateway
    net.ip("-6 route add fd77::/64 via fd00:0::9")
    net.ip("link set v0 mtu 1400")


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_family_filters_every_function(net: Namespace, family: int) -> None:
    wanted = {family} if family else {socket.AF_INET, socket.AF_INET6}
    collectors = [Collector() for _ in NOTIFY]
    witnesses = [Collector() for _ in NOTIFY]
    live = [n(c, family) for n, c in zip(NOTIFY, collectors, strict=True)]
    live += [n(c) for n, c in zip(NOTIFY, witnesses, strict=True)]
    with Watcher(*KINDS, family=family) as watcher:
        change_everything(net)
        net.ip("link delete v0")
        for collector in (*collectors, *witnesses):
            for each in wanted if collector in collectors else {socket.AF_INET, socket.AF_INET6}:
                collector.wait_any(
                    lambda row, type_, each=each: (
                        type_ == NotificationType.DELETE and family_of(row) == each
                    )
                )
        rows = [row for collector in collectors for row, _ in collector.events]
        watched: list[Any] = []
        while {(type(row), family_of(row)) for row in watched} < {
            (kind, each) for kind in ENTRIES for each in wanted
        }:
            batch = watcher.read(timeout=60)
            assert batch is not None
            watched += [change.row for change in batch if change.row is not None]
    for registration in live:
        registration.cancel()
    net.ip("route add 172.17.0.0/16 via inet6 fd00:1::9 dev v1")
    tables = [row for table in TABLES for row in table(family)]
    for got in (rows, watched, tables):
        assert {family_of(row) for row in got} == wanted
        assert {type(row) for row in got} == set(ENTRIES)
    assert ip_address("127.0.0.1") in {
        row.address for row in netioapi.get_unicast_ip_address_table(socket.AF_INET)
    }

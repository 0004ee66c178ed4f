# SPDX-License-Identifier: MIT
"""The arguments that the callbacks of each Notify* function get, on a real network."""

from __future__ import annotations

import socket
import threading
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

import netioapi
from netioapi import NotificationType
from tests.support.collector import Collector
from tests.support.network import Network, settle_slowly
from tests.support.platforms import WINDOWS
from tests.support.routes import is_route

ADD, DELETE, INITIAL = NotificationType.ADD, NotificationType.DELETE, NotificationType.INITIAL

ROW_FUNCTIONS = [
    netioapi.notify_ip_interface_change,
    netioapi.notify_unicast_ip_address_change,
    netioapi.notify_route_change2,
]
FAMILIES = [socket.AF_UNSPEC, socket.AF_INET, socket.AF_INET6]


def test_route_callback_gets_row_and_type(netns: Network, collector: Collector) -> None:
    index = netns.veth()
    with netioapi.notify_route_change2(collector) as registration:
        netns.ip("route add 198.18.0.7 dev v0 metric 5")
        row, type_ = collector.wait_any(is_route(7))
        assert isinstance(row, netioapi.IpForwardRow)
        assert (row.interface_index, row.metric, type_) == (index, 5, ADD)
        assert isinstance(type_, NotificationType)
        netns.ip("route del 198.18.0.7")
        gone, type_ = collector.wait_any(is_route(7, DELETE))
        # Windows gives the key alone, and a deleted row cannot be read again.
        metric = None if WINDOWS else 5
        assert (gone.destination_prefix, gone.metric) == (row.destination_prefix, metric)
        assert (registration.function, registration.family) == ("NotifyRouteChange2", 0)


def test_address_callback_gets_row_and_type(netns: Network, collector: Collector) -> None:
    index = netns.veth()
    with netioapi.notify_unicast_ip_address_change(collector, socket.AF_INET) as registration:
        netns.ip("address add 198.51.100.1/24 dev v0")
        row, type_ = collector.wait_any(lambda row, type: True)
        assert isinstance(row, netioapi.UnicastIpAddressRow)
        assert (row.address, row.on_link_prefix_length) == (ip_address("198.51.100.1"), 24)
        assert (row.interface_index, type_) == (index, ADD)
        assert registration.function == "NotifyUnicastIpAddressChange"
        assert registration.family == socket.AF_INET


def test_interface_callback_gets_row_and_type(netns: Network, collector: Collector) -> None:
    with netioapi.notify_ip_interface_change(collector, socket.AF_INET6) as registration:
        index = netns.veth()
        row, _ = collector.wait_any(lambda row, type: row.interface_index == index and type == ADD)
        assert isinstance(row, netioapi.IpInterfaceRow)
        assert row.family == socket.AF_INET6
        assert registration.function == "NotifyIpInterfaceChange"


@pytest.mark.parametrize("function", ROW_FUNCTIONS, ids=lambda function: function.__name__)
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_initial_notification_comes_first_and_once(
    netns: Network, collector: Collector, function: Any, family: int
) -> None:
    with function(collector, family, initial_notification=True) as registration:
        assert collector.wait_count(1)[0] == (None, INITIAL)
        netns.veth()
        netns.ip("address add 198.51.100.1/24 dev v0")
        netns.ip("address add 2001:db8::1/64 dev v0 nodad")
        collector.wait_count(2)
        assert registration.delivered >= 2
    assert [type for _, type in collector.events].count(INITIAL) == 1
    assert all((row is None) == (type == INITIAL) for row, type in collector.events)


@pytest.mark.parametrize("function", ROW_FUNCTIONS, ids=lambda function: function.__name__)
def test_initial_notification_may_wait_for_the_registering_thread(
    netns: Network, function: Any
) -> None:
    returned, seen = threading.Event(), Collector()

    def look(row: Any, type: Any) -> None:
        assert returned.wait(20)
        seen(type, threading.get_ident())

    with function(look, initial_notification=True):
        returned.set()
        type, thread = seen.wait_count(1)[0]
        assert type == INITIAL
        assert thread != threading.get_ident()


@pytest.mark.parametrize("function", ROW_FUNCTIONS, ids=lambda function: function.__name__)
def test_initial_notification_is_absent_by_default(
    netns: Network, collector: Collector, function: Any
) -> None:
    with function(collector):
        netns.veth()
        netns.ip("address add 198.51.100.1/24 dev v0")
        collector.wait_count(1)
    assert all(type != INITIAL and row is not None for row, type in collector.events)


def test_callback_of_one_family_gets_no_row_of_the_other(netns: Network) -> None:
    netns.veth()
    v4, v6 = Collector(), Collector()
    with (
        netioapi.notify_route_change2(v4, socket.AF_INET),
        netioapi.notify_route_change2(v6, family=socket.AF_INET6),
    ):
        netns.ip("route add 198.18.0.1 dev v0")
        netns.ip("-6 route add 2001:db8::1 dev v0")
        v4.wait_any(is_route(1))
        v6.wait_any(lambda row, type: row.destination_prefix == ip_network("2001:db8::1"))
    assert {row.destination_prefix.version for row, _ in v4.events} == {4}
    assert {row.destination_prefix.version for row, _ in v6.events} == {6}


def test_callback_without_details_gets_key_fields_alone(
    netns: Network, collector: Collector
) -> None:
    index = netns.veth()
    with netioapi.notify_route_change2(collector, details=False):
        netns.ip("route add 198.18.0.7 dev v0 metric 5")
        row, _ = collector.wait_any(is_route(7))
    assert row.interface_index == index
    assert row.metric is None
    assert row.protocol is None


def teredo(port: int) -> str:
    return f"2001:0:c000:201:8000:{port ^ 0xFFFF:x}:3fff:fdfe"


def test_teredo_callback_gets_port_changes(netns: Network, collector: Collector) -> None:
    netns.veth()
    with netioapi.notify_teredo_port_change(collector, initial_notification=True) as registration:
        netns.ip(f"address add {teredo(4567)}/32 dev v0 nodad")
        collector.wait_any(lambda port, type: port == 4567)
        netns.ip(f"address del {teredo(4567)}/32 dev v0")
        collector.wait_any(lambda port, type: port == 0 and type != INITIAL)
        assert (registration.function, registration.family) == ("NotifyTeredoPortChange", None)
    assert collector.events[0] == (0, INITIAL)
    assert [type for _, type in collector.events].count(INITIAL) == 1


def test_hint_callback_gets_connectivity_changes(netns: Network, collector: Collector) -> None:
    with netioapi.notify_network_connectivity_hint_change(
        collector, initial_notification=True
    ) as registration:
        (first,) = collector.wait_count(1)[0]
        assert first == netioapi.get_network_connectivity_hint()
        netns.veth()
        netns.ip("address add 198.51.100.1/24 dev v0")
        (local,) = collector.wait_any(
            lambda hint: hint.connectivity_level == netioapi.ConnectivityLevel.LOCAL_ACCESS
        )
        netns.ip("route add default via 198.51.100.2")
        collector.wait_any(
            lambda hint: hint.connectivity_level == netioapi.ConnectivityLevel.INTERNET_ACCESS
        )
        assert isinstance(local, netioapi.NetworkConnectivityHint)
        assert registration.family is None


def test_stable_table_without_tentative_addresses_returns_at_once(
    netns: Network, collector: Collector
) -> None:
    netns.veth()
    netns.ip("address add 198.51.100.1/24 dev v0")
    table, registration = netioapi.notify_stable_unicast_ip_address_table(collector, socket.AF_INET)
    assert table is not None
    assert registration is None
    assert ip_address("198.51.100.1") in [row.address for row in table]
    assert not collector.events


def test_stable_table_with_tentative_addresses_arrives_by_callback(
    netns: Network, collector: Collector
) -> None:
    settle_slowly(netns)
    netns.veth()  # its link-local addresses are tentative for one or two seconds
    netns.ip("address add 2001:db8::1/64 dev v0")
    table, registration = netioapi.notify_stable_unicast_ip_address_table(
        collector, socket.AF_INET6
    )
    assert table is None
    assert registration is not None
    with registration:
        (stable,) = collector.wait_count(1)[0]
        assert ip_address("2001:db8::1") in [row.address for row in stable]
        netns.ip("address add 2001:db8::2/64 dev v0")
        collector.wait_any(lambda t: ip_address("2001:db8::2") in [row.address for row in t])
    assert registration.function == "NotifyStableUnicastIpAddressTable"

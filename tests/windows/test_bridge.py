# SPDX-License-Identifier: MIT
"""Changes of a real kernel, through the stand-in, to the extension. Optional: tools/windows/suite
-b runs it.

The kernel's changes fill the stand-in's tables, so what Windows CPython sees here can be compared
with `ip`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

import pytest

import netioapi
from netioapi import NotificationType, Watcher
from tests.support.collector import Collector
from tests.support.waiting import eventually
from tests.windows.bridged import BridgedNetwork

pytestmark = [
    pytest.mark.bridge,
    pytest.mark.skipif("NETIOAPI_BRIDGE" not in os.environ, reason="no bridge: suite -b makes one"),
]
ADD, DELETE = NotificationType.ADD, NotificationType.DELETE


@pytest.fixture
def kernel() -> Iterator[BridgedNetwork]:
    with BridgedNetwork() as network:
        network.ip("link add v0 type veth peer name p0")
        network.ip("link set v0 up")
        network.ip("link set p0 up")
        network.ip("address add 192.0.2.1/24 dev v0")
        try:
            yield network
        finally:
            network.ip("link del v0")


def prefixes(network: BridgedNetwork) -> set[str]:
    """The unicast routes of the main table through v0, by `ip`."""
    found = network.json("route show table main dev v0")
    return {one["dst"] for one in found if one.get("type", "unicast") == "unicast"}


def test_route_of_a_real_kernel_reaches_a_callback(
    kernel: BridgedNetwork, collector: Collector
) -> None:
    with netioapi.notify_route_change2(collector):
        kernel.ip("route add 198.51.100.0/24 via 192.0.2.2")
        wanted = ip_network("198.51.100.0/24")
        row, _ = collector.wait_any(lambda row, type: row.destination_prefix == wanted)
        assert row.interface_name == "v0"
        assert str(row.next_hop) == "192.0.2.2"
        kernel.ip("route del 198.51.100.0/24")
        collector.wait_any(lambda row, type: row.destination_prefix == wanted and type == DELETE)


def test_unreported_removal_of_a_real_kernel_reaches_a_callback(
    kernel: BridgedNetwork, collector: Collector
) -> None:
    """Linux removes the IPv4 routes of a link that goes down without a notification; the Linux
    tower at the other end of the bridge finds them."""
    kernel.ip("route add 198.51.100.0/24 via 192.0.2.2")
    with netioapi.notify_route_change2(collector):
        kernel.ip("link set v0 down")
        wanted = ip_network("198.51.100.0/24")
        collector.wait_any(lambda row, type: row.destination_prefix == wanted and type == DELETE)


def test_watcher_over_the_bridge_matches_ip(kernel: BridgedNetwork) -> None:
    with Watcher("route", interfaces=["v0"], family=2, snapshot=True) as watcher:
        for number in range(20):
            kernel.ip(f"route add 198.51.{number}.0/24 via 192.0.2.2 metric {number + 1}")
            if number % 3 == 0:
                kernel.ip(f"route del 198.51.{number}.0/24")
        known: dict[bytes, Any] = {}

        def follow() -> bool:
            while (batch := watcher.read(timeout=0)) is not None:
                for change in batch:
                    if change.type == DELETE:
                        known.pop(change.row.key, None)
                    else:
                        known[change.row.key] = change.row
            return {str(row.destination_prefix) for row in known.values()} == prefixes(kernel)

        assert len(prefixes(kernel)) == 14
        eventually(follow, what="the routes of v0")

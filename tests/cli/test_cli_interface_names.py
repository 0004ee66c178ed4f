# SPDX-License-Identifier: MIT
"""`--interface` by name: interfaces that do not exist yet, alternative names, and the name that is
printed of an interface that has gone."""

from __future__ import annotations

import pytest

from tests.support.cli import Running, live_monitor, netioapi, records
from tests.support.network import Network
from tests.support.platforms import WINDOWS, linux_only


@pytest.fixture
def v0(netns: Network) -> Network:
    netns.veth("v0", "p0")
    netns.ip("address add 192.0.2.1/24 dev v0")
    return netns


def test_monitor_waits_for_an_interface_of_the_name(netns: Network) -> None:
    with live_monitor("--interface", "late", "--wait-for-interface") as monitor:
        for peer in ("p1", "p2"):  # it goes, and comes back
            index = netns.veth("late", peer)
            netns.ip(f"route add 203.0.113.{index}/32 dev late")
            found = monitor.wait_record(destination_prefix=f"203.0.113.{index}/32", change="add")
            assert (found["interface_name"], found["interface_index"]) == ("late", index)
            netns.ip("link delete late")
            found = monitor.wait_record(destination_prefix=f"203.0.113.{index}/32", change="delete")
            # Windows is asked for the name when the row is read, after the interface has gone.
            names = {"late", None} if WINDOWS else {"late"}
            assert found["interface_name"] in names
            assert found["interface_index"] == index


@linux_only("Windows has no alternative names")
def test_monitor_and_show_take_alternative_names(v0: Network) -> None:
    name = "a-long-alternative-name-of-v0"
    v0.ip(f"link property add dev v0 altname {name}")
    v0.ip("route add 203.0.113.1/32 dev v0")
    shown = records(netioapi("show", "route", "--interface", name, "--json").stdout)
    assert "203.0.113.1/32" in {record["destination_prefix"] for record in shown}
    assert {record["interface_name"] for record in shown} == {"v0"}
    with live_monitor("route", "--interface", name) as monitor:
        v0.ip("route add 203.0.113.2/32 dev v0")
        monitor.wait_record(destination_prefix="203.0.113.2/32", interface_name="v0")


@linux_only("Windows looks names up when they are read")
def test_monitor_prints_the_name_that_the_interface_had(v0: Network) -> None:
    """Its index is another link's by the time that the line is printed."""
    index = v0.json("link show dev v0")[0]["ifindex"]
    v0.ip("route add 203.0.113.1/32 dev v0")
    with live_monitor() as monitor, Running("monitor", "--snapshot") as people:
        people.wait_line(lambda line: " = " in line)
        v0.batch(f"link delete v0\nlink add w0 index {index} type veth peer name q0")
        found = monitor.wait_record(destination_prefix="203.0.113.1/32", change="delete")
        assert found["interface_name"] == "v0"
        assert monitor.wait_record(kind="address", change="delete")["interface_name"] == "v0"
        people.wait_line(lambda line: " - route" in line and "203.0.113.1/32 dev v0" in line)

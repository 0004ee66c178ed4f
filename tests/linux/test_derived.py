# SPDX-License-Identifier: MIT
"""Values that Windows reports and the kernel does not: the connectivity hint, the Teredo port
and the stable table, derived from links, addresses and routes. Each step is one change and its
result."""

from __future__ import annotations

import itertools
import resource
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, ip_address

import pytest

import netioapi
from netioapi import NotificationType
from netioapi.enums import ConnectivityLevel, DadState
from tests.linux.namespace import Namespace
from tests.support.collector import Collector
from tests.support.waiting import TIMEOUT_S

NONE, LOCAL, INTERNET = (
    ConnectivityLevel.NONE,
    ConnectivityLevel.LOCAL_ACCESS,
    ConnectivityLevel.INTERNET_ACCESS,
)

HINTS = [
    ("route add default dev v0", NONE),  # without an address it leads nowhere
    ("address add 10.0.0.1/24 dev v0", INTERNET),
    ("route delete default", LOCAL),
    ("route add default via 10.0.0.9 table 77", LOCAL),
    ("route add blackhole default", LOCAL),
    ("route delete default", LOCAL),
    ("route add default dev lo", LOCAL),
    ("route delete default", LOCAL),
    ("route add default via 10.0.0.9 table default", INTERNET),
    ("link set p0 down", NONE),  # no carrier; addresses and routes stay
    ("link set p0 up", INTERNET),
    ("route delete default table default", LOCAL),
    ("route add default via 10.0.0.9 metric 5", INTERNET),
    ("route replace default via 10.0.0.8 metric 5", INTERNET),
    ("link set v0 down", NONE),  # removes its routes without a notification
    ("link set v0 up", LOCAL),
    ("nexthop add id 1 via 10.0.0.9 dev v0", LOCAL),
    ("route add default nhid 1", INTERNET),
    ("nexthop delete id 1", LOCAL),  # also without a notification
    ("-6 address add fd00::1/64 dev v0 nodad", LOCAL),
    ("-6 route add default via fd00::9", INTERNET),
    ("address delete 10.0.0.1/24 dev v0", INTERNET),
    ("-6 route delete default", LOCAL),
    ("-6 address delete fd00::1/64 dev v0", NONE),
    ("address add 10.0.0.1/24 dev v0", LOCAL),
    # The route of the lowest metric wins, also one that leads nowhere.
    ("route add default via 10.0.0.9 metric 20", INTERNET),
    ("route add unreachable default metric 10", LOCAL),
    ("route add default via 10.0.0.8 metric 5", INTERNET),
    ("route delete default metric 5", LOCAL),
    ("route replace prohibit default metric 10", LOCAL),
    ("route add default via 10.0.0.9 table default", LOCAL),  # is not asked then
    ("route delete default metric 20", LOCAL),
    ("route delete prohibit default metric 10", INTERNET),
    ("route add throw default metric 1", INTERNET),  # passes on to the table default
    ("route delete throw default metric 1", INTERNET),
    ("route delete default table default", LOCAL),
    ("route add default dev lo metric 1", LOCAL),
    ("route add default via 10.0.0.9 metric 20", LOCAL),
    ("route delete default metric 1", INTERNET),
    ("-6 route add unreachable default metric 1", INTERNET),  # of the other family
    ("route delete default metric 20", LOCAL),
    # A host's own address of 169.254.0.0/16, and its default route.
    ("address add 169.254.7.7/16 dev v0", LOCAL),
    ("address delete 10.0.0.1/24 dev v0", LOCAL),
    ("route add default dev v0 metric 1002", LOCAL),
    ("address add 10.0.0.1/24 dev v0", INTERNET),
    ("route replace default dev v0 metric 1002 src 169.254.7.7", LOCAL),
    ("route replace default dev v0 metric 1002 src 10.0.0.1", INTERNET),
    ("route delete default metric 1002", LOCAL),
    # IPv6 without an address that is heard beyond the link.
    ("-6 route delete unreachable default metric 1", LOCAL),
    ("-6 address add fe80::7/64 dev v0 nodad", LOCAL),
    ("-6 route add default via fe80::9 dev v0", LOCAL),
    ("-6 address add 2001:db8::7/64 dev v0 nodad", INTERNET),
    ("-6 route add unreachable default metric 1", LOCAL),
    ("-6 route add default from 2001:db8::/64 via fe80::9 dev v0 metric 9", INTERNET),
    ("link delete v0", NONE),
]


def without_link_local(netns: Namespace) -> None:
    """Links have the addresses that a test adds, and no others."""
    netns.sysctl("ipv6.conf.default.addr_gen_mode", 1)


def wait_for_level(collector: Collector, level: ConnectivityLevel) -> None:
    collector.wait_for(lambda events: events[-1][0].connectivity_level == level)


def test_hint_after_each_change_matches(netns: Namespace, collector: Collector) -> None:
    without_link_local(netns)
    netns.veth()
    with netioapi.notify_network_connectivity_hint_change(collector, initial_notification=True):
        assert collector.wait_count(1)[0][0].connectivity_level == NONE
        for number, (step, level) in enumerate(HINTS):
            netns.ip(step)
            wait_for_level(collector, level)
            assert netioapi.get_network_connectivity_hint() == collector.events[-1][0], (
                number,
                step,
            )
    levels = [hint.connectivity_level for (hint,) in collector.events]
    assert all(a != b for a, b in itertools.pairwise(levels)), levels
    hint = collector.events[-1][0]
    assert hint.connectivity_cost == netioapi.ConnectivityCost.UNKNOWN
    assert (hint.approaching_data_limit, hint.over_data_limit, hint.roaming) == (False,) * 3


def teredo(port: int, server: int = 0x0201) -> str:
    return f"2001:0:c000:{server:x}:8000:{port ^ 0xFFFF:x}:3fff:fdfe"


def test_teredo_port_follows_the_addresses(netns: Namespace, collector: Collector) -> None:
    witness = Collector()

    def add(address: str, dev: str) -> None:
        """The kernel reports a new IPv6 address later, from a thread of its own."""
        witness.clear()
        netns.ip(f"address add {address} dev {dev} nodad")
        local = ip_address(address.split("/")[0])
        witness.wait_any(lambda row, _: row.address == local)

    netns.veth()
    netns.ip(f"address add {teredo(4567)}/32 dev v0 nodad")
    assert netioapi.get_teredo_port() == 4567
    with (
        netioapi.notify_unicast_ip_address_change(witness, socket.AF_INET6),
        netioapi.notify_teredo_port_change(collector, initial_notification=True),
    ):
        # The port exists already, and the first call says 0 all the same, as on Windows.
        assert collector.wait_count(1)[0] == (0, NotificationType.INITIAL)
        add("2001:1::1/32", "v0")  # the neighbouring prefix, not Teredo
        add("2001:db8::1/32", "v0")
        add(f"{teredo(65535)}/128", "p0")
        netns.ip(f"-6 address delete {teredo(4567)}/32 dev v0")
        collector.wait_for(lambda events: events[-1][0] == 65535)
        assert netioapi.get_teredo_port() == 65535
        netns.ip("link set p0 down")  # which removes its IPv6 addresses
        collector.wait_for(lambda events: events[-1][0] == 0)
        assert netioapi.get_teredo_port() == 0
        netns.ip("link set p0 up")
        add(f"{teredo(1)}/32", "lo")
        collector.wait_for(lambda events: events[-1][0] == 1)
        add(f"{teredo(1, 0x202)}/32", "v0")  # the same port again
        netns.ip(f"-6 address delete {teredo(1)}/32 dev lo")
        netns.ip(f"-6 address delete {teredo(1, 0x202)}/32 dev v0")
        collector.wait_for(lambda events: events[-1][0] == 0)
    ports = [port for port, _ in collector.events]
    assert ports[1:] == [65535, 0, 1, 0]
    assert {type_ for _, type_ in collector.events[1:]} == {NotificationType.PARAMETER}


X, Y = "2001:db8::1", "2001:db8::2"


@pytest.fixture
def tentative(netns: Namespace) -> Namespace:
    """v0, where an address added without `nodad` stays tentative."""
    without_link_local(netns)
    netns.sysctl("ipv6.conf.default.dad_transmits", 10_000)
    netns.veth()
    return netns


@contextmanager
def everything_is_delivered(netns: Namespace) -> Iterator[None]:
    """At its end, every change made inside has been delivered to every registration."""
    witness = Collector()
    with netioapi.notify_unicast_ip_address_change(witness):
        yield
        netns.ip("address add 10.99.99.99/32 dev lo")
        witness.wait_any(lambda row, _: row.address == ip_address("10.99.99.99"))
        netns.ip("address delete 10.99.99.99/32 dev lo")


def addresses(table: netioapi.Table[netioapi.UnicastIpAddressRow]) -> set[object]:
    return {row.address for row in table if row.interface_name != "lo"}


@pytest.mark.parametrize("family", [socket.AF_UNSPEC, socket.AF_INET6])
def test_stable_table_is_delivered_again_when_its_rows_have_changed(
    tentative: Namespace, collector: Collector, family: int
) -> None:
    tentative.ip(f"address add {X}/64 dev v0")
    stable, registration = netioapi.notify_stable_unicast_ip_address_table(collector, family)
    assert stable is None
    assert registration is not None
    with registration:
        with everything_is_delivered(tentative):
            tentative.ip("address add 2001:db8::7/64 dev v0 nodad")
        assert not collector.events, "one address is still tentative"
        tentative.ip(f"address delete {X}/64 dev v0")
        collector.wait_count(1)
        tentative.ip("address add 2001:db8::8/64 dev v0 nodad")
        collector.wait_count(2)
        tentative.ip(f"address add {X}/64 dev v0")
        tentative.ip(f"address delete {X}/64 dev v0")  # the same rows as before
        tentative.ip("address delete 2001:db8::7/64 dev v0")
        collector.wait_count(3)
        tentative.ip("address change 2001:db8::8/64 dev v0 preferred_lft 0 valid_lft 1000")
        collector.wait_count(4)
    seven, eight = IPv6Address("2001:db8::7"), IPv6Address("2001:db8::8")
    tables = [table for (table,) in collector.events]
    assert list(map(addresses, tables)) == [{seven}, {seven, eight}, {eight}, {eight}]
    assert {row.dad_state for row in tables[3] if row.address == eight} == {DadState.DEPRECATED}


def test_stable_table_has_optimistic_addresses_and_no_tentative_ones(
    tentative: Namespace, collector: Collector
) -> None:
    tentative.ip("link set p0 down")  # without a carrier X stays tentative for ever
    tentative.ip(f"address add {X}/64 dev v0")
    table, _ = netioapi.notify_stable_unicast_ip_address_table(collector, socket.AF_INET6)
    assert table is not None
    assert addresses(table) == set()
    tentative.ip("link set p0 up")
    for name in ("optimistic_dad", "use_optimistic"):
        tentative.sysctl(f"ipv6.conf.v0.{name}", 1)
    tentative.ip(f"address delete {X}/64 dev v0")
    tentative.ip(f"address add {Y}/64 dev v0 optimistic")
    shown = tentative.json(f"address show dev v0 to {Y}")[0]["addr_info"][0]
    assert shown["optimistic"]
    assert shown["tentative"]
    table, _ = netioapi.notify_stable_unicast_ip_address_table(collector, socket.AF_INET6)
    assert table is not None
    assert {row.address: row.dad_state for row in table if row.interface_name == "v0"} == {
        IPv6Address(Y): DadState.PREFERRED
    }


@contextmanager
def no_more_descriptors() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_stable_table_waits_until_it_can_be_read(
    tentative: Namespace, collector: Collector
) -> None:
    witness = Collector()
    last = "10.99.99.99"
    tentative.ip(f"address add {X}/64 dev v0")
    _, registration = netioapi.notify_stable_unicast_ip_address_table(collector)
    assert registration is not None
    with (
        registration,
        netioapi.notify_unicast_ip_address_change(witness),
        subprocess.Popen(["ip", "-batch", "-"], stdin=subprocess.PIPE, text=True) as ip,
    ):
        assert ip.stdin is not None
        with no_more_descriptors():
            ip.stdin.write(f"address del {X}/64 dev v0\naddress add {last}/32 dev lo\n")
            ip.stdin.close()
            witness.wait_any(lambda row, _: row.address == ip_address(last))
            assert not collector.events
        collector.wait_count(1)
        assert addresses(collector.events[0][0]) == set()


def test_stable_tables_during_a_slow_callback_become_one(
    tentative: Namespace, collector: Collector
) -> None:
    """However often the table became stable during a callback, one more callback follows."""
    entered, leave = threading.Event(), threading.Event()

    def slow(table: object) -> None:
        collector(table)
        entered.set()
        assert leave.wait(20)

    tentative.ip(f"address add {X}/64 dev v0")
    _, registration = netioapi.notify_stable_unicast_ip_address_table(slow, socket.AF_INET6)
    assert registration is not None
    with registration:
        for turn in range(5):
            with everything_is_delivered(tentative):
                tentative.ip(f"address delete {X}/64 dev v0")
                if turn == 0:
                    assert entered.wait(20)
            with everything_is_delivered(tentative):
                tentative.ip(f"address add {X}/64 dev v0")
        tentative.ip(f"address add {Y}/64 dev v0 nodad")
        tentative.ip(f"address delete {X}/64 dev v0")
        leave.set()
        collector.wait_count(2)
        with everything_is_delivered(tentative):
            pass
        assert len(collector) == 2
        assert addresses(collector.events[1][0]) >= {IPv6Address(Y)}


def test_cancelled_stable_registration_gets_no_table(
    tentative: Namespace, collector: Collector
) -> None:
    tentative.ip(f"address add {X}/64 dev v0")
    _, registration = netioapi.notify_stable_unicast_ip_address_table(collector)
    assert registration is not None
    registration.cancel()
    with everything_is_delivered(tentative):
        tentative.ip(f"address delete {X}/64 dev v0")
    assert not collector.events
    assert not registration.active


def test_stable_table_without_pending_detection_returns_at_once(
    tentative: Namespace, collector: Collector
) -> None:
    tentative.ip(f"address add {X}/64 dev v0")
    now, registration = netioapi.notify_stable_unicast_ip_address_table(collector, socket.AF_INET)
    assert registration is None  # IPv4 has no duplicate address detection
    assert now is not None
    assert {row.family for row in now} == {socket.AF_INET}
    # Without a carrier the address would stay tentative for ever.
    _, registration = netioapi.notify_stable_unicast_ip_address_table(collector)
    assert registration is not None
    with registration:
        tentative.ip("link set p0 down")
        (later,) = collector.wait_count(1)[0]
    now, registration = netioapi.notify_stable_unicast_ip_address_table(collector)
    assert registration is None
    for table in (later, now):
        assert table is not None
        assert addresses(table) == set(), "a tentative address is of no use"


def test_stable_table_without_addresses_is_empty(
    tentative: Namespace, collector: Collector
) -> None:
    tentative.ip("link set lo down")
    now, registration = netioapi.notify_stable_unicast_ip_address_table(collector, socket.AF_INET6)
    assert registration is None
    assert now is not None
    assert len(now) == 0
    tentative.ip(f"address add {X}/64 dev v0")
    _, registration = netioapi.notify_stable_unicast_ip_address_table(collector, socket.AF_INET6)
    assert registration is not None
    with registration:
        tentative.ip(f"address delete {X}/64 dev v0")
        (later,) = collector.wait_count(1)[0]
    assert len(later) == 0


def test_overflow_delivers_no_stable_table(tentative: Namespace, collector: Collector) -> None:
    tentative.ip(f"address add {X}/64 dev v0")
    tentative.veth("v1", "p1")
    tentative.batch("\n".join(f"route add 2001:db9:{n:x}::/48 dev v1" for n in range(5000)))
    with netioapi.Watcher("route", receive_buffer=4096) as watcher:
        _, registration = netioapi.notify_stable_unicast_ip_address_table(collector)
        assert registration is not None
        with registration:
            tentative.ip("link set v1 down")  # in one step: more than the buffer holds
            lost = exact = False
            while not exact:
                batch = watcher.read(timeout=TIMEOUT_S)
                assert batch is not None, watcher.stats()
                lost |= batch.overflow
                exact = lost and batch.synced
            with everything_is_delivered(tentative):
                pass
            assert not collector.events


def test_stable_table_waits_for_unreported_tentative_addresses(
    netns: Namespace, collector: Collector
) -> None:
    """The kernel does not report its own link-local address while it is tentative, nor to a running
    engine."""
    with netioapi.notify_unicast_ip_address_change(lambda *_: None):
        netns.veth()
        _, registration = netioapi.notify_stable_unicast_ip_address_table(collector)
        assert registration is not None
        with registration:
            collector.wait_count(1)
            netns.veth("v1", "p1")
            collector.wait_for(
                lambda events: {row.interface_name for row in events[-1][0]} >= {"v1", "p1"}
            )
    for (table,) in collector.events:
        assert not [row for row in table if row.dad_state == netioapi.DadState.TENTATIVE]

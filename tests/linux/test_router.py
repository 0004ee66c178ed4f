# SPDX-License-Identifier: MIT
"""Changes that the kernel makes because of other machines on the link: router advertisements,
cloned routes."""

from __future__ import annotations

import queue
import socket
from collections.abc import Iterable, Iterator
from ipaddress import ip_network

import pytest

import netioapi
from tests.linux.namespace import Namespace
from tests.support.waiting import eventually

from .cases import TABLES, A, R, expect
from .model.follow import CallbackFollower, Follower, WatcherFollower, quiet, settle
from .model.oracle import ADDRESS_FLAGS, PERMANENT
from .packets import Advertisement, fragmentation_needed

# Longer than the deadline of settle(), whose message says more.
pytestmark = pytest.mark.timeout(150)

PREFIX = "2001:db8:5::/64"


def in_prefix(kind: str, key: tuple[object, ...], *_: object) -> bool:
    """Matches the address that the kernel made from the prefix."""
    return kind == "address" and str(key[1]).startswith("2001:db8:5:")


@pytest.fixture
def followers(netns: Namespace) -> Iterator[list[Follower]]:
    netns.sysctl("ipv6.conf.default.accept_dad", 0)
    netns.veth()
    netns.ip("address add 10.0.0.1/24 dev v0")
    with WatcherFollower(TABLES) as watcher, CallbackFollower() as callbacks:
        settle([watcher, callbacks])
        yield [watcher, callbacks]


def test_router_advertisement_changes_routes_and_addresses(
    netns: Namespace, followers: list[Follower]
) -> None:
    Advertisement().send("p0")
    for follower in followers:
        index = follower.settle().index
        expect(follower, [R(PREFIX, "v0"), R("::/0", "v0", protocol=9), in_prefix], index, True)
    quiet(followers)
    for follower in followers:
        follower.counts.clear()

    # The same advertisement again: lifetimes start anew, which is no change.
    Advertisement().send("p0")
    quiet(followers)
    for follower in followers:
        assert not follower.counts, follower.log[-5:]

    Advertisement(preferred=0, lifetime=0).send("p0")
    deprecated = ADDRESS_FLAGS["deprecated"]

    def is_deprecated(kind: str, key: tuple[object, ...], record: object, index: object) -> bool:
        assert isinstance(record, dict)
        return in_prefix(kind, key) and bool(record["flags"] & deprecated)

    for follower in followers:
        expect(follower, [is_deprecated], index, True)
        expect(follower, [R("::/0")], index, False)
    settle(followers)


@pytest.mark.parametrize("tables", [None, pytest.param([7], marks=pytest.mark.slow)], ids=str)
def test_autoconfigured_address_is_reported_while_tentative(
    netns: Namespace, tables: list[int] | None
) -> None:
    """The kernel reports an autoconfigured address once duplicate address detection is over. The
    route of its prefix is the first sign of it, also when the watcher does not want that route."""
    netns.veth()
    for name in ("v0", "p0"):
        settled = f"-6 address show dev {name} scope link -tentative"
        eventually(lambda show=settled: "fe80" in netns.ip(show), what=f"a link-local on {name}")
    with netioapi.Watcher("route", "address", tables=tables) as watcher:
        Advertisement().send("p0")
        states: list[netioapi.DadState] = []
        while not states or states[-1] != netioapi.DadState.PREFERRED:
            batch = watcher.read(timeout=60)
            assert batch is not None, states
            states += [
                change.row.dad_state
                for change in batch
                if change.kind == "address" and change.row.address in ip_network(PREFIX)
            ]
    assert states[0] == netioapi.DadState.TENTATIVE


def autoconfigured(
    rows: Iterable[netioapi.UnicastIpAddressRow], prefix: str
) -> list[netioapi.UnicastIpAddressRow]:
    return [row for row in rows if row.address in ip_network(prefix)]


@pytest.fixture
def with_temporary(netns: Namespace) -> Namespace:
    netns.sysctl("ipv6.conf.default.use_tempaddr", 2)
    netns.veth()
    netns.sysctl("ipv6.conf.p0.accept_ra", 0)  # it hears itself
    for name in ("v0", "p0"):
        settled = f"-6 address show dev {name} scope link -tentative"
        eventually(lambda show=settled: "fe80" in netns.ip(show), what=f"a link-local on {name}")
    return netns


def test_watcher_of_addresses_alone_knows_tentative_ones_at_once(
    with_temporary: Namespace,
) -> None:
    with netioapi.Watcher("address") as watcher:
        Advertisement().send("p0")
        first: dict[bytes, netioapi.DadState] = {}
        preferred: set[bytes] = set()
        while len(preferred) < 2:
            batch = watcher.read(timeout=60)
            assert batch is not None, first
            for row in autoconfigured((c.row for c in batch), PREFIX):
                first.setdefault(row.key, row.dad_state)
                if row.dad_state == netioapi.DadState.PREFERRED:
                    preferred.add(row.key)
    # One lasting address on v0, and a temporary one.
    assert list(first.values()) == [netioapi.DadState.TENTATIVE] * 2


def test_stable_table_follows_advertisements_and_has_no_tentative_row(
    with_temporary: Namespace,
) -> None:
    """With a registration alone, so that no other one makes the engine read the addresses."""
    tables: queue.SimpleQueue[netioapi.Table[netioapi.UnicastIpAddressRow]] = queue.SimpleQueue()

    def until(*prefixes: str) -> None:
        """Takes tables until one has a lasting and a temporary address of each prefix."""
        while True:
            rows = list(tables.get(timeout=60))
            states = {row.dad_state for row in rows}
            assert states <= {netioapi.DadState.PREFERRED, netioapi.DadState.DEPRECATED}, rows
            if all(len(autoconfigured(rows, prefix)) == 2 for prefix in prefixes):
                return

    Advertisement().send("p0")
    eventually(
        lambda: len(autoconfigured(netioapi.get_unicast_ip_address_table(), PREFIX)) == 2,
        what="two tentative addresses",
    )
    table, registration = netioapi.notify_stable_unicast_ip_address_table(
        tables.put, socket.AF_INET6
    )
    assert table is None
    assert registration is not None
    with registration:
        until(PREFIX)
        Advertisement("2001:db8:6::").send("p0")
        until(PREFIX, "2001:db8:6::/64")
        Advertisement("2001:db8:6::", preferred=0).send("p0")
        while {
            row.dad_state for row in autoconfigured(tables.get(timeout=60), "2001:db8:6::/64")
        } != {netioapi.DadState.DEPRECATED}:
            pass
    assert tables.empty()


def test_managed_flag_of_a_router_is_an_interface_change(
    netns: Namespace, followers: list[Follower]
) -> None:
    events: list[tuple[int, bool]] = []

    def managed() -> bool:
        rows = netioapi.get_ip_interface_table(socket.AF_INET6)
        return any(row.managed_address_configuration_supported for row in rows)

    assert not managed()
    with netioapi.notify_ip_interface_change(
        lambda row, type_: events.append(
            (row.interface_index, row.managed_address_configuration_supported)
        ),
        socket.AF_INET6,
    ):
        Advertisement(managed=True).send("p0")
        eventually(lambda: (socket.if_nametoindex("v0"), True) in events, what="managed")
    assert managed()


def test_cloned_routes_are_left_out(
    netns: Namespace, other_netns: Namespace, followers: list[Follower]
) -> None:
    """The kernel remembers a path with a smaller MTU as a cloned route, and dumps it."""
    netns.ip(f"link set p0 netns {other_netns.path}")
    with other_netns:
        other_netns.ip("link set p0 up")
        other_netns.ip("address add 10.0.0.2/24 dev p0")
    settle(followers)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind(("10.0.0.1", 0))
        sender.connect(("10.0.0.2", 9))
        sender.send(b"x")
        packet = fragmentation_needed("10.0.0.1", sender.getsockname()[1], "10.0.0.2", 9, 900)
        with (
            other_netns,
            socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as router,
        ):
            router.sendto(packet, ("10.0.0.1", 0))
        eventually(lambda: netns.ip("-4 route show table all cached 10.0.0.2"), what="an exception")
    quiet(followers)
    hosts = {row.destination_prefix for row in netioapi.get_ip_forward_table2()}
    assert ip_network("10.0.0.2/32") not in hosts
    # A new subscriber begins with a dump.
    with WatcherFollower(TABLES) as fresh:
        fresh.settle()


def test_duplicate_detection_is_reported_in_order(netns: Namespace) -> None:
    """Tentative first, then preferred. (The kernel reports its own link-local address when it is
    preferred.)"""
    netns.veth()
    with WatcherFollower(TABLES) as follower:
        follower.settle()
        mark = len(follower.log)
        netns.ip("address add fd00:7::1/64 dev v0")
        index = follower.settle().index
        tentative = ADDRESS_FLAGS["tentative"] | PERMANENT
        expect(follower, [A("fd00:7::1", flags=PERMANENT)], index, True)
    mine = [line for line in follower.log[mark:] if "address" in line and "fd00:7::1" in line]
    assert [line.split()[0] for line in mine] == ["ADD", "PARAMETER"], mine
    assert f"'flags': {tentative}," in mine[0]

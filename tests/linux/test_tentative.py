# SPDX-License-Identifier: MIT
"""Addresses that the kernel makes by itself: it sends RTM_NEWADDR only after duplicate address
detection, but a Watcher of addresses alone knows them from its beginning."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass

import pytest

import netioapi
from netioapi.enums import DadState
from tests.linux.namespace import Namespace
from tests.support.collector import Collector
from tests.support.waiting import eventually

from .packets import Advertisement

IPV6_MCADDR = 38  # RTNLGRP_IPV6_MCADDR
SOL_NETLINK, NETLINK_ADD_MEMBERSHIP = 270, 1


def reports_joined_groups() -> bool:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as route:
        try:
            route.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, IPV6_MCADDR)
        except OSError:
            return False
    return True


needs_joined_groups = pytest.mark.skipif(
    not reports_joined_groups(), reason="needs RTNLGRP_IPV6_MCADDR (Linux 6.14)"
)


@dataclass(frozen=True)
class Case:
    """Settings of v0, and how the kernel is made to add an address there by itself."""

    act: Callable[[Namespace], object]
    settings: dict[str, int]


def make_link_local_again(netns: Namespace) -> None:
    netns.sysctl("ipv6.conf.v0.disable_ipv6", 1)
    netns.sysctl("ipv6.conf.v0.disable_ipv6", 0)


CASES = {
    "advertisement": Case(lambda netns: Advertisement().send("p0"), {"use_tempaddr": 0}),
    "temporary of an advertisement": Case(
        lambda netns: Advertisement().send("p0"), {"use_tempaddr": 2}
    ),
    "temporary of a manual address": Case(
        lambda netns: netns.ip("address add 2001:db8::1/64 dev v0 mngtmpaddr"), {"use_tempaddr": 2}
    ),
    "link-local made again": Case(make_link_local_again, {}),
    "link-local of another mode": Case(
        lambda netns: netns.sysctl("ipv6.conf.v0.addr_gen_mode", 3), {}
    ),
    "link down and up": Case(
        lambda netns: (netns.ip("link set v0 down"), netns.ip("link set v0 up")), {}
    ),
    "mtu below and above 1280": Case(
        lambda netns: (netns.ip("link set v0 mtu 1200"), netns.ip("link set v0 mtu 1500")), {}
    ),
}
WITHOUT_ANOTHER_SIGN = {"link-local made again", "link-local of another mode"}


@pytest.fixture
def settled(netns: Namespace) -> Namespace:
    """v0 and p0 have link-local addresses; a further one of v0 stays tentative."""
    netns.veth()
    netns.sysctl("ipv6.conf.p0.accept_ra", 0)  # it hears itself
    for name in ("v0", "p0"):
        shown = f"-6 address show dev {name} scope link -tentative"
        eventually(lambda show=shown: "fe80" in netns.ip(show), what=f"a link-local on {name}")
    netns.sysctl("ipv6.conf.v0.dad_transmits", 10_000)
    return netns


def of_the_kernel(netns: Namespace) -> dict[str, bool]:
    """The IPv6 addresses of v0, and whether they are tentative."""
    [link] = netns.json("-6 address show dev v0") or [{"addr_info": []}]
    return {one["local"]: bool(one.get("tentative")) for one in link["addr_info"]}


class State:
    """The IPv6 addresses of v0 as a Watcher of addresses alone has them."""

    def __init__(self, watcher: netioapi.Watcher) -> None:
        self._watcher = watcher
        self._rows: dict[object, netioapi.UnicastIpAddressRow] = {}

    def now(self) -> dict[str, bool]:
        while (batch := self._watcher.read(timeout=0)) is not None:
            for change in batch:
                row = change.row
                if not isinstance(row, netioapi.UnicastIpAddressRow):
                    continue
                if change.type == netioapi.NotificationType.DELETE:
                    self._rows.pop(row.key, None)
                else:
                    self._rows[row.key] = row
        return {
            str(row.address).partition("%")[0]: row.dad_state == DadState.TENTATIVE
            for row in self._rows.values()
            if row.interface_name == "v0"
        }


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[needs_joined_groups] if name in WITHOUT_ANOTHER_SIGN else [])
        for name in CASES
    ],
)
def test_address_made_by_the_kernel_is_known_while_tentative(settled: Namespace, name: str) -> None:
    case = CASES[name]
    for setting, value in case.settings.items():
        settled.sysctl(f"ipv6.conf.v0.{setting}", value)
    before = of_the_kernel(settled)
    with netioapi.Watcher("address", family=socket.AF_INET6, snapshot=True) as watcher:
        state = State(watcher)
        eventually(lambda: state.now() == before, what="the snapshot")
        case.act(settled)
        eventually(lambda: any(of_the_kernel(settled).values()), what="a tentative address")
        # None of them settles: so this is not the message at the end of their detection.
        eventually(lambda: state.now() == of_the_kernel(settled), what="what the kernel has")
        assert any(state.now().values())


@needs_joined_groups
@pytest.mark.slow
def test_next_temporary_address_is_known_while_tentative(settled: Namespace) -> None:
    """The kernel makes it some seconds before the last one is deprecated; nothing else happens."""
    for setting, value in {
        "dad_transmits": 2,
        "use_tempaddr": 2,
        "temp_prefered_lft": 12,
        "temp_valid_lft": 40,
        "max_desync_factor": 0,
    }.items():
        settled.sysctl(f"ipv6.conf.v0.{setting}", value)
    first: dict[object, DadState] = {}
    with netioapi.Watcher("address", family=socket.AF_INET6) as watcher:
        Advertisement().send("p0")
        while len(first) < 4:  # a lasting address, and three temporary ones
            batch = watcher.read(timeout=60)
            assert batch is not None, first
            for change in batch:
                first.setdefault(change.row.key, change.row.dad_state)
    assert set(first.values()) == {DadState.TENTATIVE}


def test_permanent_address_is_tentative_on_a_link_that_is_down(settled: Namespace) -> None:
    """With keep_addr_on_down the kernel keeps it, and sends no message."""
    settled.sysctl("ipv6.conf.v0.keep_addr_on_down", 1)
    settled.sysctl("ipv6.conf.v0.dad_transmits", 0)
    settled.ip("address add 2001:db8::1/64 dev v0")
    eventually(lambda: not any(of_the_kernel(settled).values()), what="no tentative address")
    with netioapi.Watcher("address", family=socket.AF_INET6, snapshot=True) as watcher:
        state = State(watcher)
        eventually(lambda: state.now().get("2001:db8::1") is False, what="the address")
        settled.ip("link set v0 down")
        eventually(lambda: state.now() == {"2001:db8::1": True}, what="a tentative address")
        assert of_the_kernel(settled) == {"2001:db8::1": True}


@needs_joined_groups
def test_stable_table_waits_for_an_address_made_by_the_kernel(
    settled: Namespace, collector: Collector
) -> None:
    """The registration alone makes the engine know that the table is not stable any more."""
    settled.ip("address add 2001:db8::1/64 dev v0")  # tentative
    table, registration = netioapi.notify_stable_unicast_ip_address_table(
        collector, socket.AF_INET6
    )
    assert table is None
    assert registration is not None
    with registration:
        settled.ip("address delete 2001:db8::1/64 dev v0")
        collector.wait_count(1)
        settled.sysctl("ipv6.conf.v0.addr_gen_mode", 3)
        eventually(lambda: any(of_the_kernel(settled).values()), what="a tentative address")
        with netioapi.Watcher("address", family=socket.AF_INET6, snapshot=True) as watcher:
            state = State(watcher)
            eventually(lambda: any(state.now().values()), what="the same in the mirror")
        settled.ip("address add 2001:db8::2/64 dev v0 nodad")  # not stable: no table
        settled.sysctl("ipv6.conf.v0.dad_transmits", 0)
        for address, is_tentative in of_the_kernel(settled).items():
            if is_tentative:
                settled.ip(f"address delete {address}/64 dev v0")
        collector.wait_count(2)
    tables = [{row.address.compressed for row in table} for (table,) in collector.events]
    assert "2001:db8::2" not in tables[0]
    assert "2001:db8::2" in tables[1]
    assert {row.dad_state for (table,) in collector.events for row in table} == {DadState.PREFERRED}

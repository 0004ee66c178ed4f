# SPDX-License-Identifier: MIT
"""Lifetimes: in a later snapshot they are those of that time, and with `lifetimes=True` each
renewal is a change. The kernel's clock decides: `ip -json` is asked just before and just after."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from netioapi import INFINITE, Change, NotificationType, Watcher
from tests.linux.namespace import Namespace
from tests.support.changes import read_snapshot, read_until, route_to
from tests.support.waiting import eventually

ADDRESSES = ("192.0.2.1/24", "2001:db8::1/64")
ROUTE = "2001:db8:9::/48"


@pytest.fixture
def net(netns: Namespace) -> Namespace:
    netns.sysctl("ipv6.conf.default.accept_dad", 0)
    netns.veth()
    return netns


def told(net: Namespace) -> dict[str, tuple[int, int]]:
    """The lifetimes of addresses as `ip` shows them, and that of the route, twice."""
    found = {
        one["local"]: (one["valid_life_time"], one["preferred_life_time"])
        for link in net.json("address show dev v0")
        for one in link["addr_info"]
    }
    for route in net.json(f"-6 route show {ROUTE}"):
        found[ROUTE] = (route["expires"], route["expires"])
    return found


def name_of(row: Any) -> str:
    prefix = getattr(row, "destination_prefix", None)
    return str(row.address if prefix is None else prefix)


def lifetimes(changes: list[Change]) -> dict[str, tuple[int, int]]:
    return {
        name_of(change.row): (change.row.valid_lifetime, change.row.preferred_lifetime)
        for change in changes
        if change.kind != "interface"
    }


def assert_lie_between(
    found: dict[str, tuple[int, int]],
    later: dict[str, tuple[int, int]],
    earlier: dict[str, tuple[int, int]],
) -> None:
    """Each is rounded to a second, by the kernel and by us."""
    for name in ("192.0.2.1", "2001:db8::1", ROUTE):
        for left, low, high in zip(found[name], later[name], earlier[name], strict=True):
            assert low - 1 <= left <= high + 1, (name, found, later, earlier)


def age(net: Namespace, seconds: int) -> None:
    """Waits until the kernel says that so much of the lifetimes has passed."""
    start = told(net)["192.0.2.1"][0]
    eventually(lambda: told(net)["192.0.2.1"][0] <= start - seconds, what="time that passes")


def test_lifetimes_of_a_later_snapshot_are_those_of_its_time(net: Namespace) -> None:
    with Watcher("route", "address", snapshot=True) as first:  # keeps the first message
        read_snapshot(first)
        net.ip("address add 192.0.2.1/24 dev v0 valid_lft 3600 preferred_lft 1800")
        net.ip("address add 2001:db8::1/64 dev v0 valid_lft 3600 preferred_lft 1800")
        net.ip(f"-6 route add {ROUTE} dev v0 expires 3600")
        changes = read_until(first, route_to(ROUTE))
        assert lifetimes(changes)[ROUTE][0] in (3599, 3600)
        age(net, 3)
        earlier = told(net)
        with Watcher("route", "address", snapshot=True) as second:
            found = lifetimes(read_snapshot(second))
        assert_lie_between(found, told(net), earlier)
        assert found["2001:db8::1"][0] <= 3598


def test_deleted_row_has_the_lifetimes_of_its_end(net: Namespace) -> None:
    with Watcher("address", snapshot=True) as watcher:
        read_snapshot(watcher)
        net.ip("address add 192.0.2.1/24 dev v0 valid_lft 3600 preferred_lft 2")
        read_until(watcher, lambda change: str(getattr(change.row, "address", "")) == "192.0.2.1")
        age(net, 3)
        net.ip("address del 192.0.2.1/24 dev v0")

        def is_end(change: Change) -> bool:
            return change.type == NotificationType.DELETE and name_of(change.row) == "192.0.2.1"

        (end,) = (change for change in read_until(watcher, is_end) if is_end(change))
        assert end.row.valid_lifetime in range(3500, 3599)
        assert end.row.preferred_lifetime == 0


def test_lifetime_without_an_end_does_not_count_down(net: Namespace) -> None:
    with Watcher("address", snapshot=True) as first:
        read_snapshot(first)
        net.ip("address add 192.0.2.2/24 dev v0")
        net.ip("address add 192.0.2.1/24 dev v0 valid_lft 3600 preferred_lft 1800")
        age(net, 2)
        with Watcher("address", snapshot=True) as second:
            found = lifetimes(read_snapshot(second))
    assert found["192.0.2.2"] == (INFINITE, INFINITE)


@pytest.mark.parametrize("prefix", ADDRESSES)
def test_renewal_is_a_change_for_those_that_follow_lifetimes(net: Namespace, prefix: str) -> None:
    address = prefix.split("/")[0]

    def about(change: Change) -> bool:
        return change.kind == "address" and name_of(change.row) == address

    def is_renewal(change: Change) -> bool:
        return about(change) and change.type == NotificationType.PARAMETER

    net.ip(f"address add {prefix} dev v0 valid_lft 3600 preferred_lft 1800")
    with (
        Watcher("address", snapshot=True, lifetimes=True) as follows,
        Watcher("address", snapshot=True) as quiet,
    ):
        for watcher in (follows, quiet):
            read_snapshot(watcher)
        for valid in (7200, 5000, 9000):
            net.ip(f"address change {prefix} dev v0 valid_lft {valid} preferred_lft 1800")
            (one,) = filter(about, read_until(follows, is_renewal))
            assert one.row.valid_lifetime in (valid, valid - 1)
            assert one.type == NotificationType.PARAMETER
        # The same message again renews nothing: the next change is the deletion.
        net.ip(f"address del {prefix} dev v0")
        ended = [*filter(about, read_until(quiet, about))]
        assert [change.type for change in ended] == [NotificationType.DELETE]
        assert next(filter(about, read_until(follows, about))).type == NotificationType.DELETE


def test_renewed_route_is_a_change_for_those_that_follow_lifetimes(net: Namespace) -> None:
    net.ip(f"-6 route add {ROUTE} dev v0 expires 100")
    with (
        Watcher("route", family=socket.AF_INET6, snapshot=True, lifetimes=True) as follows,
        Watcher("route", family=socket.AF_INET6, snapshot=True) as quiet,
    ):
        for watcher in (follows, quiet):
            read_snapshot(watcher)
        net.ip(f"-6 route replace {ROUTE} dev v0 expires 900")
        changes = read_until(follows, route_to(ROUTE, NotificationType.PARAMETER))
        assert lifetimes(changes)[ROUTE][0] in (899, 900)
        net.ip(f"-6 route del {ROUTE} dev v0")
        types = [
            change.type
            for change in read_until(quiet, route_to(ROUTE, NotificationType.DELETE))
            if name_of(change.row) == ROUTE
        ]
        assert types == [NotificationType.DELETE]
